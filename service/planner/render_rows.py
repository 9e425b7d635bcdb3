"""The rows that a page is cut from: keyset pages, never an offset, by one walk of an index where there is one.

A list that several values choose (topics, languages, outlets) is walked once for each, as far as the page is long;
what is found is ordered together. Where the values may be many, only those are walked whose first rows come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.binding import Order
from service.planner.plan import (
    COARSER_FACET,
    DENSE_FACET,
    FIRST_ROWS,
    Asked,
    InFacet,
    InGroup,
    InRange,
    Page,
    Term,
)
from service.planner.render_conditions import conditions_of, matching, outlets_of, row_of
from service.planner.render_order import checks, key_columns, keys, order_by, order_by_columns, positions
from service.planner.render_slices import sliced_keys, sliced_words
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, literal, text

if TYPE_CHECKING:
    from service.planner.render import Renderer


class Cut:
    """The first rows of a list from a position on (the last ones, in reverse, where the page is read backward)."""

    def __init__(self, renderer: Renderer, plan: Page, scope: Scope, size: int) -> None:
        self._renderer = renderer
        self._plan = plan
        self._rows = plan.rows
        self._scope = scope
        self._around = Scope(outer=scope)
        self._size = size

    def query(self) -> Sql:
        """A query for the rows, all columns of each."""
        asked, order = self._rows.asked, self._rows.order
        if order.among:
            return self._among(order)
        if words := sliced_words(self._plan):
            return self._together(sliced_keys(self._renderer, self._plan, self._scope, self._size, words))
        if asked.facets and order.steps:
            return self._facets(asked.facets)
        if self._rows.whole and asked.outlet:
            return self._groups(outlets_of(self._renderer, self._rows))
        if asked.groups and self._rows.by != asked.groups[0].column:
            return self._stories(asked.groups[0]) or self._groups(asked.groups[0])
        if self._rows.stepped or (self._rows.whole and asked.values):
            return self._together(self._every(text("true")))
        if (asked.selective or self._rows.by) and any(each.of_time for each in self._rows.foreign_ranges):
            return self._first_or_all()
        return self._walk(self._row())

    # Walks ------------------------------------------------------------------------------------------------

    def _walk(
        self,
        row: Scope,
        *,
        keys_only: bool = False,
        more: tuple[Sql, ...] = (),
        without: object = None,
        size: int | None = None,
    ) -> Sql:
        """The table's rows in the list's order: those that meet all that is asked, `without` one part, and `more`."""
        conditions = [*conditions_of(self._renderer, self._rows, row, without), *more, *self._positions(row)]
        return compose(
            "select {columns} from {table} {alias}{where}{order} limit {size}",
            alias=text(row.alias),
            columns=key_columns(self._rows, row) if keys_only else text(f"{row.alias}.*"),
            table=text(self._rows.table),
            where=self._renderer.where(conditions),
            order=order_by(self._rows, row, backward=self._plan.backward),
            size=text(str(size or self._size)),
        )

    def _first_or_all(self) -> Sql:
        """The page from the first rows of a walk, if those are enough; else from all rows that meet what is asked.

        For ranges of another time than the order's: where those rows stand in the order cannot be foreseen (of an old
        week, all are far from the newest). So the walk is bounded, and `offset 0` keeps the other way from being one.
        """
        first, near, far = self._row(), self._row(), self._row()
        looked_at = (*self._rows.where, *self._rows.asked.where)
        tried = self._renderer.alias("tried")
        walk = compose(
            "select {alias}.* from {table} {alias}{where}{order} limit {most}",
            alias=text(first.alias),
            table=text(self._rows.table),
            where=self._renderer.where([*(first.term(term) for term in looked_at), *self._positions(first)]),
            order=order_by(self._rows, first, backward=self._plan.backward),
            most=text(str(FIRST_ROWS)),
        )
        every = compose(
            "select {alias}.* from {table} {alias}{where} offset 0",
            alias=text(far.alias),
            table=text(self._rows.table),
            where=self._renderer.where([*conditions_of(self._renderer, self._rows, far, None), *self._positions(far)]),
        )
        return self._together(
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
        row, among = self._row(), self._row()
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
            where=self._renderer.where(self._positions(row)),
            order=order_by(self._rows, row, backward=self._plan.backward),
            size=text(str(self._size)),
        )

    def _together(self, found: Sql) -> Sql:
        """The first of the rows whose keys several walks found, each once, in the order of the list."""
        row, first = self._row(), self._renderer.alias("first")
        return compose(
            "select {alias}.* from (select distinct * from ({found}) {first}{by_columns} limit {size}) {first}"
            " join {table} {alias} on {alias}.id = {first}.id{order}",
            alias=text(row.alias),
            first=text(first),
            table=text(self._rows.table),
            found=found,
            by_columns=order_by_columns(self._rows, backward=self._plan.backward),
            order=order_by(self._rows, row, backward=self._plan.backward),
            size=text(str(self._size)),
        )

    # One walk for each value --------------------------------------------------------------------------------

    def _of_values(self, values: Sql, column: str, walked: object) -> Sql:
        """The keys of the rows of each value; of more values than a page has rows, of those whose first come first."""
        item, size = self._renderer.alias("items"), text(str(self._size))
        few = compose(
            "select {item}.item, 1 from unnest({values}) {item} (item) where cardinality({values}) <= {size}",
            item=text(item),
            values=values,
            size=size,
        )
        many = "select distinct unnest({values}) where cardinality({values}) > {size}"
        leading = self._leading(compose(many, values=values, size=size), column, walked)
        return self._of_each(compose("{few} union all {leading}", few=few, leading=leading), column, walked)

    def _every(self, when: Sql) -> Sql:
        """The keys of a page's rows, where `when` holds: by the steps of a range, by each of some values, or in one go.

        Where the rows of a range of another key stand in the order cannot be foreseen (of an old week, all are far from
        the newest), so each step's own are walked, unless those are too many.
        """
        stepped, values = self._rows.stepped, self._rows.asked.values
        if stepped:
            return self._by_steps(stepped, when)
        if self._rows.whole and values:
            return self._of_values(_where_holds(when, values[0].values), f"{{{values[0].column}}}", values[0])
        return compose("({walk})", walk=self._walk(self._row(), keys_only=True, more=(when,)))

    def _by_steps(self, stepped: InRange, when: Sql) -> Sql:
        steps = [(each.step, self._around.term(stepped.among(each.among))) for each in stepped.range.steps]
        too_many = join([compose("{among} is null", among=among) for _, among in steps], " or ")
        counted = compose("{when} and not ({too_many})", when=when, too_many=too_many)
        uncounted = compose("{when} and ({too_many})", when=when, too_many=too_many)
        ways = [self._of_values(_where_holds(counted, among), step, stepped) for step, among in steps]
        walk = self._walk(self._row(), keys_only=True, more=(uncounted,))
        return join([compose("({walk})", walk=walk), *ways], " union all ")

    # One walk or many -------------------------------------------------------------------------------------------

    def _facets(self, facets: tuple[InFacet, ...]) -> Sql:
        """Stories of facets. Where those of each are a fair part of all stories, a walk of all meets them soon enough;
        else each value's own of the facet that has the fewest are walked.
        """
        shares = [compose("coalesce({share}, 1)", share=self._around.term(facet.share)) for facet in facets]
        least = compose("least({shares})", shares=join(shares)) if len(shares) > 1 else shares[0]
        dense = compose("{least} >= " + DENSE_FACET, least=least)
        walks = [
            self._walk_values(
                facet, compose("{share} <= {least}", share=share, least=least) if facets[1:] else None, dense
            )
            for facet, share in zip(facets, shares, strict=True)
        ]
        return self._either(dense, join(walks, " union all "))

    def _walk_values(self, facet: InFacet, chosen: Sql | None, dense: Sql) -> Sql:
        value = self._renderer.alias("v")
        return compose(
            "select w.* from unnest({values}) {value} (value) cross join lateral ({walk}) w"
            " where not ({dense}){chosen}",
            values=self._around.term(facet.values),
            value=text(value),
            walk=self._walk_facet(facet, text(f"{value}.value")),
            dense=dense,
            chosen=Sql() if chosen is None else compose(" and {chosen}", chosen=chosen),
        )

    def _walk_facet(self, walked: InFacet, value: Sql) -> Sql:
        """Follows the facet's coarse key, and orders within a step by the story itself."""
        row, facet, order = self._row(), self._renderer.alias("f"), self._rows.order
        conditions = [
            compose(
                "{f}.facet = {facet} and {f}.value = {value}", f=text(facet), facet=literal(walked.facet), value=value
            ),
            *conditions_of(self._renderer, self._rows, row, walked),
            *(Scope(facet).term(term) for term in self._rows.asked.of_facets),
            *self._steps(walked.facet, facet),
            *self._steps_of_ranges(walked.facet, facet),
            *self._positions(row),
        ]
        ending = " desc" if order.keys[0].descending is not self._plan.backward else ""
        steps = order.steps if walked.facet != COARSER_FACET else order.steps[:1]
        return compose(
            "select {columns} from story_facets {f} join {table} {alias} on {alias}.id = {f}.story_id{where}"
            " order by {steps}, {keys} limit {size}",
            columns=key_columns(self._rows, row),
            alias=text(row.alias),
            f=text(facet),
            table=text(self._rows.table),
            where=self._renderer.where(conditions),
            steps=text(", ".join(f"{facet}.{step}{ending}" for step in steps)),
            keys=keys(row, order, self._rows.order_values, backward=self._plan.backward),
            size=text(str(self._size)),
        )

    def _stories(self, group: InGroup) -> Sql | None:
        """Rows of a facet's stories, where nothing else is asked and the page is the first or the last one.

        A story knows when its newest and its first article were published: those whose rows come first stand at an end
        of the facet.
        """
        facet, alone = group.stories, Asked(groups=(group,)) == self._rows.asked
        if facet is None or not alone or not self._rows.whole or self._plan.after or self._plan.before:
            return None
        newest = self._rows.order.keys[0].descending is not self._plan.backward
        of, story, value = (self._renderer.alias(name) for name in ("facets", "stories", "values"))
        step, time = ("latest", "last_published_at") if newest else ("newest", "first_published_at")
        direction = " desc" if newest else ""
        # Of stories at the same time, any may have the article that comes first.
        leading = compose(
            "select {story}.id from story_facets {of} join stories {story} on {story}.id = {of}.story_id"
            " where {of}.facet = {facet} and {of}.value = {value}.value"
            " order by {of}.{step}{direction}, {story}.{time}{direction} fetch first {size} rows with ties",
            story=text(story),
            of=text(of),
            facet=literal(facet.facet),
            value=text(value),
            step=text(step),
            time=text(time),
            direction=text(direction),
            size=text(str(self._size)),
        )
        member = self._renderer.alias("g")
        members = compose(
            "select distinct {member}.id, 1 from unnest({values}) {value} (value) cross join lateral ({leading})"
            " {member} where not ({dense})",
            member=text(member),
            dense=self._around.term(group.dense),
            values=self._around.term(facet.values),
            value=text(value),
            leading=leading,
        )
        of_each = self._of_each(members, f"{{{group.column}}}", group)
        return self._either(self._around.term(group.dense), of_each)

    def _groups(self, group: InGroup) -> Sql:
        """Rows of many groups. Where those are a fair part of all rows, a walk of all meets them soon enough."""
        dense, column = self._around.term(group.dense), f"{{{group.column}}}"
        members = compose("{members} and not ({dense})", members=self._around.term(group.members), dense=dense)
        return self._either(dense, self._of_each(self._leading(members, column, group), column, group))

    def _leading(self, items: Sql, column: str, walked: object) -> Sql:
        """Of many items that rows have in a column, those whose first rows come first: others have none on the page.

        Each with its place.
        """
        item, head, first = self._renderer.alias("items"), self._row(), self._renderer.alias("first")
        return compose(
            "select {first}.item, row_number() over () from (select {item}.item from ({items}) {item} (item)"
            " cross join lateral ({head}) h{order} limit {size}) {first}",
            first=text(first),
            item=text(item),
            items=items,
            head=self._walk(head, more=(self._equals(head, column, item),), without=walked, size=1),
            order=order_by(self._rows, Scope("h", outer=self._scope), backward=self._plan.backward),
            size=text(str(self._size)),
        )

    def _of_each(self, items: Sql, column: str, walked: object) -> Sql:
        """The keys of the rows that have each item, as many as can be on the page: before an item's first row come as
        many others as items before its place.
        """
        item, row = self._renderer.alias("items"), self._row()
        return compose(
            "select w.* from ({items}) {item} (item, place)"
            " cross join lateral (select x.* from ({rows}) x limit {size} + 1 - {item}.place) w",
            items=items,
            item=text(item),
            rows=self._walk(row, keys_only=True, more=(self._equals(row, column, item),), without=walked),
            size=text(str(self._size)),
        )

    def _equals(self, row: Scope, column: str, item: str) -> Sql:
        return compose("{column} = {item}.item", column=row.term(Term(column)), item=text(item))

    def _either(self, dense: Sql, of_each: Sql) -> Sql:
        """A walk of all rows where what is asked is dense, else what `of_each` finds; the other costs a comparison."""
        return self._together(
            compose("{all} union all {each}", all=self._every(compose("({dense})", dense=dense)), each=of_each)
        )

    # Positions ----------------------------------------------------------------------------------------------

    def _steps(self, facet: str, alias: str) -> list[Sql]:
        """The steps that positions lie in, so that the walk begins and ends there."""
        order = self._rows.order
        descending = order.keys[0].descending
        sides = ((self._plan.after, "<=" if descending else ">="), (self._plan.before, ">=" if descending else "<="))
        return [
            compose(
                "{f}.{step} {operator} {function}({facet}, {key})",
                f=text(alias),
                step=text(order.steps[0]),
                operator=text(operator),
                function=text(order.step_function),
                facet=literal(facet),
                key=position.keys[0],
            )
            for position, operator in sides
            if position is not None
        ]

    def _steps_of_ranges(self, facet: str, alias: str) -> list[Sql]:
        """The steps that ranges lie in, of the keys that facets follow."""
        return [
            compose(
                "{f}.{step} {operator} {function}({facet}, {end})",
                f=text(alias),
                step=text(range_.range.kept[0]),
                operator=text(operator),
                function=text(range_.range.kept[1]),
                facet=literal(facet),
                end=end,
            )
            for range_ in self._rows.asked.ranges
            if range_.range.kept
            for operator, end in ((">=", range_.least), ("<=", range_.below))
            if end
        ]

    def _positions(self, row: Scope) -> list[Sql]:
        return [*checks(self._plan, self._scope), *positions(self._plan, row)]

    def _row(self) -> Scope:
        return row_of(self._renderer, self._rows.table, self._scope)


def _where_holds(when: Sql, values: Sql) -> Sql:
    """An array where a condition holds, else null."""
    return compose("case when {when} then {values} end", when=when, values=values)
