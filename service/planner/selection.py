"""What is selected of an object: the specification's CollectFields, for a type that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
    is_abstract_type,
)

from service.planner.inputs import Arguments, Trace

Fields = dict[str, list[FieldNode]]


class Collector:
    """Merges the selections of one operation."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], trace: Trace) -> None:
        self._schema = schema
        self._fragments = fragments
        self._trace = trace

    def fields(self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]) -> Fields:
        """The fields of an object of the type by response key, in order, each with all the nodes that ask for it."""
        fields: Fields = {}
        seen: set[str] = set()
        for selection_set in selection_sets:
            self._collect(type_, selection_set, fields, seen)
        return fields

    def under(self, type_: GraphQLObjectType, nodes: Iterable[FieldNode]) -> Fields:
        """The same for what merged nodes select of an object of the type."""
        return self.fields(type_, (node.selection_set for node in nodes if node.selection_set))

    def _collect(self, type_: GraphQLObjectType, selections: SelectionSetNode, fields: Fields, seen: set[str]) -> None:
        for selection in selections.selections:
            if not self._included(selection.directives):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                fields.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, type_):
                    self._collect(type_, selection.selection_set, fields, seen)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = self._fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, type_):
                    self._collect(type_, fragment.selection_set, fields, seen)

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        conditional = self._schema.get_type(condition)
        return is_abstract_type(conditional) and self._schema.is_sub_type(_abstract(conditional), type_)

    def _included(self, directives: Iterable[DirectiveNode] | None) -> bool:
        for directive in directives or ():
            for definition, wanted in ((GraphQLSkipDirective, False), (GraphQLIncludeDirective, True)):
                if directive.name.value == definition.name:
                    nodes = {argument.name.value: argument.value for argument in directive.arguments or ()}
                    if bool(Arguments(definition.args, nodes, self._trace).literal("if")) is not wanted:
                        return False
        return True


def _abstract(type_: object) -> GraphQLAbstractType:
    assert is_abstract_type(type_)
    return type_
