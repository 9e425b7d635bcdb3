"""What the schema's directives say of weights and sizes, laid out for the pass that counts an operation's cost.

Follows the GraphQL Cost Directives specification: https://ibm.github.io/graphql-specs/cost-spec.html
"""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_introspection_type,
    is_list_type,
)

from schema.directives import Cost, ListSize
from service.planner.shape import INTROSPECTION

Declared = GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLNamedType
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one field: its own weight and those of its arguments, by their paths; how many objects it has.

    Without an argument of `slicing` there are `assumed`; of the list `counted`, as many as that has items. Where fields
    of the object are `sized`, they have so many, and it is one. `types` are those that an object of the field can have,
    each with its weight; none of a leaf.
    """

    weight: int = 0
    arguments: tuple[tuple[tuple[str, ...], int], ...] = ()
    assumed: int = 1
    slicing: tuple[str, ...] = ()
    counted: str = ""
    sized: tuple[str, ...] = ()
    types: tuple[tuple[GraphQLObjectType, int], ...] = ()


FREE = Price()
OF_INTROSPECTION = Price(weight=1_000)
"""What is usually asked of the schema takes 0.1 s of the processor."""

Prices = Mapping[str, Mapping[str, Price]]
"""Of the fields of each type of objects, but for those that cost nothing."""


def of_schema(schema: GraphQLSchema) -> Prices:
    """The prices of all fields."""
    prices = {
        type_.name: {name: price for name, field in type_.fields.items() if (price := _price(schema, field)) != FREE}
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_)
    }
    assert schema.query_type is not None
    prices[schema.query_type.name] |= dict.fromkeys(INTROSPECTION, OF_INTROSPECTION)
    return prices


def _price(schema: GraphQLSchema, field: GraphQLField) -> Price:
    size = _directive(field, ListSize) or ListSize()
    slicing: list[str] = size.slicing_arguments or []
    counted = [name for name in slicing if is_list_type(get_nullable_type(field.args[name].type))]
    return Price(
        weight=_weight(field, 0),
        arguments=tuple(_weights(field.args)),
        assumed=size.assumed_size or 1,
        slicing=tuple(name for name in slicing if name not in counted),
        counted="".join(counted),
        sized=tuple(size.sized_fields or ()),
        types=tuple((type_, _weight(type_, 1)) for type_ in _objects(schema, get_named_type(field.type))),
    )


def _objects(schema: GraphQLSchema, type_: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
    """The types that an object can have; none where it is a leaf."""
    if is_abstract_type(type_):
        return tuple(schema.get_possible_types(type_))
    return (type_,) if isinstance(type_, GraphQLObjectType) else ()


def _weights(
    definitions: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Whatever weighs of arguments and what lies within them."""
    for name, definition in definitions.items():
        path = (*above, name)
        weight = _weight(definition, 0)
        if weight:
            yield path, weight
        type_ = get_named_type(definition.type)
        if isinstance(type_, GraphQLInputObjectType):
            yield from _weights(type_.fields, path)


def _weight(declared: Declared, otherwise: int) -> int:
    found = _directive(declared, Cost)
    return int(found.weight) if found else otherwise


def _directive(declared: Declared, kind: type[D]) -> D | None:
    definition = declared.extensions.get("strawberry-definition")
    directives: Any = getattr(definition, "directives", None) or ()
    return next((directive for directive in directives if isinstance(directive, kind)), None)
