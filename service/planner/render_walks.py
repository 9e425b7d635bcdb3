"""Walks of a list's rows in its order, each by one index, and how what several of them find comes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.planner.plan import InRange, Page, Term
from service.planner.render_conditions import conditions_of, row_of
from service.planner.render_order import checks, key_columns, order_by, order_by_columns, positions
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text

if TYPE_CHECKING:
    from service.planner.render import Renderer


class Walks:
    """Ways to the first `size` rows of a list from a position on; the last ones, in reverse, where it is read backward.

    Where several walks are needed, each finds the keys of the rows that come first on it.
    """

    def __init__(self, renderer: Renderer, plan: Page, scope: Scope, size: int) -> None:
        self.renderer = renderer
        self.plan = plan
        self.rows = plan.rows
        self.scope = scope
        self.around = Scope(outer=scope)
        self.size = size

    def walk(
        self,
        row: Scope,
        *,
        keys_only: bool = False,
        more: tuple[Sql, ...] = (),
        without: object = None,
        size: int | None = None,
    ) -> Sql:
        """The table's rows in the list's order: those that meet all that is asked, `without` one part, and `more`."""
        conditions = [*conditions_of(self.renderer, self.rows, row, without), *more, *self.positions(row)]
        return compose(
            "select {columns} from {table} {alias}{where}{order} limit {size}",
            alias=text(row.alias),
            columns=key_columns(self.rows, row) if keys_only else text(f"{row.alias}.*"),
            table=text(self.rows.table),
            where=self.renderer.where(conditions),
            order=order_by(self.rows, row, backward=self.plan.backward),
            size=text(str(size or self.size)),
        )

    def together(self, found: Sql) -> Sql:
        """The first of the rows whose keys several walks found, each once, in the order of the list."""
        row, first = self.row(), self.renderer.alias("first")
        return compose(
            "select {alias}.* from (select distinct * from ({found}) {first}{by_columns} limit {size}) {first}"
            " join {table} {alias} on {alias}.id = {first}.id{order}",
            alias=text(row.alias),
            first=text(first),
            table=text(self.rows.table),
            found=found,
            by_columns=order_by_columns(self.rows, backward=self.plan.backward),
            order=order_by(self.rows, row, backward=self.plan.backward),
            size=text(str(self.size)),
        )

    def either(self, dense: Sql, of_each: Sql) -> Sql:
        """A walk of all rows where what is asked is dense, else what `of_each` finds; the other costs a comparison."""
        return self.together(
            compose("{all} union all {each}", all=self.every(compose("({dense})", dense=dense)), each=of_each)
        )

    def every(self, when: Sql) -> Sql:
        """The keys of a page's rows, where `when` holds: by the steps of a range, by each of some values, or in one go.

        Where the rows of a range of another key stand in the order cannot be foreseen (of an old week, all are far from
        the newest), so each step's own are walked, unless those are too many.
        """
        stepped, values = self.rows.stepped, self.rows.asked.values
        if stepped:
            return self._by_steps(stepped, when)
        if self.rows.whole and values:
            return self.of_values(_where_holds(when, values[0].values), f"{{{values[0].column}}}", values[0])
        return compose("({walk})", walk=self.walk(self.row(), keys_only=True, more=(when,)))

    def _by_steps(self, stepped: InRange, when: Sql) -> Sql:
        steps = [(each.step, self.around.term(stepped.among(each.among))) for each in stepped.range.steps]
        too_many = join([compose("{among} is null", among=among) for _, among in steps], " or ")
        counted = compose("{when} and not ({too_many})", when=when, too_many=too_many)
        uncounted = compose("{when} and ({too_many})", when=when, too_many=too_many)
        ways = [self.of_values(_where_holds(counted, among), step, stepped) for step, among in steps]
        walk = self.walk(self.row(), keys_only=True, more=(uncounted,))
        return join([compose("({walk})", walk=walk), *ways], " union all ")

    def of_values(self, values: Sql, column: str, walked: object) -> Sql:
        """The keys of the rows of each value; of more values than a page has rows, of those whose first come first."""
        item, size = self.renderer.alias("items"), text(str(self.size))
        few = compose(
            "select {item}.item, 1 from unnest({values}) {item} (item) where cardinality({values}) <= {size}",
            item=text(item),
            values=values,
            size=size,
        )
        many = "select distinct unnest({values}) where cardinality({values}) > {size}"
        leading = self.leading(compose(many, values=values, size=size), column, walked)
        return self.of_each(compose("{few} union all {leading}", few=few, leading=leading), column, walked)

    def leading(self, items: Sql, column: str, walked: object) -> Sql:
        """Of many items that rows have in a column, those whose first rows come first: others have none on the page.

        Each with its place.
        """
        item, head, first = self.renderer.alias("items"), self.row(), self.renderer.alias("first")
        return compose(
            "select {first}.item, row_number() over () from (select {item}.item from ({items}) {item} (item)"
            " cross join lateral ({head}) h{order} limit {size}) {first}",
            first=text(first),
            item=text(item),
            items=items,
            head=self.walk(head, more=(self._equals(head, column, item),), without=walked, size=1),
            order=order_by(self.rows, Scope("h", outer=self.scope), backward=self.plan.backward),
            size=text(str(self.size)),
        )

    def of_each(self, items: Sql, column: str, walked: object) -> Sql:
        """The keys of the rows that have each item, as many as can be on the page: before an item's first row come as
        many others as items before its place.
        """
        item, row = self.renderer.alias("items"), self.row()
        return compose(
            "select w.* from ({items}) {item} (item, place)"
            " cross join lateral (select x.* from ({rows}) x limit {size} + 1 - {item}.place) w",
            items=items,
            item=text(item),
            rows=self.walk(row, keys_only=True, more=(self._equals(row, column, item),), without=walked),
            size=text(str(self.size)),
        )

    def _equals(self, row: Scope, column: str, item: str) -> Sql:
        return compose("{column} = {item}.item", column=row.term(Term(column)), item=text(item))

    def positions(self, row: Scope) -> list[Sql]:
        return [*checks(self.plan, self.scope), *positions(self.plan, row)]

    def row(self) -> Scope:
        return row_of(self.renderer, self.rows.table, self.scope)


def _where_holds(when: Sql, values: Sql) -> Sql:
    """An array where a condition holds, else null."""
    return compose("case when {when} then {values} end", when=when, values=values)
