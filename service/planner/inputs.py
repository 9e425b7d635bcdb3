"""Arguments as the planner sees them: known now, or known with each call's variables.

What a plan's text depends on is observed through a `Trace`, which remembers what it was asked, so that a call with
other variables can tell whether the plan is its own. Everything else is read when a call is made.
"""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_value,
    get_nullable_type,
    is_non_null_type,
    type_from_ast,
    value_from_ast,
)

from service.errors import BadUserInput
from service.planner.sql import Values

ABSENT: Final = Undefined
MOST_ITEMS = 5_000
"""Values that a variable may list: each is looked at by itself, in less than a microsecond."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the document, or an argument's default."""

    value: Any

    def read(self, variables: Values) -> Any:  # noqa: ARG002 - an input is read with variables, whether it has any or not
        return self.value

    def member(self, name: str) -> Input:
        value = cast("Mapping[str, Any]", self.value).get(name, ABSENT) if isinstance(self.value, Mapping) else ABSENT
        return Constant(value)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, or what lies within it."""

    path: tuple[str, ...]

    def read(self, variables: Values) -> Any:
        value: Any = variables
        for name in self.path:
            value = value.get(name, ABSENT) if isinstance(value, Mapping) else ABSENT
        return cast("Any", value)

    def member(self, name: str) -> Input:
        return Variable((*self.path, name))


@dataclass(frozen=True, slots=True)
class Composite:
    """An object written in the document with variables inside."""

    members: Mapping[str, Input]

    def read(self, variables: Values) -> Any:
        values = {name: member.read(variables) for name, member in self.members.items()}
        return {name: value for name, value in values.items() if value is not ABSENT}

    def member(self, name: str) -> Input:
        return self.members.get(name, Constant(ABSENT))


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list written in the document with variables inside."""

    items: tuple[Input, ...]

    def read(self, variables: Values) -> Any:
        return [item.read(variables) for item in self.items]

    def member(self, name: str) -> Input:
        raise TypeError(f"a list has no member '{name}'")


Input = Constant | Variable | Composite | Sequence


def input_of(node: ValueNode | None, type_: GraphQLInputType, default: Any = ABSENT) -> Input:
    """The input that a value of the document stands for; `default` where there is none."""
    if node is None:
        return Constant(default)
    if isinstance(node, VariableNode):
        return Variable((node.name.value,)) if default is ABSENT else WithDefault((node.name.value,), default)
    if not _has_variables(node):
        return Constant(value_from_ast(node, type_))
    nullable = get_nullable_type(type_)
    if isinstance(nullable, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else (node,)
        return Sequence(tuple(input_of(item, nullable.of_type) for item in items))
    assert isinstance(node, ObjectValueNode)
    assert isinstance(nullable, GraphQLInputObjectType)
    fields = nullable.fields
    return Composite({f.name.value: input_of(f.value, fields[f.name.value].type) for f in node.fields})


@dataclass(frozen=True, slots=True)
class WithDefault(Variable):
    """A variable for an argument that has a default: not given is the default, null is null."""

    default: Any = ABSENT

    def read(self, variables: Values) -> Any:
        value = Variable.read(self, variables)
        return self.default if value is ABSENT else value


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(_has_variables(item) for item in node.values)
    if isinstance(node, ObjectValueNode):
        return any(_has_variables(f.value) for f in node.fields)
    return False


@dataclass(frozen=True, slots=True)
class VariableTypes:
    """The variables of an operation that is valid, with their types."""

    types: tuple[tuple[str, GraphQLInputType], ...]

    @classmethod
    def of(cls, definition: OperationDefinitionNode, schema: GraphQLSchema) -> Self:
        found = ((v.variable.name.value, type_from_ast(schema, v.type)) for v in definition.variable_definitions or ())
        return cls(tuple((name, cast("GraphQLInputType", kind)) for name, kind in found))

    def coerced(self, variables: Values) -> Values | None:
        """The values where every variable is given and valid, as most often; else None, for graphql-core to say why.

        graphql-core comes to the same, but looks the types up for each call, which takes longer than all else here.
        Raises BadUserInput for a list that is longer than any field takes, before each of its values is looked at.
        """
        for name, _ in self.types:
            _refuse_long(name, variables.get(name))
        coerced: dict[str, Any] = {}
        try:
            for name, kind in self.types:
                value = coerced[name] = coerce_input_value(variables.get(name, ABSENT), kind)
                if value is ABSENT or name not in variables:
                    return None
        except RecursionError:
            return None
        return coerced


def _refuse_long(name: str, value: Any) -> None:
    if isinstance(value, list) and (length := len(cast("list[Any]", value))) > MOST_ITEMS:
        raise BadUserInput(f"The variable '${name}' lists {length:,} values, where {MOST_ITEMS:,} are the most.")


Observation = Callable[[Any], Hashable]
Probe = tuple[Variable, Observation]


def is_given(value: Any) -> bool:
    """Null is as not given."""
    return value is not ABSENT and value is not None


def asks(value: Any) -> bool:
    """Whether a value asks for something: null does not, nor does an object of which nothing does."""
    if isinstance(value, Mapping):
        return any(asks(member) for member in cast("Mapping[str, Any]", value).values())
    return is_given(value)


def as_it_is(value: Any) -> Hashable:
    """The value itself, for the few kinds that stand in a statement's text."""
    return tuple(cast("list[Hashable]", value)) if isinstance(value, list) else value


@dataclass(slots=True)
class Trace:
    """One call's variables, and what a plan's text came to depend on of them."""

    variables: Values
    probes: dict[Probe, None] = field(default_factory=dict[Probe, None])

    def observe(self, source: Input, observation: Observation) -> Any:
        """What the observation says of the input; remembered where other variables could have it say something else."""
        if isinstance(source, Sequence):
            for item in source.items:
                self.observe(item, observation)
        elif isinstance(source, Composite):
            for member in source.members.values():
                self.observe(member, observation)
        elif isinstance(source, Variable):
            self.probes[source, observation] = None
        return observation(source.read(self.variables))

    def given(self, source: Input) -> bool:
        return bool(self.observe(source, is_given))

    def asks(self, source: Input) -> bool:
        return bool(self.observe(source, asks))

    def literal(self, source: Input) -> Any:
        return self.observe(source, as_it_is)


class Arguments:
    """The arguments of one field of an operation."""

    def __init__(
        self, definitions: Mapping[str, GraphQLArgument], nodes: Mapping[str, ValueNode], trace: Trace
    ) -> None:
        self._definitions = definitions
        self._inputs = {
            name: input_of(nodes.get(name), definition.type, definition.default_value)
            for name, definition in definitions.items()
        }
        self._trace = trace

    def __getitem__(self, name: str) -> Input:
        """The argument; one that the field does not have is absent."""
        return self._inputs.get(name, Constant(ABSENT))

    def at(self, path: tuple[str, ...]) -> Input:
        """The argument, or what lies within it."""
        found = self[path[0]]
        for name in path[1:]:
            found = found.member(name)
        return found

    def given(self, name: str) -> bool:
        return self._trace.given(self[name])

    def literal(self, name: str) -> Any:
        """A value that stands in the statement's text. One that must not be null, but is, is the caller's error."""
        value = self._trace.literal(self[name])
        if value is None and is_non_null_type(self._definitions[name].type):
            raise BadUserInput(f"The argument '{name}' must not be null.")
        return value
