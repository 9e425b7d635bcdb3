"""Plans of pages: which rows, in which order, from where to where, and what is said of them."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLField, GraphQLObjectType, get_named_type

from schema.binding import Connection, Order
from service.errors import BadUserInput
from service.planner import cursors
from service.planner.inputs import Arguments
from service.planner.plan import (
    Asked,
    Edges,
    InFacet,
    Object,
    Page,
    PageInfo,
    PagePart,
    Position,
    Rowset,
    Term,
    Text,
    TotalCount,
)
from service.planner.sql import Sql, parameter

if TYPE_CHECKING:
    from service.planner.build import Builder

DEFAULT_SIZE = 20


def build(
    builder: Builder, binding: Connection, parent: GraphQLObjectType, arguments: Arguments, nodes: list[FieldNode]
) -> Page:
    """The plan of a connection, a field of the type `parent`."""
    name = nodes[0].name.value
    definition = parent.fields[name]
    order, sort = _order(binding, arguments)
    _check_needs(builder, order, arguments)
    size, backward = _size(builder, arguments)
    builder.open_ended |= binding.open_ended
    rows = _rows(builder, binding, definition, arguments, order)
    others = [arguments[name] for name in definition.args if name not in ("first", "after", "last", "before", "sort")]
    bound_to = cursors.binding(f"{parent.name}.{name}", sort, *others)

    def position(side: str) -> Position | None:
        given = arguments.given(side)
        return cursors.position(arguments[side], side, order, bound_to) if given else None

    return Page(
        rows=rows,
        size=size,
        backward=backward,
        after=position("after"),
        before=position("before"),
        parent=Term(binding.parent),
        binding=bound_to,
        parts=_parts(builder, definition, nodes),
    )


def _order(binding: Connection, arguments: Arguments) -> tuple[Order, str]:
    if binding.order is not None:
        return binding.order, ""
    chosen = arguments.literal("sort")
    return chosen.value, chosen.name


def _check_needs(builder: Builder, order: Order, arguments: Arguments) -> None:
    if order.needs and not builder.trace.given(arguments.at(order.needs)):
        raise BadUserInput(f"This sort needs `{'.'.join(order.needs)}`.")


def _size(builder: Builder, arguments: Arguments) -> tuple[int, bool]:
    """How many items, and whether they are the last ones."""
    forward, backward = arguments.given("first"), arguments.given("last")
    if forward and backward:
        raise BadUserInput("'first' and 'last' exclude each other.")
    if not forward and not backward:
        return min(DEFAULT_SIZE, builder.allowed.max_page_size), False
    name = "last" if backward else "first"
    size: int = arguments.literal(name)
    check_size(name, size, builder.allowed.max_page_size)
    return size, backward


def _rows(
    builder: Builder, binding: Connection, definition: GraphQLField, arguments: Arguments, order: Order
) -> Rowset:
    asked = builder.conditions.of_arguments(definition.args, arguments)
    if "filter" in definition.args:
        asked += builder.conditions.of_object(get_named_type(definition.args["filter"].type), arguments["filter"])
    if binding.within is not None:
        within = binding.within
        parent = InFacet(within.facet, Term(within.values), Term(within.share))
        asked = Asked(facets=(parent,)) + asked
    values: dict[str, Sql] = {}
    if order.needs:
        values = {"arg." + ".".join(order.needs): parameter("text", arguments.at(order.needs).read)}
    conditions = (binding.where, binding.by and f"{{{binding.by}}} = {{outer.id}}")
    where = tuple(Term(condition) for condition in conditions if condition)
    rows = Rowset(binding.table, not binding.parent, binding.by, where, asked, order, values)
    builder.selective |= bool(asked.selective or (asked.ranges and not rows.is_settled))
    return rows


def _parts(builder: Builder, definition: GraphQLField, nodes: list[FieldNode]) -> tuple[tuple[str, PagePart], ...]:
    connection = get_named_type(definition.type)
    assert isinstance(connection, GraphQLObjectType)
    fields = builder.collector.under(connection, nodes)
    return tuple((key, _part(builder, connection, under)) for key, under in fields.items())


def _part(builder: Builder, connection: GraphQLObjectType, nodes: list[FieldNode]) -> PagePart:
    name = nodes[0].name.value
    if name == "__typename":
        return Text(connection.name)
    type_ = get_named_type(connection.fields[name].type)
    assert isinstance(type_, GraphQLObjectType)
    if name == "nodes":
        return builder.object(type_, nodes)
    fields = builder.collector.under(type_, nodes)
    if name == "edges":
        return Edges(tuple((key, _edge_field(builder, type_, under)) for key, under in fields.items()))
    named = tuple(
        (key, Text(type_.name) if under[0].name.value == "__typename" else under[0].name.value)
        for key, under in fields.items()
    )
    return PageInfo(named) if name == "pageInfo" else TotalCount(named)


def _edge_field(builder: Builder, edge: GraphQLObjectType, nodes: list[FieldNode]) -> Object | Text | None:
    name = nodes[0].name.value
    if name == "__typename":
        return Text(edge.name)
    if name == "cursor":
        return None
    node = get_named_type(edge.fields["node"].type)
    assert isinstance(node, GraphQLObjectType)
    return builder.object(node, nodes)


def check_size(name: str, size: int, most: int) -> None:
    """Refuses a number of items below 0 or above `most`."""
    if size < 0:
        raise BadUserInput(f"'{name}' must not be negative; it is {size}.")
    if size > most:
        raise BadUserInput(f"'{name}' is at most {most:,}; it is {size:,}.")
