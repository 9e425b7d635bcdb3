"""The first rows that hold words, found in one slice of time after the other.

An index of words has no order, but it has the time in blocks as words too. So what is asked of it is the words together
with the blocks of a slice, from the end of the list (or from a position) on; each slice is about as long as all before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.planner.plan import InWords, Page
from service.planner.render_conditions import conditions_of, outlets_of, row_of
from service.planner.render_order import checks, key_columns, order_by, positions
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text

if TYPE_CHECKING:
    from service.planner.render import Renderer


def sliced_words(plan: Page) -> InWords | None:
    """What is asked of the words, where slices are the way: in a list of all, or of an outlet, by that time."""
    rows = plan.rows
    if not rows.asked.words or not (rows.whole or rows.by == "outlet_id"):
        return None
    words = rows.asked.words[0]
    return words if rows.order.keys[0].sql == words.time else None


def sliced_keys(renderer: Renderer, plan: Page, scope: Scope, size: int, words: InWords) -> Sql:
    """The keys of the first rows, as many as `size`. `offset 0` keeps Postgres from finding them by anything else."""
    rows = plan.rows
    indexed, row, slices = row_of(renderer, rows.table, scope), row_of(renderer, rows.table, scope), renderer.alias("s")
    newest_first = rows.order.keys[0].descending is not plan.backward
    found = compose(
        "select {alias}.* from {table} {alias} where {lexemes} @@ ({query} && {slice}) offset 0",
        alias=text(indexed.alias),
        table=text(rows.table),
        lexemes=indexed.term(words.lexemes),
        query=_query(renderer, plan, scope, indexed.term(words.query)),
        slice=text(f"{slices}.slice"),
    )
    # What is asked depends on the slice, so slices are asked in their order, and no more of them once there is enough.
    return compose(
        "select w.* from time_slices({since}, {until}, {newest_first}) {slices} (slice) cross join lateral"
        " (select {columns} from ({found}) {row}{where}{order} limit {size}) w{checks} limit {size}",
        since=_end(renderer, plan, scope, words, lower=True),
        until=_end(renderer, plan, scope, words, lower=False),
        newest_first=text("true" if newest_first else "false"),
        slices=text(slices),
        columns=key_columns(rows, row),
        row=text(row.alias),
        found=found,
        where=renderer.where([*conditions_of(renderer, rows, row, words), *positions(plan, row)]),
        order=order_by(rows, row, backward=plan.backward),
        checks=renderer.where(checks(plan, scope)),
        size=text(str(size)),
    )


def _query(renderer: Renderer, plan: Page, scope: Scope, words: Sql) -> Sql:
    """The words, of the parent or of the outlets that a filter means, if those are few; null where there is no word."""
    rows, around, asked = plan.rows, Scope(outer=scope), text("q.words")
    if rows.by == "outlet_id":
        asked = compose("q.words && outlets_query(array[{parent}])", parent=around.resolve("outer.id"))
    elif rows.asked.outlet:
        group = outlets_of(renderer, rows)
        asked = compose(
            "case when {dense} then q.words else q.words && outlets_query(array({members})) end",
            dense=around.term(group.dense),
            members=around.term(group.members),
        )
    return compose(
        "(select case when numnode(q.words) > 0 then {asked} end from (select {words} as words offset 0) q)",
        asked=asked,
        words=words,
    )


def _end(renderer: Renderer, plan: Page, scope: Scope, words: InWords, *, lower: bool) -> Sql:
    """The earliest (or the latest) time that a row on the page may have."""
    rows, row = plan.rows, row_of(renderer, plan.rows.table, scope)
    extreme = compose(
        "(select {which}({time}) from {table} {alias}{where})",
        which=text("min" if lower else "max"),
        time=row.resolve_key(rows.order.keys[0], rows.order_values),
        table=text(rows.table),
        alias=text(row.alias),
        where=renderer.where(row.term(term) for term in rows.where),
    )
    return compose(
        "{innermost}({ends})",
        innermost=text("greatest" if lower else "least"),
        ends=join([extreme, *_given_ends(plan, words, lower=lower)]),
    )


def _given_ends(plan: Page, words: InWords, *, lower: bool) -> Iterator[Sql]:
    ends = [each.least if lower else each.below for each in plan.rows.asked.ranges if each.range.key == words.time]
    yield from (end for end in ends if end)
    descending = plan.rows.order.keys[0].descending
    for position, forward in ((plan.after, True), (plan.before, False)):
        if position is not None and (descending is forward) is not lower:
            yield position.keys[0]
