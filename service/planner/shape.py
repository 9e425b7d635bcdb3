"""The shape of a document, measured before validation: how deep and how wide it is once its fragments are expanded.

Each fragment is measured once, whatever the number of its spreads, so a document costs what its text costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from service.errors import ValidationFailed, ValidationFinding
from service.planner.windows import WindowLimits

INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest documents and windows that are answered."""

    max_tokens: int = 1_000
    max_depth: int = 12
    max_introspection_depth: int = 16
    max_introspection_fields: int = 2_000
    max_aliases: int = 30
    max_root_fields: int = 10
    max_fields: int = 5_000
    max_merges: int = 3_000
    introspection: bool = True
    windows: WindowLimits = field(default_factory=WindowLimits)


@dataclass(slots=True)
class Shape:
    """Sums of a selection set with its fragments expanded; depth is that of its deepest leaf."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    roots: int = 0
    introspection_depth: int = 0
    introspection_fields: int = 0

    def take(self, other: Shape) -> None:
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.roots += other.roots
        self.introspection_fields += other.introspection_fields


def check(document: DocumentNode, limits: Limits) -> None:
    """Refuses a document that is larger than the limits allow, naming the limit and the document's own measure.

    Fragments that are unknown or spread themselves are refused too, for nothing else can be said of such a document.
    """
    fragments = _Fragments(document)
    operations = [d.selection_set for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    total = Shape()
    for selections in operations:
        total.take(fragments.measure(selections))
    for name in fragments.definitions:
        fragments.shape(name)
    for what, value, most in (
        ("depth", total.depth, limits.max_depth),
        ("introspection depth", total.introspection_depth, limits.max_introspection_depth),
        ("introspected fields", total.introspection_fields, limits.max_introspection_fields),
        ("aliases", total.aliases, limits.max_aliases),
        ("root fields", total.roots, limits.max_root_fields),
        ("fields", total.fields, limits.max_fields),
    ):
        _check(what, value, most)
    # Only now that the fields are few can they be walked one by one.
    merges = sum(fragments.merges([selections]) for selections in operations)
    _check("pairs of fields under one response key", merges, limits.max_merges)


def _check(what: str, value: int, most: int) -> None:
    if value > most:
        shown = f"{value:,}" if value < 10**9 else "over a billion"
        raise _refusal(f"The document is over the limit of {what}: {shown}, at most {most:,}.")


def _refusal(message: str, node: FragmentSpreadNode | None = None) -> ValidationFailed:
    token = node.loc.start_token if node and node.loc else None
    return ValidationFailed([ValidationFinding(message, locations=[(token.line, token.column)] if token else [])])


@dataclass(slots=True)
class _Group:
    """The fields of a selection set that share a response key."""

    size: int = 0
    under: list[SelectionSetNode] = field(default_factory=list[SelectionSetNode])


class _Fragments:
    """A document's fragments, each measured once."""

    def __init__(self, document: DocumentNode) -> None:
        self.definitions = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._shapes: dict[str, Shape | None] = {}

    def shape(self, name: str, spread: FragmentSpreadNode | None = None) -> Shape:
        """The shape of a fragment. Refuses one that is not there, and one that is being measured already."""
        if name not in self._shapes:
            if name not in self.definitions:
                raise _refusal(f"Unknown fragment '{name}'.", spread)
            self._shapes[name] = None
            self._shapes[name] = self.measure(self.definitions[name].selection_set)
        measured = self._shapes[name]
        if measured is None:
            raise _refusal(f"Cannot spread fragment '{name}' within itself.", spread)
        return measured

    def measure(self, selections: SelectionSetNode) -> Shape:
        """The shape of a selection set."""
        shape = Shape()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                shape.take(self._field(selection))
            elif isinstance(selection, InlineFragmentNode):
                shape.take(self.measure(selection.selection_set))
            elif isinstance(selection, FragmentSpreadNode):
                shape.take(self.shape(selection.name.value, selection))
        return shape

    def _field(self, field: FieldNode) -> Shape:
        under = self.measure(field.selection_set) if field.selection_set else Shape()
        aliases = under.aliases + (1 if field.alias else 0)
        if field.name.value in INTROSPECTION:
            return Shape(
                aliases=aliases,
                roots=1,
                introspection_depth=1 + max(under.depth, under.introspection_depth),
                introspection_fields=1 + under.fields + under.introspection_fields,
            )
        return Shape(
            1 + under.depth, 1 + under.fields, aliases, 1, under.introspection_depth, under.introspection_fields
        )

    def merges(self, selection_sets: Iterable[SelectionSetNode]) -> int:
        """How many pairs of fields are to be merged: validation compares each pair, and all that is under it."""
        groups: dict[str, _Group] = {}
        seen: set[str] = set()
        for selections in selection_sets:
            self._group(selections, groups, seen)
        pairs = sum(group.size * (group.size - 1) // 2 for group in groups.values())
        return pairs + sum(self.merges(group.under) for group in groups.values() if group.under)

    def _group(self, selections: SelectionSetNode, groups: dict[str, _Group], seen: set[str]) -> None:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                group = groups.setdefault((selection.alias or selection.name).value, _Group())
                group.size += 1
                if selection.selection_set:
                    group.under.append(selection.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                self._group(selection.selection_set, groups, seen)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                self._group(self.definitions[selection.name.value].selection_set, groups, seen)
