"""What an operation costs by the text of the SDL alone: fragments expanded, selections merged, one object at a time."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_abstract_type,
    parse,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values, get_variable_values

FREE_ROOTS = {"viewer", "service", "__typename"}
INTROSPECTION = 100


def reference_cost(sdl: str, text: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> int:
    """The cost of the operation of that name, or of the only one."""
    return Costs(build_schema(sdl)).operation(text, variables or {}, name)


@dataclass
class Asked:
    """One operation: what its spreads and variables stand for."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues


class Costs:
    """The costs that the directives of one schema make."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def operation(self, text: str, variables: Mapping[str, Any], name: str | None = None) -> int:
        """The cost of the operation of that name, or of the only one."""
        definitions = parse(text).definitions
        operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
        [operation] = [d for d in operations if name is None or (d.name and d.name.value == name)]
        fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
        given = get_variable_values(self._schema, operation.variable_definitions or (), dict(variables))
        assert not isinstance(given, list), given
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        asked = Asked(fragments, given)
        fields = self._collected(asked, root, [operation.selection_set])
        if fields and {nodes[0].name.value for nodes in fields.values()} <= FREE_ROOTS:
            return 0
        return max(1, sum(self._field(asked, root, nodes, None) for nodes in fields.values()))

    def _field(self, asked: Asked, parent: GraphQLObjectType, nodes: list[FieldNode], length: int | None) -> int:
        """The cost of a field, which has `length` objects if its parent says how many."""
        name = nodes[0].name.value
        if name.startswith("__"):
            return INTROSPECTION if name != "__typename" else 0
        field = parent.fields[name]
        arguments = get_argument_values(field, nodes[0], asked.variables)
        own = _weight(field) or 0
        own += sum(_given_weights(field.args, arguments))
        size, sized = _list_size(field, arguments)
        if length is None:
            length = 1 if sized else size
        return own + length * self._object(asked, field, nodes, dict.fromkeys(sized, size))

    def _object(self, asked: Asked, field: GraphQLField, nodes: list[FieldNode], sized: Mapping[str, int]) -> int:
        kind = get_named_type(field.type)
        if is_abstract_type(kind):
            kinds = list(self._schema.get_possible_types(kind))
        else:
            kinds = [kind] if isinstance(kind, GraphQLObjectType) else []
        costs = [0]
        for each in kinds:
            sets = [node.selection_set for node in nodes if node.selection_set]
            fields = self._collected(asked, each, sets).values()
            weight = _weight(each)
            selected = sum(self._field(asked, each, merged, sized.get(merged[0].name.value)) for merged in fields)
            costs.append((1 if weight is None else weight) + selected)
        return max(costs)

    def _collected(
        self, asked: Asked, kind: GraphQLObjectType, sets: list[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        fields: dict[str, list[FieldNode]] = {}
        for selections in sets:
            for node in self._expanded(asked, kind, selections):
                fields.setdefault((node.alias or node.name).value, []).append(node)
        return fields

    def _expanded(self, asked: Asked, kind: GraphQLObjectType, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for selection in selections.selections:
            skip = get_directive_values(GraphQLSkipDirective, selection, asked.variables)
            include = get_directive_values(GraphQLIncludeDirective, selection, asked.variables)
            if (skip and skip["if"]) or (include and not include["if"]):
                continue
            if isinstance(selection, FieldNode):
                yield selection
                continue
            spread = isinstance(selection, FragmentSpreadNode)
            inner = asked.fragments[selection.name.value] if spread else selection
            assert isinstance(inner, InlineFragmentNode | FragmentDefinitionNode)
            if self._applies(inner, kind):
                yield from self._expanded(asked, kind, inner.selection_set)

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, kind: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        on = self._schema.type_map[fragment.type_condition.name.value]
        return on is kind or (is_abstract_type(on) and self._schema.is_sub_type(on, kind))


def _said(element: Any, directive: str) -> dict[str, Any] | None:
    """The arguments of a directive where an element of the SDL has it."""
    for node in element.ast_node.directives or ():
        if node.name.value == directive:
            return {argument.name.value: value_from_ast_untyped(argument.value) for argument in node.arguments or ()}
    return None


def _weight(element: Any) -> int | None:
    said = _said(element, "cost")
    return None if said is None else int(said["weight"])


def _given_weights(definitions: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[int]:
    for name, definition in definitions.items():
        value: Any = values.get(name)
        if not _asks(value):
            continue
        yield _weight(definition) or 0
        kind = get_named_type(definition.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from _given_weights(kind.fields, value)


def _asks(value: Any) -> bool:
    """Null asks for nothing, and so does an object that holds nothing else."""
    return any(map(_asks, cast("dict[str, Any]", value).values())) if isinstance(value, dict) else value is not None


def _list_size(field: GraphQLField, arguments: Mapping[str, Any]) -> tuple[int, list[str]]:
    """How long a field's list is, and which fields of its object are that long in its stead."""
    said = _said(field, "listSize") or {}
    length: int = said.get("assumedSize", 1)
    for name in said.get("slicingArguments", ()):
        value = arguments.get(name)
        if value is not None:
            length = len(value) if isinstance(value, list) else max(0, value)
    return length, said.get("sizedFields", [])
