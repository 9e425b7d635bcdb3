"""Pages as objects: their nodes, edges, page info and total count, from the rows that were cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.planner.plan import Edges, Object, Page, PageInfo, PagePart, Text, TotalCount
from service.planner.render_conditions import matching, row_of
from service.planner.render_order import order_by, parent_key
from service.planner.render_rows import Cut
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text

if TYPE_CHECKING:
    from service.planner.render import Renderer

MOST_COUNTED = 10_000


def page(renderer: Renderer, plan: Page, scope: Scope) -> Sql:
    """The connection object of a page."""
    only_nodes = all(isinstance(part, Object | Text | TotalCount) for _, part in plan.parts)
    # A position is checked where rows are cut, so they are cut, on paper, also where only a count is asked.
    unused_position = (plan.after or plan.before) and not any(isinstance(part, Object) for _, part in plan.parts)
    if only_nodes and not unused_position:
        return _plain_page(renderer, plan, scope)
    name = renderer.alias("page")
    rows = Cut(renderer, plan, scope, plan.size + 1).query()
    fields = [(key, _Parts(renderer, plan, scope, name).value(part)) for key, part in plan.parts]
    return compose(
        "(with {name} as materialized (select x.*, row_number() over () as page_row from ({rows}) x) {object})",
        name=text(name),
        rows=rows,
        object=renderer.record(fields, Sql()),
    )


def _plain_page(renderer: Renderer, plan: Page, scope: Scope) -> Sql:
    """A page of which nothing but nodes is asked: each list of them is read straight from the index."""
    fields: list[tuple[str, Sql]] = []
    for key, part in plan.parts:
        if isinstance(part, Object):
            row = row_of(renderer, plan.rows.table, scope)
            rows = Cut(renderer, plan, scope, plan.size).query()
            order = order_by(plan.rows, row, backward=False) if plan.backward else Sql()
            source = compose(" from ({rows}) {alias}{order}", rows=rows, alias=text(row.alias), order=order)
            fields.append((key, compose("array({query})", query=renderer.object(part, row, source))))
        else:
            fields.append((key, _Parts(renderer, plan, scope, "").value(part)))
    return compose("({record})", record=renderer.record(fields, Sql()))


class _Parts:
    """What is said of a page whose rows are in the common table expression `name`, numbered by `page_row`."""

    def __init__(self, renderer: Renderer, plan: Page, scope: Scope, name: str) -> None:
        self._renderer = renderer
        self._plan = plan
        self._scope = scope
        self._name = name

    def value(self, part: PagePart) -> Sql:
        match part:
            case Text():
                return self._renderer.value(part, self._scope)
            case Object():
                row, source = self._items()
                return compose("array({query})", query=self._renderer.object(part, row, source))
            case Edges(fields):
                row, source = self._items()
                values = [(key, self._cursor(row) if edge is None else self._edge(edge, row)) for key, edge in fields]
                return compose("array({query})", query=self._renderer.record(values, source))
            case PageInfo(fields):
                values = [(key, self._info(name)) for key, name in fields]
                return compose("({record})", record=self._renderer.record(values, Sql()))
            case TotalCount(fields):
                return self._total(fields)

    def _items(self) -> tuple[Scope, Sql]:
        """The page's rows, in the list's order."""
        row = row_of(self._renderer, self._plan.rows.table, self._scope)
        direction = " desc" if self._plan.backward else ""
        source = f" from {self._name} {row.alias} where {row.alias}.page_row <= {self._plan.size}"
        return row, text(f"{source} order by {row.alias}.page_row{direction}")

    def _edge(self, edge: Object | Text, row: Scope) -> Sql:
        if isinstance(edge, Text):
            return self._renderer.value(edge, row)
        return compose("({query})", query=self._renderer.object(edge, row, Sql()))

    def _cursor(self, row: Scope) -> Sql:
        keys = [row.resolve_key(key, self._plan.rows.order_values) for key in self._plan.rows.order.keys]
        return compose(
            "list_cursor({binding}, {parent}, json_build_array({keys}))",
            binding=self._plan.binding,
            parent=parent_key(self._plan, self._scope),
            keys=join(keys),
        )

    def _info(self, name: str | Text) -> Sql:
        plan = self._plan
        if isinstance(name, Text):
            return self._renderer.value(name, self._scope)
        if name in ("hasNextPage", "hasPreviousPage"):
            if (name == "hasNextPage") is plan.backward:
                return text("true" if (plan.before if plan.backward else plan.after) else "false")
            return text(f"exists (select from {self._name} where page_row > {plan.size})")
        first = (name == "startCursor") is not plan.backward
        row = row_of(self._renderer, plan.rows.table, self._scope)
        return compose(
            "(select {cursor} from {name} {alias} where {alias}.page_row <= {size}"
            " order by {alias}.page_row{direction} limit 1)",
            cursor=self._cursor(row),
            name=text(self._name),
            alias=text(row.alias),
            size=text(str(plan.size)),
            direction=text("" if first else " desc"),
        )

    def _total(self, fields: tuple[tuple[str, str | Text], ...]) -> Sql:
        renderer, rows = self._renderer, self._plan.rows
        known = {
            "value": text(f"least(c.n, {MOST_COUNTED})"),
            "precision": text(f"case when c.n > {MOST_COUNTED} then 'AT_LEAST' else 'EXACT' end"),
        }
        values = [
            (key, renderer.value(name, self._scope) if isinstance(name, Text) else known[name]) for key, name in fields
        ]
        row = row_of(renderer, rows.table, self._scope)
        counted = compose(
            "select {from_} limit {most}",
            from_=matching(renderer, rows, row),
            most=text(str(MOST_COUNTED + 1)),
        )
        return compose(
            "({record})",
            record=renderer.record(
                values, compose(" from (select count(*) as n from ({counted}) x) c", counted=counted)
            ),
        )
