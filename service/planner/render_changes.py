"""Changes as a subscription tells them: the next ones after a position, in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.binding import Order
from schema.changes import BETWEEN
from schema.ids import standing_for
from service.planner.plan import Changes, Rowset, Term
from service.planner.render_conditions import conditions_of, row_of
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text

if TYPE_CHECKING:
    from service.planner.render import Renderer

MOST_CHANGES = 100
"""Changes that are looked at in one go; of a filtered feed, perhaps none of them is told."""

NOW = standing_for("m.id = {outer.story_id}")


def next_changes(renderer: Renderer, plan: Changes) -> Sql:
    """One row: the position that was come to, whether there is more, the cursor and the JSON text of each change."""
    feed = Scope(renderer.alias("feed"))
    row = Scope(renderer.alias("changes"), outer=feed)
    source = text(f" from changes {row.alias}")
    source += renderer.where([row.term(Term(BETWEEN)), *_told(renderer, plan, row)])
    told = compose(
        "select change_cursor({c}.xid, {c}.seq) as cursor, {c}.xid, {c}.seq, to_json(({object}))::text as told{source}",
        c=text(row.alias),
        object=renderer.object(plan.object, row, Sql()),
        source=source,
    )
    return compose(
        "select change_cursor({f}.end_xid, {f}.end_seq), {f}.has_more, t.cursors, t.told"
        " from change_feed({after}, {most}) {f} cross join lateral (select"
        " coalesce(array_agg(e.cursor order by e.xid, e.seq), '{}') as cursors,"
        " coalesce(array_agg(e.told order by e.xid, e.seq), '{}') as told from ({told}) e) t",
        f=text(feed.alias),
        after=plan.after,
        most=text(str(MOST_CHANGES)),
        told=told,
    )


def _told(renderer: Renderer, plan: Changes, row: Scope) -> list[Sql]:
    conditions: list[Sql] = []
    if plan.story is not None:
        conditions.append(
            compose(
                "{story_id} in (select unnest(array[m.id, m.merged_into]) from stories m where m.id = {key})",
                story_id=row.resolve("story_id"),
                key=plan.story,
            )
        )
    if plan.asked is not None:
        story = row_of(renderer, "stories", row)
        where = (Term(f"{{id}} = {NOW}"), Term("{article_count} > 0"))
        matching = Rowset("stories", False, "", where, plan.asked, Order(()), {})
        # What is gone matches nothing any more, but who has it must hear of that.
        conditions.append(
            compose(
                "({kind} in ('MERGED', 'REMOVED') or exists (select from stories {s} where {conditions}))",
                kind=row.resolve("kind"),
                s=text(story.alias),
                conditions=join(conditions_of(renderer, matching, story, None), " and "),
            )
        )
    return conditions
