"""Generates valid operations from a schema: one seed, one operation. Knows nothing of how they are answered."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OverlappingFieldsCanBeMergedRule,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    parse,
    validate,
)

from tests.reference.arguments import Writer
from tests.reference.pools import Pools
from tests.reference.world import World

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

FEATURES = ("FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY", "EXPORT")
# What the executor answers, and what no other way than the feed itself tells: positions are transaction ids.
NOT_FROM_DATABASE = frozenset({"service", "viewer", "changes"})
BROKEN = (OverlappingFieldsCanBeMergedRule,)
"""The rules that a draft may break: few do. Both ways to an answer see to the others."""
MOST_DEPTH = 12
MOST_ROWS = 400
MOST_TOKENS = 950
MOST_ALIASES = 15
LENGTHS = {"points": 7, "levels": 5, "categories": 8, "timeline": 20, "topics": 3, "ratings": 4, "countries": 6}
PARENTS = ("story", "outlet", "topic", "place")
ALIASES = (
    "a",
    "b",
    "select",
    "order",
    "ID",
    "Name",
    "_x",
    "title",
    "user",
    "length_of_sixty_three_characters_and_more_" + "x" * 30,
)
"""Names that SQL reserves, that are other fields' names, and that Postgres would cut."""


@dataclass(frozen=True)
class Operation:
    """One operation to be answered, as a client would send it, and the features of the caller."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    features: frozenset[str] = frozenset()
    name: str | None = None
    cursors: Mapping[str, Operation] = field(default_factory=dict[str, "Operation"])
    """For each variable that is a cursor, the operation whose only string that is a cursor is its value."""

    @cached_property
    def document(self) -> DocumentNode:
        """The text, parsed once for all of the tests' own; the service does that by itself."""
        return parse(self.text)


@dataclass
class Draft:
    """What one operation gathers while it is written."""

    chance: random.Random
    writer: Writer
    fragments: dict[str, tuple[str, int, str]] = field(default_factory=dict[str, tuple[str, int, str]])
    """By name: the type, the height and the text."""
    taken: dict[tuple[str, ...], tuple[str, str, str, int]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, str, str, int]]
    )
    """What stands at each path of response keys: the type, the field, its arguments and its size."""
    cursors: dict[str, Operation] = field(default_factory=dict[str, Operation])
    aliases: int = 0
    room: int = 60
    """How many selections may still be written."""


