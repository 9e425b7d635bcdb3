"""The shape of a document, measured before validation: how deep and how wide it is once its fragments are expanded.

Each fragment is measured once, whatever the number of its spreads, so a document costs what its text costs.
"""

from __future__ import annotations

from dataclasses import dataclass

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

INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest documents and pages that are answered."""

    max_tokens: int = 1_000
    max_depth: int = 12
    max_introspection_depth: int = 16
    max_introspection_fields: int = 2_000
    max_aliases: int = 30
    max_root_fields: int = 10
    max_fields: int = 5_000
    max_repeats: int = 60
    max_page_size: int = 100
    introspection: bool = True


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
    """Refuses a document that is larger than the limits allow, naming the limit and the document's own measure."""
    measure = _Measure(document)
    total = Shape()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            total.take(measure.of(definition.selection_set))
        elif isinstance(definition, FragmentDefinitionNode):
            measure.fragment(definition.name.value)
    for what, value, most in (
        ("depth", total.depth, limits.max_depth),
        ("introspection depth", total.introspection_depth, limits.max_introspection_depth),
        ("introspected fields", total.introspection_fields, limits.max_introspection_fields),
        ("aliases", total.aliases, limits.max_aliases),
        ("root fields", total.roots, limits.max_root_fields),
        ("fields", total.fields, limits.max_fields),
        ("fields under one response key", measure.repeats, limits.max_repeats),
    ):
        if value > most:
            shown = f"{value:,}" if value < 10**9 else "over a billion"
            raise ValidationFailed(
                [ValidationFinding(f"The document has too large a {what}: {shown}, at most {most:,}.")]
            )


class _Measure:
    def __init__(self, document: DocumentNode) -> None:
        self._definitions = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._measured: dict[str, Shape] = {}
        self.repeats = 0

    def fragment(self, name: str) -> Shape:
        """The shape of a fragment; of one that is unknown or spreads itself nothing, for validation tells of those."""
        if name not in self._measured:
            self._measured[name] = Shape()
            definition = self._definitions.get(name)
            if definition is not None:
                self._measured[name] = self.of(definition.selection_set)
        return self._measured[name]

    def of(self, selections: SelectionSetNode) -> Shape:
        shape = Shape()
        keys: dict[str, int] = {}
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                shape.take(self._field(selection))
                key = (selection.alias or selection.name).value
                keys[key] = keys.get(key, 0) + 1
            elif isinstance(selection, InlineFragmentNode):
                shape.take(self.of(selection.selection_set))
            elif isinstance(selection, FragmentSpreadNode):
                shape.take(self.fragment(selection.name.value))
        self.repeats = max([self.repeats, *keys.values()])
        return shape

    def _field(self, field: FieldNode) -> Shape:
        under = self.of(field.selection_set) if field.selection_set else Shape()
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
