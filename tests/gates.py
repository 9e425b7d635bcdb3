"""What the schema withholds and every way that leads there, read off the SDL: what comes to be gated is found too."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from graphql import (
    EnumValueNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
)

from schema import sdl

SCHEMA = build_schema(sdl())
LEADS_NOWHERE = frozenset({"viewer", "service"})
ROOTS = ("Query", "Subscription")


@dataclass(frozen=True)
class Gate:
    """A field, or a field of an input type, that needs a feature."""

    type: str
    field: str
    feature: str

    def __str__(self) -> str:
        return f"{self.type}.{self.field}"


@dataclass(frozen=True)
class Step:
    """A field of a type, and the type of the objects that are looked at there."""

    type: str
    field: str
    to: str


Way = tuple[Step, ...]


def gated_fields() -> list[Gate]:
    """All fields of objects that are withheld."""
    return [
        Gate(type_.name, name, feature)
        for type_ in _object_types()
        for name, definition in type_.fields.items()
        if (feature := _feature(definition))
    ]


def gated_inputs() -> list[Gate]:
    """All fields of input types that are withheld."""
    inputs = (type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLInputObjectType))
    return [
        Gate(type_.name, name, feature)
        for type_ in inputs
        for name, definition in type_.fields.items()
        if (feature := _feature(definition))
    ]


def gated_arguments() -> list[Gate]:
    """All arguments that are withheld themselves."""
    return [
        Gate(f"{type_.name}.{name}", argument, feature)
        for type_ in _object_types()
        for name, definition in type_.fields.items()
        for argument, given in definition.args.items()
        if (feature := _feature(given))
    ]


def takers(input_type: str) -> list[tuple[Step, tuple[str, ...]]]:
    """Fields that take the input type: each with the path to it, the argument first, however deep it lies."""
    found: list[tuple[Step, tuple[str, ...]]] = []
    for type_ in _object_types():
        for name, definition in type_.fields.items():
            for argument, given in definition.args.items():
                paths = _inside(given, input_type, (argument,))
                found += [(Step(type_.name, name, _targets(definition)[0]), path) for path in paths]
    return found


def _inside(
    given: GraphQLArgument | GraphQLInputField, wanted: str, path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    kind = get_named_type(given.type)
    if not isinstance(kind, GraphQLInputObjectType):
        return
    if kind.name == wanted:
        yield path
    for name, definition in kind.fields.items():
        yield from _inside(definition, wanted, (*path, name))


@cache
def ways_to(target: str) -> tuple[Way, ...]:
    """A shortest way to objects of a type from each root, and one that comes by each field that leads to them."""
    steps = [step for type_ in _object_types() for step in steps_of(type_)]
    ways: dict[Way, None] = {}
    for step in steps:
        if step.type in ROOTS and (way := _shortest([(step,)], target)):
            ways[way] = None
        if step.to == target and step.type not in ROOTS:
            openings = [(first,) for first in steps if first.type == "Query"]
            if opening := _shortest(openings, step.type):
                ways[(*opening, step)] = None
    return tuple(ways)


def steps_of(type_: GraphQLObjectType) -> list[Step]:
    """Where the fields of a type lead."""
    return [
        Step(type_.name, name, target)
        for name, definition in type_.fields.items()
        if name not in LEADS_NOWHERE and not _feature(definition) and is_composite_type(get_named_type(definition.type))
        for target in _targets(definition)
    ]


def written(way: Way, inside: str, arguments: Mapping[Step, str], given: Mapping[str, str]) -> str:
    """The selections that lead along the way to `inside`; `arguments` are of some steps, `given` what any must have."""
    for step in reversed(way):
        definition = _definition(step)
        own = arguments.get(step, "")
        parts = [own] if own else []
        for name, argument in definition.args.items():
            if is_required_argument(argument) and not own.startswith(f"{name}:"):
                parts.append(f"{name}: {given.get(f'{name}:{step.to}') or given[get_named_type(argument.type).name]}")
        if is_abstract_type(get_named_type(definition.type)):
            inside = f"... on {step.to} {{ {inside} }}"
        shown = f"({', '.join(parts)})" if parts else ""
        inside = f"{step.field}{shown} {{ {inside} }}"
    return f"{'subscription' if way[0].type == 'Subscription' else ''} {{ {inside} }}"


def everything(type_name: str) -> str:
    """Selects all that objects of a type, or of the members of a union, hold without arguments."""
    kind = SCHEMA.get_type(type_name)
    if is_abstract_type(kind):
        members = SCHEMA.get_possible_types(kind)
        return " ".join(("__typename", *(f"... on {each.name} {{ {everything(each.name)} }}" for each in members)))
    assert isinstance(kind, GraphQLObjectType)
    parts = ["__typename"]
    for name, definition in kind.fields.items():
        under = get_named_type(definition.type)
        parts.append(f"{name} {{ {everything(under.name)} }}" if is_composite_type(under) else name)
    return " ".join(parts)


def names_of_possible_types(abstract: str) -> list[str]:
    """The types of an interface's or a union's objects."""
    kind = SCHEMA.get_type(abstract)
    assert is_abstract_type(kind)
    return [each.name for each in SCHEMA.get_possible_types(kind)]


def type_of(gate: Gate) -> str:
    """The type of what is withheld."""
    kind = SCHEMA.get_type(gate.type)
    assert isinstance(kind, GraphQLObjectType | GraphQLInputObjectType)
    return get_named_type(kind.fields[gate.field].type).name


def _shortest(openings: Iterable[Way], target: str) -> Way | None:
    ways = list(openings)
    seen = {way[-1].to for way in ways}
    for way in ways:
        if way[-1].to == target:
            return way
        kind = SCHEMA.get_type(way[-1].to)
        if isinstance(kind, GraphQLObjectType):
            for step in steps_of(kind):
                if step.to == target or step.to not in seen:
                    seen.add(step.to)
                    ways.append((*way, step))
    return None


def _object_types() -> list[GraphQLObjectType]:
    return [type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLObjectType)]


def _definition(step: Step) -> GraphQLField:
    kind = SCHEMA.get_type(step.type)
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields[step.field]


def _targets(definition: GraphQLField) -> list[str]:
    kind = get_named_type(definition.type)
    if is_abstract_type(kind):
        return [each.name for each in SCHEMA.get_possible_types(kind)]
    return [kind.name]


def _feature(definition: GraphQLField | GraphQLArgument | GraphQLInputField) -> str | None:
    for directive in (definition.ast_node and definition.ast_node.directives) or ():
        if directive.name.value == "requiresFeature":
            assert directive.arguments
            value = directive.arguments[0].value
            assert isinstance(value, EnumValueNode)
            return value.value
    return None
