"""Stories, articles, outlets, topics, places and reports. They refer to one another, so they stand together."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.binding import (
    Condition,
    Embedded,
    Facet,
    Gated,
    Key,
    Order,
    Rows,
    argument,
    asked,
    bound,
    column,
    paged,
    part_of,
    takes,
)
from schema.binding import Connection as Page
from schema.coverage import Coverage, TimelineBucket, UpgradeRequired
from schema.directives import NEEDS_FACTUALITY, NEEDS_OWNERSHIP, NEEDS_PERSPECTIVES
from schema.filters import ArticleFilter, ArticleSort, StoryArticleSort, StoryFilter, StorySort
from schema.ids import identity
from schema.pagination import Connection
from schema.scalars import URL, CountryCode, DateTime, LanguageTag
from schema.vocabulary import ArticleKind, Bias, Factuality, Feature, Interval, Medium, OwnershipCategory, Side
from schema.windows import OF_OUTLET, OF_TOPIC, CoverageReport, OutletActivity, published

SHOWN = "{article_count} > 0"
REPORT_ORDER = Order((Key("{first_published_at}", "timestamptz"), Key("{first_article_id}", "bigint")))


def stories_within(facet: str, share: str) -> Page:
    """A row's stories: those that `story_facets` knows under the row's own key."""
    return Page("stories", SHOWN, parent="{outer.id}", within=Facet(facet, "array[{outer.id}]", share))


@strawberry.interface(description="An object with a globally unique, opaque, stable id. (Relay.)")
class Node:
    id: strawberry.ID


@strawberry.type(description="How one side told a story.")
class Perspective:
    side: Side = column()
    summary: str = column()


@strawberry.type(description="How each side told a story: left, center, right, where there is a summary.")
class PerspectiveList:
    items: list[Perspective] = bound(Rows("perspectives", "{story_id} = {outer.id}", "{side}"))


StoryPerspectives = Annotated[
    PerspectiveList | UpgradeRequired,
    strawberry.union("StoryPerspectives", description="How each side told a story, where included."),
]


@strawberry.type(description="An event in the news, and all the articles found about it.")
class Story(Node):
    id: strawberry.ID = column(identity("story"))
    slug: str = column()
    title: str = column()
    summary: str | None = column()
    key_points: list[str] = column()
    perspectives: StoryPerspectives = bound(
        Gated(Feature.PERSPECTIVES, "PerspectiveList", Embedded()),
        description="How each side told it. One entry for every side that has a summary.",
        directives=NEEDS_PERSPECTIVES,
    )
    topics: list[Topic] = bound(
        Rows(
            "(select t.*, p.position from story_topics p join topics t on t.id = p.topic_id"
            " where p.story_id = {outer.id})",
            order="{position}",
        )
    )
    places: list[Place] = bound(
        Rows(
            "(select t.*, p.position from story_places p join places t on t.id = p.place_id"
            " where p.story_id = {outer.id})",
            order="{position}",
        )
    )
    image_url: URL | None = column()
    first_published_at: DateTime = column(description="When its first article was published.")
    last_published_at: DateTime = column(description="When its newest article was published.")
    updated_at: DateTime = column(description="When anything about the story last changed in this service.")
    coverage: Coverage = bound(Embedded(), description="Who covers it, and how they divide.")
    first_article: Article | None = bound(
        Rows("articles", "{id} = {outer.first_article_id}"), description="The first article published about it."
    )
    articles: Connection[Article] = paged(
        Page("articles", parent="{outer.id}", by="story_id", open_ended=False),
        filter=ArticleFilter,
        sort=StoryArticleSort.NEWEST,
    )
    reports: Connection[Report] = paged(
        Page("reports", parent="{outer.id}", by="story_id", open_ended=False, order=REPORT_ORDER),
        also=(
            asked("side", Side, Condition("(select o.side from outlets o where o.id = {outlet_id}) = {value}", "side")),
        ),
        description="The outlets that cover it, each once, in the order in which they took it up.",
    )
    timeline: list[TimelineBucket] = takes(
        Rows("story_timeline({outer.id}, {arg.interval})", order="{start}"),
        argument("interval", Interval, Interval.HOUR),
        description="Coverage as it grew. Empty intervals are left out.",
    )
    related: list[Story] = takes(
        Rows(
            "related_stories({outer.id}, {arg.first}) with ordinality",
            order="{ordinality}",
            limited_by="first",
            open_ended=True,
        ),
        argument("first", int, 5),
        description="Stories most like this one, best first.",
    )
    merged_from: list[strawberry.ID] = column(
        "array(select 'story_' || m.id from stories m where m.merged_into = {id} order by m.id)",
        description="Ids of stories that were merged into this one; each still resolves to it.",
    )


@strawberry.type(description="One piece that one outlet published.")
class Article(Node):
    id: strawberry.ID = column(identity("article"))
    url: URL = column()
    title: str = column()
    excerpt: str | None = column()
    authors: list[str] = column()
    kind: ArticleKind = column()
    language: LanguageTag | None = column()
    image_url: URL | None = column()
    paywalled: bool | None = column()
    published_at: DateTime = column()
    updated_at: DateTime = column(description="When anything about the article last changed in this service.")
    outlet: Outlet = bound(Rows("outlets", "{id} = {outer.outlet_id}"))
    story: Story = bound(Rows("stories", "{id} = {outer.story_id}"))


@strawberry.type(description="An outlet's record of factual reporting.")
class FactualityRating:
    factuality: Factuality | None = column()
    score: float | None = column(
        "{factuality_score}", description="Mean of the agencies' levels, 1 (very low) to 5 (very high)."
    )


@strawberry.type(description="One who owns an outlet.")
class Owner:
    name: str = column()
    category: OwnershipCategory = column()


@strawberry.type(description="Who owns an outlet.")
class Ownership:
    owners: list[Owner] = bound(Rows("owners", "{outlet_id} = {outer.id}", "{position}"))


OutletFactuality = Annotated[
    FactualityRating | UpgradeRequired,
    strawberry.union("OutletFactuality", description="A record of factual reporting, where included."),
]
OutletOwnership = Annotated[
    Ownership | UpgradeRequired, strawberry.union("OutletOwnership", description="Who owns an outlet, where included.")
]


@strawberry.type(description="One agency's rating of an outlet.")
class AgencyRating:
    agency: str = column(description="Short name of the rater, for example MBFC.")
    bias: Bias | None = column()
    factuality: OutletFactuality = bound(
        Gated(
            Feature.FACTUALITY,
            "FactualityRating",
            Embedded(
                {
                    "factuality_score": "array_position(enum_range(null::factuality), {factuality})::double precision",
                }
            ),
        ),
        directives=NEEDS_FACTUALITY,
    )
    rated_at: DateTime | None = column()
    url: URL | None = column()


@strawberry.type(description="A publisher of news, known by its registrable domain.")
class Outlet(Node):
    id: strawberry.ID = column(identity("outlet"))
    slug: str = column()
    name: str = column()
    domain: str = column()
    homepage_url: URL | None = column()
    country: CountryCode | None = column()
    place: Place | None = bound(Rows("places", "{id} = {outer.place_id}"))
    language: LanguageTag | None = column()
    medium: Medium | None = column()
    bias: Bias | None = column(description="Consensus of the rating agencies; null where none has rated it.")
    bias_score: float | None = column(description="Mean of the agencies' biases, -3 (far left) to 3 (far right).")
    side: Side | None = column()
    factuality: OutletFactuality = bound(
        Gated(Feature.FACTUALITY, "FactualityRating", Embedded()), directives=NEEDS_FACTUALITY
    )
    ownership: OutletOwnership = bound(Gated(Feature.OWNERSHIP, "Ownership", Embedded()), directives=NEEDS_OWNERSHIP)
    ratings: list[AgencyRating] = bound(
        Rows("ratings", "{outlet_id} = {outer.id}", "{rated_at} desc nulls last, {agency}"),
        description="Every agency's own rating, newest first: the inputs of the consensus.",
    )
    articles: Connection[Article] = paged(
        Page("articles", parent="{outer.id}", by="outlet_id"),
        filter=ArticleFilter,
        sort=ArticleSort.NEWEST,
    )
    stories: Connection[Story] = paged(
        stories_within("OUTLET", part_of("articles", "{outer.article_count}")),
        filter=StoryFilter,
        sort=StorySort.LATEST,
    )
    activity: OutletActivity = takes(
        OF_OUTLET,
        published(optional=True),
        description="What the outlet covered in a window (the last 30 days where none is given).",
    )


@strawberry.type(description="A subject. Everything under a topic includes its subtopics, each story once.")
class Topic(Node):
    id: strawberry.ID = column(identity("topic"))
    slug: str = column()
    name: str = column()
    parent: Topic | None = bound(Rows("topics", "{id} = {outer.parent_id}"))
    story_count: int = column(description="May be up to a minute old.")
    stories: Connection[Story] = paged(
        stories_within("TOPIC", part_of("stories", "{outer.story_count}")), filter=StoryFilter, sort=StorySort.LATEST
    )
    coverage: CoverageReport = takes(
        OF_TOPIC,
        published(optional=True),
        description="Coverage of its stories in a window (the last 30 days where none is given).",
    )


@strawberry.type(description="Somewhere that stories are about, or that outlets are at home.")
class Place(Node):
    id: strawberry.ID = column(identity("place"))
    slug: str = column()
    name: str = column()
    country: CountryCode | None = column()
    story_count: int = column(description="May be up to a minute old.")
    stories: Connection[Story] = paged(
        stories_within("PLACE", part_of("stories", "{outer.story_count}")), filter=StoryFilter, sort=StorySort.LATEST
    )


@strawberry.type(description="One outlet's coverage of one story.")
class Report:
    outlet: Outlet = bound(Rows("outlets", "{id} = {outer.outlet_id}"))
    story: Story = bound(Rows("stories", "{id} = {outer.story_id}"))
    article_count: int = column()
    first_article: Article = bound(Rows("articles", "{id} = {outer.first_article_id}"))
    first_published_at: DateTime = column()
