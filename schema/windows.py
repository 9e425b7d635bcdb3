"""Coverage over many stories, in a window of time: what a report needs to be in it, and what is counted of those."""

from __future__ import annotations

from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.binding import KEY, Embedded, Gated, Rows, Span, argument, bound, column, takes
from schema.coverage import BiasDistribution, CoverageFactuality, CoverageOwnership, TimelineBucket
from schema.directives import FREE, NEEDS_FACTUALITY, NEEDS_OWNERSHIP, about, as_long_as, weighs
from schema.scalars import CountryCode, DateTime
from schema.vocabulary import Feature, Interval

if TYPE_CHECKING:
    from schema.news import Outlet, Topic

OutletRef = Annotated["Outlet", strawberry.lazy("schema.news")]
TopicRef = Annotated["Topic", strawberry.lazy("schema.news")]


@strawberry.input(description="Half-open: from `after`, without `before`; `before` is now where it is missing.")
class Window:
    after: DateTime = strawberry.field(
        description="Where it begins. 90 days ago at most without HISTORY, unless the service is set otherwise."
    )
    before: DateTime | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where it ends, by default now; at most 366 days on, unless the service is set otherwise.",
    )


@strawberry.input(
    description="Chooses reports, all conditions together: topics and places by story, outlets and countries by "
    "outlet. A list holds where any of its values does; an empty one matches nothing."
)
class CoverageFilter:
    topics: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Topic slugs; a topic includes those under it."
    )
    places: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Place slugs.")
    outlets: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Domains of outlets.")
    countries: list[CountryCode] | None = strawberry.field(
        default=strawberry.UNSET, description="Countries of outlets."
    )
    published: Window = strawberry.field(
        description="When a report's first article was published.", metadata={KEY: Span()}
    )


# What is counted ------------------------------------------------------------------------------------------


def _chosen(published: str, *, topics: str = "null", places: str = "null", outlets: str = "null") -> str:
    """A row that says what is counted: ids, null where all are; of the last 30 days where `published` is not given."""
    return (
        f"(select coalesce({{{published}.after}}, now() - interval '30 days') as after,"
        f" coalesce({{{published}.before}}, now()) as before,"
        f" {topics}::bigint[] as topics, {places}::bigint[] as places, {outlets}::bigint[] as outlets) w"
    )


_CHOICE = "w.after, w.before, w.topics, w.places, w.outlets"
_OUTER_CHOICE = "{outer.after}, {outer.before}, {outer.topics}, {outer.places}, {outer.outlets}"


def _counted(name: str, by: str, *more: str) -> str:
    """A join of one row, whose column `n` is what the function `by` returns of the choice and `more`.

    The aggregate makes it one row for Postgres too, which leaves out a join of one row that nothing selects from: only
    what is asked for is counted, and what several fields have in common once.
    """
    return f" left join lateral (select count(*), {by}({', '.join((_CHOICE, *more))}) as n) {name} on true"


_COUNTS = (
    _counted("stories", "window_story_counts")
    + _counted("kept", "covering_outlets", "true")
    + _counted("read", "covering_outlets", "false")
    + _counted("looked", "window_outlet_count")
    + _counted("reports", "window_counts")
    + _counted("ratings", "window_ratings")
)
_NAMED = (
    "w.*, (stories.n).story_count, (stories.n).left_blindspot_count, (stories.n).right_blindspot_count,"
    " coalesce((kept.n).outlet_ids, (read.n).outlet_ids) as outlet_ids,"
    " coalesce((kept.n).report_counts, (read.n).report_counts) as report_counts,"
    " coalesce((kept.n).article_counts, (read.n).article_counts) as article_counts,"
    " coalesce(cardinality((kept.n).outlet_ids), looked.n, 0) as outlet_count,"
    " (reports.n).report_count, (reports.n).article_count,"
    " (ratings.n).divided_count, (ratings.n).bias_counts, (ratings.n).factuality_counts, (ratings.n).ownership_counts"
)


