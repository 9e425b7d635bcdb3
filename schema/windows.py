"""Coverage over many stories, in a window of time: what a report needs to be in it, and what is counted of those."""

from __future__ import annotations

from enum import Enum
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.binding import KEY, Embedded, Gated, Rows, Span, argument, bound, column, takes
from schema.coverage import BiasDistribution, CoverageFactuality, CoverageOwnership, TimelineBucket
from schema.directives import NEEDS_FACTUALITY, NEEDS_OWNERSHIP
from schema.scalars import CountryCode, DateTime
from schema.vocabulary import Bias, Factuality, Feature, Interval, OwnershipCategory, Side

if TYPE_CHECKING:
    from schema.news import Outlet, Topic

OutletRef = Annotated["Outlet", strawberry.lazy("schema.news")]
TopicRef = Annotated["Topic", strawberry.lazy("schema.news")]


@strawberry.input(description="Half-open: from `after`, without `before`; `before` is now where it is missing.")
class Window:
    after: DateTime
    before: DateTime | None = strawberry.UNSET


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


def _reports(condition: str) -> str:
    return f"coalesce(sum(o.report_count) filter (where {condition}), 0)::integer"


def _by(kind: type[Enum], column: str) -> str:
    counts = ", ".join(_reports(f"u.{column} = '{member.name}'") for member in kind)
    return f"array[{counts}] as {column}_counts"


_SIDES = ", ".join(_reports(f"u.side = '{side.name}'") + f" as {side.name.lower()}_count" for side in Side)
_POINTS = ", ".join((_by(Bias, "bias"), _by(Factuality, "factuality"), _by(OwnershipCategory, "ownership")))
_CHOICE = "w.after, w.before, w.topics, w.places, w.outlets"
_OUTER_CHOICE = "{outer.after}, {outer.before}, {outer.topics}, {outer.places}, {outer.outlets}"

# Postgres leaves out a join of one row that nothing selects from, so only what is asked for is counted.
_COUNTED_BY_OUTLET = (
    " left join lateral (select coalesce(sum(o.report_count), 0)::bigint as report_count,"
    " coalesce(sum(o.article_count), 0)::bigint as article_count,"
    f" count(*) filter (where o.report_count > 0) as outlet_count, {_reports('u.bias is not null')} as rated_count,"
    f" {_SIDES}, {_POINTS}"
    f" from window_outlets({_CHOICE}) o join outlets u on u.id = o.outlet_id) o on true"
)
_COUNTED_BY_STORY = (
    f" left join lateral (select count(*) as n, window_story_count({_CHOICE}) as story_count) c on true"
    " left join lateral (select count(s.blindspot) as blindspot_count,"
    " count(*) filter (where s.blindspot = 'LEFT') as left_blindspot_count,"
    " count(*) filter (where s.blindspot = 'RIGHT') as right_blindspot_count"
    f" from window_stories({_CHOICE}) s) s on true"
)
_COUNTED_FIRST = (
    " left join lateral (select count(*) as first_report_count from reports r"
    " join stories s on s.id = r.story_id and s.first_article_id = r.first_article_id"
    " where r.outlet_id = any (w.outlets) and r.first_published_at >= w.after and r.first_published_at < w.before"
    ") f on true"
)


def report(published: str, **chosen: str) -> Rows:
    """Coverage of the reports that are chosen by templates of arrays of ids: topics, places, outlets."""
    return Rows(
        f"(select w.*, o.*, c.*, s.* from {_chosen(published, **chosen)}{_COUNTED_BY_OUTLET}{_COUNTED_BY_STORY})",
        open_ended=True,
    )


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
    f"(select w.*, o.*, c.*, s.*, f.* from {_chosen('arg.published', outlets='array[{outer.id}]')}"
    f"{_COUNTED_BY_OUTLET}{_COUNTED_BY_STORY}{_COUNTED_FIRST})",
    open_ended=True,
)


def _timeline() -> Any:
    return takes(
        Rows(f"window_timeline({_OUTER_CHOICE}, {{arg.interval}})", order="{start}"),
        argument("interval", Interval, Interval.DAY),
        description="Coverage as it grew. Empty intervals are left out; the first and the last may be partial.",
    )


