"""Statements of pages: keyset pages, never an offset; one walk of an index where there is one for what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schema.binding import Key, Order
from service.planner.plan import Edges, InFacet, Object, Page, PageInfo, PagePart, Position, Rowset, Text, TotalCount
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, literal, text

if TYPE_CHECKING:
    from service.planner.render import Renderer

MOST_COUNTED = 10_000
# Which facet a walk follows where several are asked: the one that most likely has the fewest stories.
NARROWEST = ("OUTLET", "PLACE", "TOPIC", "COUNTRY")


def page(renderer: Renderer, plan: Page, scope: Scope) -> Sql:
    """The connection object of a page."""
    if all(isinstance(part, Object | Text | TotalCount) for _, part in plan.parts):
        return _plain_page(renderer, plan, scope)
    name = renderer.alias("page")
    rows = _Cut(renderer, plan, scope).query(plan.size + 1)
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
            cut = _Cut(renderer, plan, scope)
            row = _row(renderer, plan.rows.table, scope)
            rows = cut.query(plan.size)
            order = _order(plan.rows, row, backward=False) if plan.backward else Sql()
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
                values = [
                    (key, self._cursor(row) if edge is None else self._edge(edge, row)) for key, edge in fields
                ]
                return compose("array({query})", query=self._renderer.record(values, source))
            case PageInfo(fields):
                values = [(key, self._info(name)) for key, name in fields]
                return compose("({record})", record=self._renderer.record(values, Sql()))
            case TotalCount(fields):
                return self._total(fields)

    def _items(self) -> tuple[Scope, Sql]:
        """The page's rows, in the list's order."""
        row = _row(self._renderer, self._plan.rows.table, self._scope)
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
            parent=_parent(self._plan, self._scope),
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
        row = _row(self._renderer, plan.rows.table, self._scope)
        return compose(
            "(select {cursor} from {name} {alias} where {alias}.page_row <= {size} order by {alias}.page_row{direction} limit 1)",
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
        row = _row(renderer, rows.table, self._scope)
        counted = compose(
            "select {from_} limit {most}",
            from_=_matching(renderer, rows, row, rows.facets),
            most=text(str(MOST_COUNTED + 1)),
        )
        return compose(
            "({record})",
            record=renderer.record(values, compose(" from (select count(*) as n from ({counted}) x) c", counted=counted)),
        )


class _Cut:
    """The first rows of a list from a position on (the last ones, in reverse, where the page is read backward)."""

    def __init__(self, renderer: Renderer, plan: Page, scope: Scope) -> None:
        self._renderer = renderer
        self._plan = plan
        self._rows = plan.rows
        self._scope = scope
        self._around = Scope(outer=scope)

    def query(self, size: int) -> Sql:
        facets = sorted(self._rows.facets, key=lambda f: (not f.single, NARROWEST.index(f.facet)))
        if not facets or not self._rows.order.step:
            return self._walk_table(size)
        walked, others = facets[0], tuple(facets[1:])
        if walked.single:
            return self._walk_facet(size, walked, others, self._around.term(walked.values), "*")
        row = _row(self._renderer, self._rows.table, self._scope)
        value = self._renderer.alias("v")
        found = self._walk_facet(size, walked, others, text(f"{value}.value"), "id")
        return compose(
            "select {alias}.* from {table} {alias} where {alias}.id in (select w.id from unnest({values}) {value} (value)"
            " cross join lateral ({found}) w){order} limit {size}",
            alias=text(row.alias),
            table=text(self._rows.table),
            values=self._around.term(walked.values),
            value=text(value),
            found=found,
            order=_order(self._rows, row, self._plan.backward),
            size=text(str(size)),
        )

    def _walk_table(self, size: int) -> Sql:
        row = _row(self._renderer, self._rows.table, self._scope)
        order = self._rows.order
        matching = _matching(self._renderer, self._rows, row, self._rows.facets)
        if order.among:
            among = text(" order by ") + _order_by(row, Order(order.among_keys), {}, backward=False)
            inner = compose(
                "select {alias}.* {matching}{among} limit {most}",
                alias=text(row.alias),
                matching=matching,
                among=among,
                most=text(str(order.among)),
            )
            row = _row(self._renderer, self._rows.table, self._scope)
            matching = compose("from ({inner}) {alias}", inner=inner, alias=text(row.alias))
            positions = self._renderer.where(self._positions(row))
        else:
            positions = _and(self._positions(row), after_where=_has_where(self._rows))
        return compose(
            "select {alias}.* {matching}{positions}{order} limit {size}",
            alias=text(row.alias),
            matching=matching,
            positions=positions,
            order=_order(self._rows, row, self._plan.backward),
            size=text(str(size)),
        )

    def _walk_facet(self, size: int, walked: InFacet, others: tuple[InFacet, ...], value: Sql, columns: str) -> Sql:
        """Follows the facet's coarse key, and orders within a step by the story itself."""
        row = _row(self._renderer, self._rows.table, self._scope)
        facet = self._renderer.alias("f")
        order = self._rows.order
        conditions = [
            compose("{f}.facet = {facet} and {f}.value = {value}", f=text(facet), facet=literal(walked.facet), value=value),
            *_conditions(self._renderer, self._rows, row, others),
            *self._steps(walked.facet, facet),
            *self._positions(row),
        ]
        direction = " desc" if order.keys[0].descending is not self._plan.backward else ""
        return compose(
            "select {alias}.{columns} from story_facets {f} join {table} {alias} on {alias}.id = {f}.story_id{where}"
            " order by {f}.{step}{direction}, {order} limit {size}",
            alias=text(row.alias),
            columns=text(columns),
            f=text(facet),
            table=text(self._rows.table),
            where=self._renderer.where(conditions),
            step=text(order.step),
            direction=text(direction),
            order=_order_by(row, order, self._rows.order_values, self._plan.backward),
            size=text(str(size)),
        )

    def _steps(self, facet: str, alias: str) -> list[Sql]:
        """The steps that positions lie in, so that the walk begins and ends there."""
        order = self._rows.order
        sides = ((self._plan.after, "<=" if order.keys[0].descending else ">="), (self._plan.before, ">=" if order.keys[0].descending else "<="))
        return [
            compose(
                "{f}.{step} {operator} {function}({facet}, {key})",
                f=text(alias),
                step=text(order.step),
                operator=text(operator),
                function=text(order.step_function),
                facet=literal(facet),
                key=position.keys[0],
            )
            for position, operator in sides
            if position is not None
        ]

    def _positions(self, row: Scope) -> list[Sql]:
        conditions: list[Sql] = []
        for position, forward in ((self._plan.after, True), (self._plan.before, False)):
            if position is not None:
                parent = _parent(self._plan, self._scope)
                conditions.append(compose("same_parent({given}, {parent})", given=position.parent, parent=parent))
                conditions.append(_beyond(self._rows, row, position, forward))
        return conditions


