"""The rows that a page is cut from: keyset pages, never an offset, by one walk of an index where there is one.

A list that several values choose (topics, languages, outlets) is walked once for each, as far as the page is long;
what is found is ordered together. Where the values may be many, only those are walked whose first rows come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.binding import Order
from service.planner.plan import FIRST_ROWS, InGroup, Page
from service.planner.render_conditions import conditions_of, matching, outlets_of
from service.planner.render_facets import FacetWalks
from service.planner.render_order import key_columns, keys, order_by
from service.planner.render_slices import sliced_keys, sliced_words
from service.planner.render_walks import Walks
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, text

if TYPE_CHECKING:
    from service.planner.render import Renderer


class Cut:
    """The first rows of a list from a position on (the last ones, in reverse, where the page is read backward)."""

    def __init__(self, renderer: Renderer, plan: Page, scope: Scope, size: int) -> None:
        self._renderer = renderer
        self._plan = plan
        self._rows = plan.rows
        self._scope = scope
        self._size = size
        self._walks = Walks(renderer, plan, scope, size)

    def query(self) -> Sql:
        """A query for the rows, all columns of each."""
        asked, order = self._rows.asked, self._rows.order
        if order.among:
            return self._among(order)
        if words := sliced_words(self._plan):
            return self._walks.together(sliced_keys(self._renderer, self._plan, self._scope, self._size, words))
        if asked.facets and order.steps:
            return FacetWalks(self._walks).of_facets(asked.facets)
        if self._rows.whole and asked.outlet:
            return self._groups(outlets_of(self._renderer, self._rows))
        if asked.groups and self._rows.by != asked.groups[0].column:
            return FacetWalks(self._walks).of_stories(asked.groups[0]) or self._groups(asked.groups[0])
        if self._rows.stepped or (self._rows.whole and asked.values):
            return self._walks.together(self._walks.every(text("true")))
        if (asked.selective or self._rows.by) and any(each.of_time for each in self._rows.foreign_ranges):
            return self._first_or_all()
        return self._walks.walk(self._walks.row())

    def _first_or_all(self) -> Sql:
        """The page from the first rows of a walk, if those are enough; else from all rows that meet what is asked.

        For ranges of another time than the order's: where those rows stand in the order cannot be foreseen (of an old
        week, all are far from the newest). So the walk is bounded, and `offset 0` keeps the other way from being one.
        """
        first, near, far = self._walks.row(), self._walks.row(), self._walks.row()
        looked_at = (*self._rows.where, *self._rows.asked.where)
        tried = self._renderer.alias("tried")
        walk = compose(
            "select {alias}.* from {table} {alias}{where}{order} limit {most}",
            alias=text(first.alias),
            table=text(self._rows.table),
            where=self._renderer.where([*(first.term(term) for term in looked_at), *self._walks.positions(first)]),
            order=order_by(self._rows, first, backward=self._plan.backward),
            most=text(str(FIRST_ROWS)),
        )
        every = compose(
            "select {alias}.* from {table} {alias}{where} offset 0",
            alias=text(far.alias),
            table=text(self._rows.table),
            where=self._renderer.where(
                [*conditions_of(self._renderer, self._rows, far, None), *self._walks.positions(far)]
            ),
        )
        return self._walks.together(
            compose(
                "with {tried} as materialized"
                " (select {near_keys} from ({walk}) {near}{where}{near_order} limit {size})"
                " select {tried}.* from {tried} where (select count(*) from {tried}) >= {size} union all"
                " (select {far_keys} from ({every}) {far} where (select count(*) from {tried}) < {size}{far_order}"
                " limit {size})",
                tried=text(tried),
                near=text(near.alias),
                near_keys=key_columns(self._rows, near),
                far_keys=key_columns(self._rows, far),
                walk=walk,
                where=self._renderer.where(conditions_of(self._renderer, self._rows, near, None)),
                near_order=order_by(self._rows, near, backward=self._plan.backward),
                size=text(str(self._size)),
                far=text(far.alias),
                every=every,
                far_order=order_by(self._rows, far, backward=self._plan.backward),
            )
        )

    def _among(self, order: Order) -> Sql:
        """An order of the first so many rows by another order."""
        row, among = self._walks.row(), self._walks.row()
        first = compose(
            "select {alias}.* {matching} order by {keys} limit {most}",
            alias=text(among.alias),
            matching=matching(self._renderer, self._rows, among),
            keys=keys(among, Order(order.among_keys), {}, backward=False),
            most=text(str(order.among)),
        )
        return compose(
            "select {alias}.* from ({first}) {alias}{where}{order} limit {size}",
            alias=text(row.alias),
            first=first,
            where=self._renderer.where(self._walks.positions(row)),
            order=order_by(self._rows, row, backward=self._plan.backward),
            size=text(str(self._size)),
        )

    def _groups(self, group: InGroup) -> Sql:
        """Rows of many groups. Where those are a fair part of all rows, a walk of all meets them soon enough."""
        dense, column = self._walks.around.term(group.dense), f"{{{group.column}}}"
        members = compose("{members} and not ({dense})", members=self._walks.around.term(group.members), dense=dense)
        return self._walks.either(
            dense, self._walks.of_each(self._walks.leading(members, column, group), column, group)
        )