def report(published: str, **chosen: str) -> Rows:
    """Coverage of the reports that are chosen by templates of arrays of ids: topics, places, outlets."""
    return Rows(f"(select {_NAMED} from {_chosen(published, **chosen)}{_COUNTS})", open_ended=True)


def _known(table: str, column: str, given: str) -> str:
    """The ids of rows by what names them; null where nothing is given."""
    found = f"select x.id from {table} x where x.{column} = any({{{given}}})"
    return f"case when {{{given}}} is not null then array({found}) end"


OUTLETS = (
    "case when {arg.filter.outlets} is not null or {arg.filter.countries} is not null"
    " then array(select x.id from outlets x"
    " where ({arg.filter.outlets} is null or x.domain = any({arg.filter.outlets}))"
    " and ({arg.filter.countries} is null or x.country = any({arg.filter.countries}))) end"
)
OF_FILTER = report(
    "arg.filter.published",
    topics=_known("topics", "slug", "arg.filter.topics"),
    places=_known("places", "slug", "arg.filter.places"),
    outlets=OUTLETS,
)
OF_TOPIC = report("arg.published", topics="array[{outer.id}]")
OF_OUTLET = Rows(
    f"(select {_NAMED}, first.n as first_report_count from {_chosen('arg.published', outlets='array[{outer.id}]')}"
    f"{_COUNTS}"
    # The index of a story's reports tells which is first, also of those at the same time, but is asked of few.
    " left join lateral (select count(*) filter (where r.outlet_id = ("
    "select f.outlet_id from reports f where f.story_id = r.story_id"
    " order by f.first_published_at, f.first_article_id limit 1)) as n"
    " from reports r join stories s on s.id = r.story_id and s.first_published_at = r.first_published_at"
    " where s.article_count > 0"
    " and r.outlet_id = any (w.outlets) and r.first_published_at >= w.after and r.first_published_at < w.before"
    ") first on true)",
    open_ended=True,
)


INTERVAL = "How long each bucket is."
FIRST = "How many, at most 50."


def _timeline(weight: int) -> Any:
    return takes(
        Rows(f"window_timeline({_OUTER_CHOICE}, {{arg.interval}})", order="{start}"),
        argument("interval", Interval, Interval.DAY, description=INTERVAL),
        directives=(*weighs(weight), *about(30)),
        description="Coverage as it grew. Empty intervals are left out; the first and the last may be partial.",
    )


def _top_topics() -> Any:
    return takes(
        Rows(
            f"(select n.topic_id, t.slug, n.story_count from window_topics({_OUTER_CHOICE}) n"
            " join topics t on t.id = n.topic_id"
            " order by n.story_count desc, t.slug limit {arg.first})",
            order="{story_count} desc, {slug}",
            limited_by="first",
        ),
        argument("first", int, 10, description=FIRST),
        directives=(*weighs(500), *as_long_as("first")),
        description="The topics that most of the stories are tagged with; those that they are under are not counted.",
    )


# Types -----------------------------------------------------------------------------------------------------


@strawberry.type(description="How many stories are a blindspot for each side.", directives=FREE)
class BlindspotCount:
    left: int = column("{left_blindspot_count}", description="Stories that the left barely reports.")
    right: int = column("{right_blindspot_count}", description="Stories that the right barely reports.")


@strawberry.type(description="How much one outlet covered.")
class OutletCount:
    outlet: OutletRef = bound(Rows("outlets", "{id} = {outer.outlet_id}"), description="The outlet that is counted.")
    report_count: int = column(description="Stories that it took up in the window.")
    article_count: int = column(description="Articles that it published in the window.")


@strawberry.type(description="How many stories are tagged with one topic.")
class TopicCount:
    topic: TopicRef = bound(Rows("topics", "{id} = {outer.topic_id}"), description="The topic that is counted.")
    story_count: int = column(description="Stories with a report in the window that are tagged with the topic itself.")


