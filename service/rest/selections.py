"""What a document selects, whatever its variables are: read once, at the start."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_nullable_type,
    is_abstract_type,
)

from service.planner import Operation


@dataclass(slots=True)
class Selected:
    """The nodes that ask for one response key; `always` unless variables decide whether it is there."""

    nodes: list[FieldNode] = field(default_factory=list[FieldNode])
    always: bool = False

    @property
    def name(self) -> str:
        """The field's own name."""
        return self.nodes[0].name.value

    @property
    def sets(self) -> list[SelectionSetNode]:
        """What is selected under it."""
        return [node.selection_set for node in self.nodes if node.selection_set]


class Selecting:
    """Reads the selections of one operation."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments

    def fields(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> dict[str, Selected]:
        """The fields of an object of the type by response key."""
        found: dict[str, Selected] = {}
        for node, always in self._nodes(type_, (each for one in sets for each in one.selections), always=True):
            selected = found.setdefault((node.alias or node.name).value, Selected())
            selected.nodes.append(node)
            selected.always |= always
        return found

    def sole_fragment(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> str | None:
        """The one fragment, of this very type, that is all that is selected of an object."""
        applying = [
            each
            for one in sets
            for each in one.selections
            if isinstance(each, FieldNode) or self._applies(self._condition(each), type_)
        ]
        if len(applying) != 1 or not isinstance(only := applying[0], FragmentSpreadNode) or only.directives:
            return None
        return only.name.value if self._condition(only) == type_.name else None

    def _nodes(
        self, type_: GraphQLObjectType, selections: Iterable[SelectionNode], *, always: bool
    ) -> Iterator[tuple[FieldNode, bool]]:
        for each in selections:
            held = always and not each.directives
            if isinstance(each, FieldNode):
                yield each, held
            elif self._applies(self._condition(each), type_):
                under = self.fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
                assert isinstance(under, InlineFragmentNode | FragmentDefinitionNode)
                yield from self._nodes(type_, under.selection_set.selections, always=held)

    def _condition(self, selection: SelectionNode) -> str | None:
        """The name of the type that a fragment is for; none where it is for any."""
        if isinstance(selection, FragmentSpreadNode):
            return self.fragments[selection.name.value].type_condition.name.value
        assert isinstance(selection, InlineFragmentNode)
        return selection.type_condition.name.value if selection.type_condition else None

    def _applies(self, condition: str | None, type_: GraphQLObjectType) -> bool:
        if condition in (None, type_.name):
            return True
        named = self.schema.get_type(condition or "")
        return is_abstract_type(named) and self.schema.is_sub_type(named, type_)


class Paging(NamedTuple):
    """How to go on: the parameter that takes a cursor, and where answers tell the next, and whether there is more."""

    parameter: str
    cursor: tuple[str, ...]
    more: tuple[str, ...]


class Answered(NamedTuple):
    """What of a document's `data` is answered: the object at `path`, which may not be there where it is `nullable`."""

    path: tuple[str, ...]
    type: GraphQLObjectType
    sets: list[SelectionSetNode]
    nullable: bool
    paging: Paging | None


def answered(selecting: Selecting, operation: Operation) -> Answered:
    """The innermost object that holds all that an operation selects: what only wraps one other is left out."""
    root = selecting.schema.query_type
    assert root is not None
    type_, sets, nullable = root, [operation.definition.selection_set], False
    path: tuple[str, ...] = ()
    field_: Selected | None = None
    while True:
        fields = selecting.fields(type_, sets)
        [(key, only), *others] = fields.items()
        definition = type_.fields.get(only.name)
        kind = get_nullable_type(definition.type) if definition else None
        if others or not only.always or definition is None or not isinstance(kind, GraphQLObjectType):
            return Answered(path, type_, sets, nullable, _paging(selecting, field_, type_, fields))
        nullable |= kind is definition.type
        type_, sets, path, field_ = kind, only.sets, (*path, key), only


def _paging(
    selecting: Selecting, field_: Selected | None, type_: GraphQLObjectType, fields: Mapping[str, Selected]
) -> Paging | None:
    """How a page goes on whose field takes a cursor by a variable."""
    arguments = {each.name.value: each.value for each in field_.nodes[0].arguments or ()} if field_ else {}
    after = arguments.get("after")
    if not isinstance(after, VariableNode):
        return None
    keys = {selected.name: (key,) for key, selected in fields.items()}
    for key, selected in fields.items():
        if selected.name == "pageInfo":
            page_info = get_nullable_type(type_.fields["pageInfo"].type)
            assert isinstance(page_info, GraphQLObjectType)
            under = selecting.fields(page_info, selected.sets)
            keys |= {each.name: (key, inner) for inner, each in under.items()}
    more = keys.get("hasNextPage") or keys.get("hasMore")
    return Paging(after.name.value, keys["endCursor"], more) if more and "endCursor" in keys else None