class Generator:
    """Operations against one schema about one world."""

    def __init__(self, schema: GraphQLSchema, world: World) -> None:
        self.schema = schema
        self._world = world

    def operation(self, seed: int) -> Operation:
        """The operation of this seed, always the same for one schema and world."""
        chance = random.Random(seed)
        pools = Pools(self._world, chance)
        while True:
            drafted = self._draft(chance, pools)
            if drafted and self._fits(drafted):
                return drafted

    def _fits(self, operation: Operation) -> bool:
        document = operation.document
        tokens = 0
        token = document.loc.start_token if document.loc else None
        while token is not None:
            tokens, token = tokens + 1, token.next
        return tokens <= MOST_TOKENS and not validate(self.schema, document, BROKEN)

    def _draft(self, chance: random.Random, pools: Pools) -> Operation | None:
        features = frozenset(chance.sample(FEATURES, chance.choice((0, 0, 1, 2, 5, 5))))
        draft = Draft(
            chance,
            Writer(chance, pools, features, chance.choice((0, 0.15, 0.3))),
            room=chance.choice((15, 40, 80, 120)),
        )
        query = self.schema.query_type
        assert query is not None
        selections = [self._selections(draft, query, (), 1, 1) for _ in range(chance.choice((1, 2, 2)))]
        if chance.random() < 0.3:
            selections.append(self._page(draft, query))
        if draft.aliases > MOST_ALIASES:
            return None
        declared = ", ".join(f"${name}: {kind}" for name, kind in draft.writer.declared.items())
        name = chance.choice((None, "Generated"))
        head = f"query {name or ''}{f'({declared})' if declared else ''}" if name or declared else ""
        fragments = "".join(
            f"\nfragment {name} on {on} {{ {text} }}" for name, (on, _, text) in draft.fragments.items()
        )
        other = "\nquery Other { topics { totalCount { value } } }" if name and chance.random() < 0.2 else ""
        text = f"{head}{{ {' '.join(selections)} }}{fragments}{other}"
        return Operation(text, draft.writer.given, features, name, draft.cursors)

    def _page(self, draft: Draft, query: GraphQLObjectType) -> str:
        """A page of a list, before, after or between cursors of the same list."""
        chance = draft.chance
        opening, closing, parent = "", "", query
        path: tuple[str, ...] = ("page",)
        if chance.random() < 0.6:
            name = chance.choice([name for name in PARENTS if name in query.fields])
            parent = get_named_type(query.fields[name].type)
            assert isinstance(parent, GraphQLObjectType)
            opening, closing = (
                f"{name}({draft.writer.constant_arguments(name, query.fields[name]).rstrip(', ')}) {{ ",
                " }",
            )
            path = "page", ""
        name = chance.choice([name for name, definition in parent.fields.items() if "last" in definition.args])
        kind = get_named_type(parent.fields[name].type)
        assert isinstance(kind, GraphQLObjectType)
        fixed = draft.writer.constant_arguments(name, parent.fields[name])
        size = chance.choice((0, 1, 2, 3, 5))
        page = [f"{chance.choice(('first', 'last'))}: {size}"]
        for argument, edge, end in (("after", "first", "endCursor"), ("before", "last", "startCursor")):
            if chance.random() < 0.6:
                inside = f"{name}({fixed}{edge}: {chance.randint(1, 4)}) {{ pageInfo {{ cursor: {end} }} }}"
                draft.cursors[argument] = Operation(f"{{ {opening}{inside}{closing} }}", features=draft.writer.features)
                draft.writer.declared[argument] = "String"
                page.append(f"{argument}: ${argument}")
        key = path[-1] or name
        alias = f"{key}: " if key != name else ""
        inside = self._selections(draft, kind, (*path[:-1], key), len(path) + 1, max(size, 1))
        field_text = f"{alias}{name}({fixed}{', '.join(page)}) {{ {inside} }}"
        return f"page: {opening}{field_text}{closing}" if opening else field_text

    def _selections(self, draft: Draft, parent: Composite, path: tuple[str, ...], depth: int, rows: int) -> str:
        """The inside of a selection set on `parent`: its fields are at `depth`, and about `rows` of it are answered."""
        chance = draft.chance
        parts: list[str] = []
        most = len(parent.fields) if not isinstance(parent, GraphQLUnionType) else 2
        for _ in range(
            min(chance.choice((1, 2, 2, 3, 3, 4, 5, 7)), most) if depth > 1 else chance.choice((1, 1, 2, 3))
        ):
            draft.room -= 1
            if draft.room < 0 and parts:
                break
            drawn = chance.random()
            if draft.room < 0 and isinstance(parent, GraphQLObjectType):
                parts.append(self._field(draft, parent, path, depth, rows))
            elif drawn < 0.09 or (drawn < 0.8 and not isinstance(parent, GraphQLObjectType)):
                parts.append(self._inline_fragment(draft, parent, path, depth, rows))
            elif drawn < 0.14:
                parts.append(self._spread(draft, parent, path, depth, rows))
            else:
                parts.append(self._field(draft, parent, path, depth, rows))
        return " ".join(parts)

    def _inline_fragment(self, draft: Draft, parent: Composite, path: tuple[str, ...], depth: int, rows: int) -> str:
        on = self._condition(draft, parent)
        condition = "" if on is parent and draft.chance.random() < 0.4 else f"on {on.name} "
        inside = self._selections(draft, on, path, depth, rows)
        return f"... {condition}{self._directives(draft)}{{ {inside} }}"

    def _spread(self, draft: Draft, parent: Composite, path: tuple[str, ...], depth: int, rows: int) -> str:
        on = self._condition(draft, parent)
        known = [
            name for name, (of, height, _) in draft.fragments.items() if of == on.name and height + depth <= MOST_DEPTH
        ]
        if known and draft.chance.random() < 0.6:
            name = draft.chance.choice(known)
        else:
            inside = self._selections(draft, on, path, depth, rows)
            name = f"F{len(draft.fragments) + 1}"
            draft.fragments[name] = on.name, _height(inside, draft), inside
        return f"...{name} {self._directives(draft)}"

    def _condition(self, draft: Draft, parent: Composite) -> Composite:
        """A type that a fragment inside of `parent` can be on."""
        if isinstance(parent, GraphQLObjectType):
            return draft.chance.choice([parent, parent, *parent.interfaces])
        return draft.chance.choice([parent, *self.schema.get_possible_types(parent) * 2])

    def _directives(self, draft: Draft) -> str:
        if draft.chance.random() > 0.06:
            return ""
        name, keeps = draft.chance.choice((("skip", False), ("include", True)))
        value = keeps if draft.chance.random() < 0.7 else not keeps
        return f"@{name}(if: {draft.writer.boolean(value=value)}) "

    def _field(self, draft: Draft, parent: Composite, path: tuple[str, ...], depth: int, rows: int) -> str:
        name = self._choose(draft, parent, depth, rows)
        if name == "__typename" or isinstance(parent, GraphQLUnionType):
            return "__typename" if draft.chance.random() < 0.8 else f"kind{len(path)}: __typename"
        definition = parent.fields[name]
        kind = get_named_type(definition.type)
        key = self._key(draft, parent, path, name)
        place = (*path, key)
        if place not in draft.taken:
            draft.taken[place] = parent.name, name, *draft.writer.arguments(name, definition, MOST_ROWS // rows)
        _, _, arguments, size = draft.taken[place]
        written = name if key == name else f"{key}: {name}"
        if not is_composite_type(kind):
            return f"{written}{arguments} {self._directives(draft)}"
        assert isinstance(kind, Composite)
        rows *= max(size, 1) * (LENGTHS.get(name, 1) if is_list_type(get_nullable_type(definition.type)) else 1)
        inside = self._selections(draft, kind, (*path, key), depth + 1, rows)
        return f"{written}{arguments} {self._directives(draft)}{{ {inside} }}"

    def _choose(self, draft: Draft, parent: Composite, depth: int, rows: int) -> str:
        if isinstance(parent, GraphQLUnionType) or draft.chance.random() < 0.03:
            return "__typename"
        names = [name for name in parent.fields if name not in NOT_FROM_DATABASE]
        deep = [name for name in names if is_composite_type(get_named_type(parent.fields[name].type))]
        flat = [name for name in names if name not in deep]
        if depth >= MOST_DEPTH or rows > MOST_ROWS or draft.room < 0 or (flat and draft.chance.random() < 0.4):
            return draft.chance.choice(flat or ["__typename"])
        weights = [3 if "filter" in parent.fields[name].args else 1 for name in deep or flat]
        return draft.chance.choices(deep or flat, weights)[0]

    def _key(self, draft: Draft, parent: Composite, path: tuple[str, ...], name: str) -> str:
        """A response key: the field's name or an alias; one that is taken only where the fields can merge."""
        key = draft.chance.choice(ALIASES) if draft.chance.random() < 0.1 else name
        on, known, arguments, _ = draft.taken.get((*path, key), (parent.name, name, "", 0))
        if known != name or (on != parent.name and (arguments or draft.chance.random() < 0.5)):
            key = f"alias{draft.aliases}"
        draft.aliases += key != name
        return key


def _height(selections: str, draft: Draft) -> int:
    """At least how many levels of fields the text has: its braces, and the highest fragment in it."""
    height = depth = 1
    for character in selections:
        depth += (character == "{") - (character == "}")
        height = max(height, depth)
    inner = [of for name, (_, of, _) in draft.fragments.items() if f"...{name} " in selections]
    return height + max(inner, default=0)