@strawberry.type(
    description="Coverage over many stories, in a window. A report is in the window when its first article is; see the "
    "rules for figures.",
    directives=FREE,
)
class CoverageReport:
    story_count: int = column(description="Stories with a report in the window.")
    article_count: int = column(description="Articles published in the window, whenever their report began.")
    report_count: int = column(description="Reports in the window: an outlet counts once for each story.")
    outlet_count: int = column(description="Outlets with a report in the window.")
    bias: BiasDistribution = bound(
        Embedded(
            {
                "outlet_count": "{divided_count}",
                "rated_count": "total({bias_counts})",
                "left_count": "(side_counts({bias_counts}))[1]",
                "center_count": "(side_counts({bias_counts}))[2]",
                "right_count": "(side_counts({bias_counts}))[3]",
            }
        ),
        description="How the reports divide by the bias of their outlets.",
    )
    factuality: CoverageFactuality = bound(
        Gated(Feature.FACTUALITY, "FactualityDistribution", Embedded({"outlet_count": "{divided_count}"})),
        directives=NEEDS_FACTUALITY,
        description="How the reports divide by their outlets' record of factual reporting.",
    )
    ownership: CoverageOwnership = bound(
        Gated(Feature.OWNERSHIP, "OwnershipDistribution", Embedded({"outlet_count": "{divided_count}"})),
        directives=NEEDS_OWNERSHIP,
        description="How the reports divide by who owns their outlets.",
    )
    blindspots: BlindspotCount = bound(
        Embedded(), description="Of the stories in the window, by each story's own present figure."
    )
    timeline: list[TimelineBucket] = _timeline(1000)
    top_outlets: list[OutletCount] = takes(
        Rows(
            "(select o.* from unnest({outer.outlet_ids}, {outer.report_counts}, {outer.article_counts})"
            " o (outlet_id, report_count, article_count)"
            " order by o.report_count desc, o.article_count desc, o.outlet_id desc limit {arg.first})",
            order="{report_count} desc, {article_count} desc, {outlet_id} desc",
            limited_by="first",
        ),
        argument("first", int, 10, description=FIRST),
        directives=(*weighs(500), *as_long_as("first")),
        description="The outlets with the most reports.",
    )
    top_topics: list[TopicCount] = _top_topics()


@strawberry.type(description="What one outlet covered in a window.", directives=FREE)
class OutletActivity:
    article_count: int = column(description="Articles that it published in the window, whenever their report began.")
    story_count: int = column(description="Stories that it covers.")
    first_report_count: int = column(description="Stories that it published first.")
    blindspot_count: int = column(
        "{left_blindspot_count} + {right_blindspot_count}",
        description="Stories that it covers and that are a blindspot for a side.",
    )
    top_topics: list[TopicCount] = _top_topics()
    timeline: list[TimelineBucket] = _timeline(200)


@strawberry.type(description="How alike two outlets' choice of stories is.", directives=weighs(100))
class OutletOverlap:
    a: OutletRef = bound(Rows("outlets", "{id} = {outer.a_id}"), description="The one that comes first in `domains`.")
    b: OutletRef = bound(Rows("outlets", "{id} = {outer.b_id}"), description="The one that comes later in `domains`.")
    both_count: int = column(description="Stories that both have a report of in the window.")
    only_a_count: int = column(description="Stories that `a` has a report of in the window, and `b` has not.")
    only_b_count: int = column(description="Stories that `b` has a report of in the window, and `a` has not.")
    jaccard: float = column(
        "coalesce({both_count}::double precision / nullif({both_count} + {only_a_count} + {only_b_count}, 0), 0)",
        description="Stories of both over stories of either, 0 to 1.",
    )


OVERLAPS = Rows(
    "outlet_overlaps({arg.domains}, {arg.published.after}, coalesce({arg.published.before}, now()))",
    order="{number}",
    open_ended=True,
)


def published(*, optional: bool = False) -> Parameter:
    """The argument that is a window."""
    if optional:
        about = "When a report's first article was published; the last 30 days where it is not given."
        return argument("published", Window | None, strawberry.UNSET, description=about, binding=Span())
    return argument("published", Window, description="When a report's first article was published.", binding=Span())
