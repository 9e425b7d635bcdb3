"""Validates documents by graphql-core's rules, on a walk that knows what these listen to.

graphql-core's own walk can change a document, and asks each rule again at each node. No rule changes any, and most
listen to a few kinds of nodes: with that in mind a document is walked in half of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from graphql import BREAK, DocumentNode, GraphQLError, GraphQLSchema, Node, TypeInfo, ValidationContext
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation import ASTValidationRule

TOO_MANY = "Too many validation errors, error limit reached. Validation aborted."
ABORTED = "Validation aborted."

Rules = tuple[type[ASTValidationRule], ...]
Keys = Mapping[str, tuple[str, ...]]
"""By kind of node, the attributes whose nodes are walked."""

_UNHEARD = ("description", "name", "alias")
"""Attributes whose nodes tell no rule anything, not even one that listens to all kinds."""
EVERYTHING: Keys = {
    kind: tuple(key for key in keys if key not in _UNHEARD) for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
OPERATIONS: Keys = {"document": ("definitions",), "operation_definition": ("variable_definitions",)}
"""Enough for rules that listen to operations and their variables only."""


_Methods = tuple[tuple[int, Callable[..., Any]], ...]


_STOPS = (BREAK, True)
"""The answers of a rule that wants to be told of nothing more. Any other but None: of nothing under the node."""


class _Enough(Exception):
    """There is more to find than is told."""


class _Stop(NamedTuple):
    """What happens at a kind of node: who is told of it, by number of the rule, and what is walked under it."""

    enter_type: Callable[[Any], None] | None
    leave_type: Callable[[], None] | None
    enters: _Methods
    leaves: _Methods
    keys: tuple[str, ...]


def validate(
    schema: GraphQLSchema, document: DocumentNode, rules: Rules, keys: Keys, *, most: int, hide_suggestions: bool
) -> list[GraphQLError]:
    """What the rules find in a document: `most` at most, and one more that says so where there is more."""
    found: list[GraphQLError] = []

    def report(error: GraphQLError) -> None:
        if len(found) >= most:
            raise _Enough
        found.append(error)

    types = TypeInfo(schema)
    context = ValidationContext(schema, document, types, report, hide_suggestions)
    try:
        _Walk(rules, context, types, keys).visit(document, None, None)
    except _Enough:
        found.append(GraphQLError(TOO_MANY))
    except RecursionError:
        found.append(GraphQLError(ABORTED))
    return found


class _Walk:
    """One walk through a document. A rule can ask not to be told of what is under a node, or of anything more."""

    def __init__(self, rules: Rules, context: ValidationContext, types: TypeInfo, keys: Keys) -> None:
        self._classes = rules
        self._rules = [rule(context) for rule in rules]
        self._types = types
        self._keys = keys
        self._stops: dict[str, _Stop] = {}
        self._deaf = [False] * len(rules)
        self._ancestors: list[Any] = []

    def visit(self, node: Node, key: str | int | None, parent: Any) -> None:
        """Walks a node and all under it; `key` is its attribute in the parent, or its place in a list."""
        stop = self._stops.get(node.kind) or self._stop(node.kind)
        deaf, ancestors = self._deaf, self._ancestors
        deafened: list[int] = []
        if stop.enter_type:
            stop.enter_type(node)
        for rule, enter in stop.enters:
            if not deaf[rule] and (result := enter(node, key, parent, (), ancestors)) is not None:
                deaf[rule] = True
                if result not in _STOPS:
                    deafened.append(rule)
        if stop.keys:
            self._descend(stop.keys, node, parent)
        for rule, leave in stop.leaves:
            if not deaf[rule]:
                deaf[rule] = leave(node, key, parent, (), ancestors) in _STOPS
        for rule in deafened:
            deaf[rule] = False
        if stop.leave_type:
            stop.leave_type()

    def _descend(self, keys: tuple[str, ...], node: Node, parent: Any) -> None:
        ancestors = self._ancestors
        if parent:
            ancestors.append(parent)
        for key in keys:
            child: tuple[Node, ...] | Node | None = getattr(node, key)
            if isinstance(child, tuple):
                ancestors.append(node)
                for number, each in enumerate(child):
                    self.visit(each, number, child)
                ancestors.pop()
            elif child is not None:
                self.visit(child, key, node)
        if parent:
            ancestors.pop()

    def _stop(self, kind: str) -> _Stop:
        stop = self._stops[kind] = _Stop(
            getattr(self._types, f"enter_{kind}", None),
            getattr(self._types, f"leave_{kind}", None),
            self._methods("enter", kind),
            self._methods("leave", kind),
            self._keys.get(kind, ()),
        )
        return stop

    def _methods(self, what: str, kind: str) -> _Methods:
        named = _listening(self._classes, f"{what}_{kind}", what)
        return tuple((number, getattr(self._rules[number], name)) for number, name in named)


@cache
def _listening(rules: Rules, name: str, otherwise: str) -> tuple[tuple[int, str], ...]:
    """The rules that have a method of that name, or else of the other, by number, each with the name that it has."""
    found = (
        (number, next((each for each in (name, otherwise) if hasattr(rule, each)), ""))
        for number, rule in enumerate(rules)
    )
    return tuple((number, each) for number, each in found if each)
