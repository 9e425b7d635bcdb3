"""Writes arguments for generated operations: literals, and variables given or omitted in every way allowed."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    get_named_type,
    get_nullable_type,
)

from tests.reference.pools import Pools

GATES = {"factuality": "FACTUALITY", "ownership": "OWNERSHIP"}
PAGE_NAMES = frozenset({"first", "last", "after", "before"})
SIZES = (0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7)
PLAIN_SIZE = 20


@dataclass
class Writer:
    """One operation's arguments; `declared` and `given` gather its variables."""

    chance: random.Random
    pools: Pools
    features: frozenset[str]
    variable_share: float = 0.2
    declared: dict[str, str] = field(default_factory=dict[str, str])
    given: dict[str, Any] = field(default_factory=dict[str, Any])

    def arguments(self, name: str, definition: GraphQLField, room: int) -> tuple[str, int]:
        """The arguments of a field in parentheses or nothing, and how many items its list may give; at most `room`."""
        parts = self._plain(name, definition)
        size = 1
        if "last" in definition.args:
            page, size = self._page(room)
            parts += page
        elif "first" in definition.args:
            size = self.chance.choice(SIZES)
            parts.append(f"first: {self.written(size, definition.args['first'].type)}")
        self.chance.shuffle(parts)
        return (f"({', '.join(parts)})" if parts else ""), size

    def constant_arguments(self, name: str, definition: GraphQLField) -> str:
        """The arguments of a field but for those of its page, without variables, each followed by a comma."""
        share, self.variable_share = self.variable_share, 0
        try:
            return "".join(f"{part}, " for part in self._plain(name, definition))
        finally:
            self.variable_share = share

    def condition(self, kind: GraphQLInputObjectType, name: str) -> str:
        """A filter of one condition, without variables."""
        value = self._present(get_nullable_type(kind.fields[name].type), kind.name, name)
        return self._constant({name: value}, kind)

    def _plain(self, name: str, definition: GraphQLField) -> list[str]:
        parts: list[str] = []
        searched = False
        for argument_name, argument in definition.args.items():
            if argument_name in PAGE_NAMES:
                continue
            value = self._argument_value(name, argument_name, argument)
            if value is Undefined:
                continue
            searched = searched or (argument_name == "filter" and bool(value and value.get("search")))
            if value == "RELEVANCE" and not searched:
                value = "TRENDING"
            has_default = argument.default_value is not Undefined
            parts.append(f"{argument_name}: {self.written(value, argument.type, has_default=has_default)}")
        return parts

    def boolean(self, *, value: bool) -> str:
        """The value as a literal or a variable, for a directive."""
        if self.chance.random() < 0.5:
            return json.dumps(value)
        return self._variable(value, GraphQLNonNull(GraphQLBoolean), has_default=False)

    def written(self, value: Any, kind: GraphQLInputType, *, has_default: bool = False) -> str:
        """The value as it stands in the document: a literal, a variable, or a literal with variables in it."""
        if self.chance.random() < self.variable_share:
            return self._variable(value, kind, has_default=has_default)
        return self._literal(value, kind)

    def _argument_value(self, owner: str, name: str, argument: GraphQLArgument) -> Any:
        required = isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
        if not required and self.chance.random() < 0.35:
            return Undefined
        return self._value(argument.type, owner, name)

    def _page(self, room: int) -> tuple[list[str], int]:
        sizes = [size for size in SIZES if size <= max(room, 1)]
        size = self.chance.choice(sizes)
        unused = [f"{name}: null" for name in ("after", "before") if self.chance.random() < 0.08]
        if room >= PLAIN_SIZE and self.chance.random() < 0.25:
            return unused, PLAIN_SIZE
        name, other = self.chance.choice((("first", "last"), ("first", "last"), ("last", "first")))
        if self.chance.random() < 0.1:
            unused.append(f"{other}: null")
        return [f"{name}: {self.written(size, GraphQLInt)}", *unused], size

    def _value(self, kind: GraphQLInputType, owner: str, name: str) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, owner, name)
        return None if self.chance.random() < 0.06 else self._present(kind, owner, name)

    def _present(self, kind: GraphQLInputType, owner: str, name: str) -> Any:
        if isinstance(kind, GraphQLList):
            if name == "domains":
                return self.pools.domains()
            return [
                self._value(kind.of_type, owner, name)
                for _ in range(self.chance.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4)))
            ]
        if isinstance(kind, GraphQLEnumType):
            return self.chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind)
        if get_named_type(kind).name == "Boolean":
            return self.chance.random() < 0.5
        return self.pools.value(owner, name)

    def _input(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        if kind.is_one_of:
            name = self.chance.choice(list(kind.fields))
            return {name: self._present(kind.fields[name].type, kind.name, name)}
        if kind.name == "Window":
            return self._window()
        open_names = [name for name in kind.fields if name not in GATES or GATES[name] in self.features]
        wanted = self.chance.sample(
            open_names, min(self.chance.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 3)), len(open_names))
        )
        wanted += [n for n, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull) and n not in wanted]
        return {name: self._value(kind.fields[name].type, kind.name, name) for name in wanted}

    def _window(self) -> dict[str, Any]:
        """One that is not empty: the service refuses others before it knows whether anything would be asked of them."""
        after = before = self.pools.value("Window", "after")
        while after == before:
            after, before = sorted((after, self.pools.value("Window", "before")))
        return {"after": after, "before": before} if self.chance.random() < 0.9 else {"after": after}

    def _literal(self, value: Any, kind: GraphQLInputType) -> str:
        if isinstance(kind, GraphQLNonNull):
            return self._literal(value, kind.of_type)
        if value is None:
            return "null"
        if isinstance(kind, GraphQLList):
            if len(value) == 1 and value[0] is not None and self.chance.random() < 0.15:
                return self._literal(value[0], kind.of_type)
            return f"[{', '.join(self.written(item, kind.of_type) for item in value)}]"
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(value, kind)
        return value if isinstance(kind, GraphQLEnumType) else json.dumps(value, ensure_ascii=False)

    def _object(self, value: dict[str, Any], kind: GraphQLInputObjectType) -> str:
        def type_of(name: str) -> GraphQLInputType:
            of_field = kind.fields[name].type
            return GraphQLNonNull(of_field) if kind.is_one_of else of_field

        return "{" + ", ".join(f"{name}: {self.written(item, type_of(name))}" for name, item in value.items()) + "}"

    def _variable(self, value: Any, kind: GraphQLInputType, *, has_default: bool) -> str:
        name = f"v{len(self.declared) + 1}"
        self.declared[name] = ""
        must = isinstance(kind, GraphQLNonNull)
        nullable = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        way = self.chance.choice(("as it is", "never null", "by default", "over default"))
        if value is None:
            self.declared[name] = str(nullable)
            if self.chance.random() < 0.5:
                self.given[name] = None
        elif has_default and self.chance.random() < 0.2:
            self.declared[name] = str(nullable)
        elif way == "by default":
            self.declared[name] = f"{nullable} = {self._constant(value, nullable)}"
        elif way == "over default":
            self.declared[name] = f"{nullable} = {self._constant(_other(value) if must else None, nullable)}"
            self.given[name] = value
        else:
            self.declared[name] = f"{nullable}!" if must or way == "never null" else str(nullable)
            self.given[name] = value
        return f"${name}"

    def _constant(self, value: Any, kind: GraphQLInputType) -> str:
        share, self.variable_share = self.variable_share, 0
        try:
            return self._literal(value, kind)
        finally:
            self.variable_share = share


def _other(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return []
        case _:
            return value
