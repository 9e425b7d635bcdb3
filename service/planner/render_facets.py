"""Stories of facets: by walks of `story_facets`, which follows the keys of each order in coarse steps."""

from __future__ import annotations

from service.planner.plan import COARSER_FACET, DENSE_FACET, Asked, InFacet, InGroup
from service.planner.render_conditions import conditions_of
from service.planner.render_order import key_columns, keys
from service.planner.render_walks import Walks
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, literal, text


class FacetWalks:
    """Ways to the stories of facets, and to the rows of their stories."""

    def __init__(self, walks: Walks) -> None:
        self._walks = walks
        self._renderer = walks.renderer
        self._rows = walks.rows
        self._plan = walks.plan
        self._around = walks.around
        self._size = walks.size

    def of_facets(self, facets: tuple[InFacet, ...]) -> Sql:
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
        return self._walks.either(dense, join(walks, " union all "))

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
        row, facet, order = self._walks.row(), self._renderer.alias("f"), self._rows.order
        conditions = [
            compose(
                "{f}.facet = {facet} and {f}.value = {value}", f=text(facet), facet=literal(walked.facet), value=value
            ),
            *conditions_of(self._renderer, self._rows, row, walked),
            *(Scope(facet).term(term) for term in self._rows.asked.of_facets),
            *self._steps(walked.facet, facet),
            *self._steps_of_ranges(walked.facet, facet),
            *self._walks.positions(row),
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

    def of_stories(self, group: InGroup) -> Sql | None:
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
        of_each = self._walks.of_each(members, f"{{{group.column}}}", group)
        return self._walks.either(self._around.term(group.dense), of_each)

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
