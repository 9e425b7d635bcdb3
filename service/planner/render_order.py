"""Orders of rows, and what comes after or before a position in one."""

from __future__ import annotations

from collections.abc import Mapping

from schema.binding import Key, Order
from service.planner.plan import Page, Position, Rowset
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text


def parent_key(plan: Page, scope: Scope) -> Sql:
    """The parent's key as text; empty for a list of all."""
    if not plan.parent.template:
        return text("''::text")
    return compose("{key}::text", key=Scope(outer=scope).term(plan.parent))


def order_by(rows: Rowset, row: Scope, *, backward: bool) -> Sql:
    """The order of the list, or its reverse."""
    return text(" order by ") + keys(row, rows.order, rows.order_values, backward=backward)


def keys(row: Scope, order: Order, values: Mapping[str, Sql], *, backward: bool) -> Sql:
    """The keys of an order as ORDER BY has them."""
    return join([row.resolve_key(key, values) + _direction(key, backward=backward) for key in order.keys])


def key_columns(rows: Rowset, row: Scope) -> Sql:
    """A row's id and the keys of the list's order, as columns by which `order_by_columns` orders."""
    columns = [
        compose("{key} as {name}", key=row.resolve_key(key, rows.order_values), name=text(f"k{number}"))
        for number, key in enumerate(rows.order.keys)
    ]
    return join([row.resolve("id"), *columns])


def order_by_columns(rows: Rowset, *, backward: bool) -> Sql:
    """The order of the list, or its reverse, by `key_columns`."""
    ordered = (text(f"k{n}") + _direction(key, backward=backward) for n, key in enumerate(rows.order.keys))
    return text(" order by ") + join(ordered)


def _direction(key: Key, *, backward: bool) -> Sql:
    ending = " desc" if key.descending is not backward else ""
    if key.nullable:
        ending += " nulls first" if backward else " nulls last"
    return text(ending)


def checks(plan: Page, scope: Scope) -> list[Sql]:
    """That the cursors given are of this parent's list."""
    given = [position for position in (plan.after, plan.before) if position is not None]
    parent = parent_key(plan, scope)
    return [compose("same_parent({given}, {parent})", given=each.parent, parent=parent) for each in given]


def positions(plan: Page, row: Scope) -> list[Sql]:
    """That the row lies beyond the cursors given."""
    sides = ((plan.after, True), (plan.before, False))
    return [beyond(plan.rows, row, position, forward=forward) for position, forward in sides if position is not None]


def beyond(rows: Rowset, row: Scope, position: Position, *, forward: bool) -> Sql:
    """The rows after a position (before it, where not `forward`)."""
    keys = rows.order.keys
    columns = [row.resolve_key(key, rows.order_values) for key in keys]
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys):
        operator = text("<" if keys[0].descending is forward else ">")
        return compose(
            "({columns}) {operator} ({values})", columns=join(columns), operator=operator, values=join(position.keys)
        )
    alternatives: list[Sql] = []
    for number, (key, column, value) in enumerate(zip(keys, columns, position.keys, strict=True)):
        equal = [
            compose("{column} is not distinct from {value}", column=earlier, value=given)
            for earlier, given in zip(columns[:number], position.keys[:number], strict=True)
        ]
        alternatives.append(join([*equal, _past(key, column, value, forward=forward)], " and "))
    return compose("({any})", any=join([compose("({one})", one=one) for one in alternatives], " or "))


def _past(key: Key, column: Sql, value: Sql, *, forward: bool) -> Sql:
    operator = text("<" if key.descending is forward else ">")
    compared = compose("{column} {operator} {value}", column=column, operator=operator, value=value)
    if not key.nullable:
        return compared
    null, known = (column, value) if forward else (value, column)
    return compose(
        "({compared} or ({null} is null and {known} is not null))", compared=compared, null=null, known=known
    )
