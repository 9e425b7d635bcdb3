"""Which parameters a document has: each variable, described by the arguments and input fields that it is given to."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)
from graphql.utilities import value_from_ast_untyped

from service.documents import Registered
from service.planner import Operation
from service.rest.parameters import Parameter

SIZES = ("first", "last")


@dataclass(slots=True)
class Use:
    """What is known of a variable by the first place that it is given to."""

    argument: str = ""
    description: str = ""
    feature: str | None = None
    paged: bool = False


def parameters_of(document: Registered, schema: GraphQLSchema) -> list[Parameter]:
    """The parameters of a document that has a route, those of its path first."""
    operation = document.document.operation(document.name)
    in_path = document.route.parameters if document.route else []
    uses = _uses(operation, schema)
    defaults = {
        node.variable.name.value: value_from_ast_untyped(node.default_value)
        for node in operation.definition.variable_definitions or ()
        if node.default_value
    }
    found: list[Parameter] = []
    for name, type_ in operation.variable_types.types:
        use = uses.get(name, Use())
        found.append(
            Parameter(
                name,
                type_,
                in_path=name in in_path,
                default=defaults.get(name),
                argument=use.argument,
                description=use.description,
                feature=use.feature,
                paged=use.paged,
            )
        )
    return sorted(found, key=lambda each: not each.in_path)


def _uses(operation: Operation, schema: GraphQLSchema) -> dict[str, Use]:
    types = TypeInfo(schema)
    looking = _Looking(types)
    whole = DocumentNode(definitions=(operation.definition, *operation.fragments.values()))
    visit(whole, TypeInfoVisitor(types, looking))
    return looking.uses


@dataclass
class _Looking(Visitor):
    """Notes where variables are used."""

    types: TypeInfo
    uses: dict[str, Use] = field(default_factory=dict[str, Use])

    def __post_init__(self) -> None:
        super().__init__()

    def enter_variable(self, node: VariableNode, _key: Any, parent: Node, _path: Any, ancestors: list[Any]) -> None:
        above = [*ancestors, parent]
        if isinstance(parent, VariableDefinitionNode):
            return
        argument = self.types.get_argument()
        assert argument is not None
        if any(isinstance(each, DirectiveNode) for each in above):
            use = self._of_inclusion([each for each in above if isinstance(each, FieldNode)][-1])
        else:
            names = [each.name.value for each in above if isinstance(each, ObjectFieldNode)]
            use = self._of_input(list(_chain(argument, names)), names)
        self.uses.setdefault(node.name.value, use)

    def _of_inclusion(self, node: FieldNode) -> Use:
        """What decides whether a field is there is described by the field."""
        key, definition = (node.alias or node.name).value, self.types.get_field_def()
        return Use("", f"Whether the answer has `{key}`: {definition.description if definition else ''}")

    def _of_input(self, chain: list[GraphQLArgument | GraphQLInputField], names: list[str]) -> Use:
        told = chain[1:] or chain  # an argument that is an object is told of by its fields
        feature = next(filter(None, map(_feature, chain)), None)
        definition = self.types.get_field_def()
        assert definition is not None
        [argument] = [name for name, each in definition.args.items() if each is chain[0]]
        return Use(
            ".".join([argument, *names]),
            " ".join(each.description for each in told if each.description),
            feature,
            paged=argument in SIZES and "after" in definition.args,
        )


def _chain(argument: GraphQLArgument, names: Iterable[str]) -> Iterable[GraphQLArgument | GraphQLInputField]:
    """An argument, and the fields within its objects that lead to a value."""
    found: GraphQLArgument | GraphQLInputField = argument
    yield found
    for name in names:
        type_ = get_named_type(found.type)
        assert isinstance(type_, GraphQLInputObjectType)
        found = type_.fields[name]
        yield found


def _feature(definition: GraphQLArgument | GraphQLInputField) -> str | None:
    """The feature that a caller needs to give it."""
    declared = definition.extensions.get("strawberry-definition")
    features = (getattr(each, "feature", None) for each in (declared.directives if declared else ()))
    return next((each.name for each in features if each is not None), None)