def _row(renderer: Renderer, table: str, scope: Scope) -> Scope:
    return Scope(renderer.alias(table), outer=scope)


def _parent(plan: Page, scope: Scope) -> Sql:
    """The parent's key as text; empty for a list of all."""
    if not plan.parent.template:
        return text("''::text")
    return compose("{key}::text", key=Scope(outer=scope).term(plan.parent))


def _has_where(rows: Rowset) -> bool:
    return bool(rows.where or rows.outlet or rows.facets)


def _and(conditions: list[Sql], *, after_where: bool) -> Sql:
    if not conditions:
        return Sql()
    return text(" and " if after_where else " where ") + join(conditions, " and ")


def _matching(renderer: Renderer, rows: Rowset, row: Scope, facets: tuple[InFacet, ...]) -> Sql:
    """From and where of all rows of the list."""
    source = text(f"from {rows.table} {row.alias}")
    return source + renderer.where(_conditions(renderer, rows, row, facets))


def _conditions(renderer: Renderer, rows: Rowset, row: Scope, facets: tuple[InFacet, ...]) -> list[Sql]:
    """What the rows must meet, but for the positions."""
    conditions = [row.term(term) for term in rows.where]
    if rows.outlet:
        outlet = Scope(renderer.alias("o"), outer=row)
        conditions.append(
            compose(
                "exists (select from outlets {o} where {o}.id = {id} and {asked})",
                o=text(outlet.alias),
                id=row.resolve("outlet_id"),
                asked=join([outlet.term(term) for term in rows.outlet], " and "),
            )
        )
    for facet in facets:
        conditions.append(
            compose(
                "exists (select from story_facets {f} where {f}.story_id = {id} and {f}.facet = {facet} and {f}.value {values})",
                f=text(renderer.alias("f")),
                id=row.resolve("id"),
                facet=literal(facet.facet),
                values=compose("= {v}" if facet.single else "= any ({v})", v=row.term(facet.values)),
            )
        )
    return conditions


def _order(rows: Rowset, row: Scope, backward: bool) -> Sql:
    return text(" order by ") + _order_by(row, rows.order, rows.order_values, backward)


def _order_by(row: Scope, order: Order, values: Mapping[str, Sql], backward: bool) -> Sql:
    pieces: list[Sql] = []
    for key in order.keys:
        ending = " desc" if key.descending is not backward else ""
        if key.nullable:
            ending += " nulls first" if backward else " nulls last"
        pieces.append(row.resolve_key(key, values) + text(ending))
    return join(pieces)


def _beyond(rows: Rowset, row: Scope, position: Position, forward: bool) -> Sql:
    """The rows after a position (before it, where not `forward`)."""
    keys = rows.order.keys
    columns = [row.resolve_key(key, rows.order_values) for key in keys]
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys):
        operator = "<" if keys[0].descending is forward else ">"
        return compose(
            "({columns}) {operator} ({values})", columns=join(columns), operator=text(operator), values=join(position.keys)
        )
    alternatives: list[Sql] = []
    for number, (key, column, value) in enumerate(zip(keys, columns, position.keys, strict=True)):
        equal = [
            compose("{column} is not distinct from {value}", column=c, value=v)
            for c, v in zip(columns[:number], position.keys[:number], strict=True)
        ]
        alternatives.append(join([*equal, _past(key, column, value, forward)], " and "))
    return compose("({alternatives})", alternatives=join([compose("({a})", a=a) for a in alternatives], " or "))


def _past(key: Key, column: Sql, value: Sql, forward: bool) -> Sql:
    operator = "<" if key.descending is forward else ">"
    compared = compose("{column} {operator} {value}", column=column, operator=text(operator), value=value)
    if not key.nullable:
        return compared
    null, known = (column, value) if forward else (value, column)
    return compose(
        "({compared} or ({null} is null and {known} is not null))", compared=compared, null=null, known=known
    )