def _top_topics() -> Any:
    return takes(
        Rows(
            "(select t.id as topic_id, t.slug, n.story_count from (select p.topic_id, count(*) as story_count"
            f" from window_stories({_OUTER_CHOICE}) s join story_topics p on p.story_id = s.story_id"
            " group by p.topic_id) n join topics t on t.id = n.topic_id"
            " order by n.story_count desc, t.slug limit {arg.first})",
            order="{story_count} desc, {slug}",
            limited_by="first",
        ),
        argument("first", int, 10),
        description="The topics that most of the stories are tagged with; those that they are under are not counted.",
    )


# Types -----------------------------------------------------------------------------------------------------


@strawberry.type(description="How many stories are a blindspot for each side.")
class BlindspotCount:
    left: int = column("{left_blindspot_count}")
    right: int = column("{right_blindspot_count}")


@strawberry.type(description="How much one outlet covered.")
class OutletCount:
    outlet: OutletRef = bound(Rows("outlets", "{id} = {outer.outlet_id}"))
    report_count: int = column(description="Stories that it took up in the window.")
    article_count: int = column(description="Articles that it published in the window.")


@strawberry.type(description="How many stories are tagged with one topic.")
class TopicCount:
    topic: TopicRef = bound(Rows("topics", "{id} = {outer.topic_id}"))
    story_count: int = column()


@strawberry.type(
    description="Coverage over many stories, in a window. A report is in the window when its first article is; see the "
    "rules for figures."
)
class CoverageReport:
    story_count: int = column(description="Stories with a report in the window.")
    article_count: int = column(description="Articles published in the window, whenever their report began.")
    report_count: int = column()
    outlet_count: int = column(description="Outlets with a report in the window.")
    bias: BiasDistribution = bound(Embedded({"outlet_count": "{report_count}"}))
    factuality: CoverageFactuality = bound(
        Gated(Feature.FACTUALITY, "FactualityDistribution", Embedded({"outlet_count": "{report_count}"})),
        directives=NEEDS_FACTUALITY,
    )
    ownership: CoverageOwnership = bound(
        Gated(Feature.OWNERSHIP, "OwnershipDistribution", Embedded({"outlet_count": "{report_count}"})),
        directives=NEEDS_OWNERSHIP,
    )
    blindspots: BlindspotCount = bound(
        Embedded(), description="Of the stories in the window, by each story's own present figure."
    )
    timeline: list[TimelineBucket] = _timeline()
    top_outlets: list[OutletCount] = takes(
        Rows(
            f"(select o.* from window_outlets({_OUTER_CHOICE}) o where o.report_count > 0"
            " order by o.report_count desc, o.article_count desc, o.outlet_id desc limit {arg.first})",
            order="{report_count} desc, {article_count} desc, {outlet_id} desc",
            limited_by="first",
        ),
        argument("first", int, 10),
        description="The outlets with the most reports.",
    )
    top_topics: list[TopicCount] = _top_topics()


@strawberry.type(description="What one outlet covered in a window.")
class OutletActivity:
    article_count: int = column()
    story_count: int = column(description="Stories that it covers.")
    first_report_count: int = column(description="Stories that it published first.")
    blindspot_count: int = column(description="Stories that it covers and that are a blindspot for a side.")
    top_topics: list[TopicCount] = _top_topics()
    timeline: list[TimelineBucket] = _timeline()


@strawberry.type(description="How alike two outlets' choice of stories is.")
class OutletOverlap:
    a: OutletRef = bound(Rows("outlets", "{id} = {outer.a_id}"))
    b: OutletRef = bound(Rows("outlets", "{id} = {outer.b_id}"))
    both_count: int = column()
    only_a_count: int = column()
    only_b_count: int = column()
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
    metadata = strawberry.argument(metadata={KEY: Span()})
    if optional:
        return argument("published", Annotated[Window | None, metadata], strawberry.UNSET)
    return argument("published", Annotated[Window, metadata])
