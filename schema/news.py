"""Stories, articles, outlets, topics, places and reports. They refer to one another, so they stand together."""

from __future__ import annotations

from typing import Annotated, Any

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
from schema.directives import FREE, NEEDS_FACTUALITY, NEEDS_OWNERSHIP, NEEDS_PERSPECTIVES, about, as_long_as, weighs
from schema.filters import ArticleFilter, ArticleSort, StoryArticleSort, StoryFilter, StorySort
from schema.ids import identity
from schema.pagination import Connection, TotalCount, total_count
from schema.scalars import URL, CountryCode, DateTime, LanguageTag
from schema.vocabulary import ArticleKind, Bias, Factuality, Feature, Interval, Medium, OwnershipCategory, Side
from schema.windows import FIRST, INTERVAL, OF_OUTLET, OF_TOPIC, CoverageReport, OutletActivity, published

SHOWN = "{article_count} > 0"
REPORT_ORDER = Order((Key("{first_published_at}", "timestamptz"), Key("{first_article_id}", "bigint")))


def stories_within(facet: str, share: str) -> Page:
    """A row's stories: those that `story_facets` knows under the row's own key."""
    return Page("stories", SHOWN, parent="{outer.id}", within=Facet(facet, "array[{outer.id}]", share))


ID = "Tells it from every other object; `node` finds it by this."


def own_id(tag: str) -> Any:
    """The id of an object of its own."""
    return column(identity(tag), description=ID)


@strawberry.interface(description="An object with a globally unique, opaque, stable id. (Relay.)")
class Node:
    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.type(description="How one side told a story.")
class Perspective:
    side: Side = column(description="Whose telling it is.")
    summary: str = column(description="What outlets of this side say, in a few sentences.")


@strawberry.type(
    description="How each side told a story: left, center, right, where there is a summary.", directives=FREE
)
class PerspectiveList:
    items: list[Perspective] = bound(
        Rows("perspectives", "{story_id} = {outer.id}", "{side}"),
        directives=about(3),
        description="Left, center, right; a side without a summary is left out.",
    )


StoryPerspectives = Annotated[
    PerspectiveList | UpgradeRequired,
    strawberry.union("StoryPerspectives", description="How each side told a story, where included."),
]


@strawberry.type(description="An event in the news, and all the articles found about it.")
class Story(Node):
    id: strawberry.ID = own_id("story")
    slug: str = column(description="Its name in URLs, unique among stories.")
    title: str = column(description="Its headline, plain text.")
    summary: str | None = column(description="What happened, plain text; null where nobody has written one.")
    key_points: list[str] = column(description="The main facts, in the order given; empty where there are none.")
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
        ),
        directives=about(3),
        description="What it is tagged with, in the order given; those that they are under are not listed.",
    )
    places: list[Place] = bound(
        Rows(
            "(select t.*, p.position from story_places p join places t on t.id = p.place_id"
            " where p.story_id = {outer.id})",
            order="{position}",
        ),
        directives=about(3),
        description="Where it happens or what places it is about, in the order given.",
    )
    image_url: URL | None = column(description="A picture for it; null where there is none.")
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
        description="All articles found about it.",
    )
    reports: Connection[Report] = paged(
        Page("reports", parent="{outer.id}", by="story_id", open_ended=False, order=REPORT_ORDER),
        also=(
            asked(
                "side",
                Side,
                Condition("(select o.side from outlets o where o.id = {outlet_id}) = {value}", "side"),
                description="Only outlets of this side.",
            ),
        ),
        description="The outlets that cover it, each once, in the order in which they took it up.",
    )
    timeline: list[TimelineBucket] = takes(
        Rows("story_timeline({outer.id}, {arg.interval})", order="{start}"),
        argument("interval", Interval, Interval.HOUR, description=INTERVAL),
        directives=(*weighs(10), *about(24)),
        description="Coverage as it grew. Empty intervals are left out.",
    )
    related: list[Story] = takes(
        Rows(
            "related_stories({outer.id}, {arg.first}) with ordinality",
            order="{ordinality}",
            limited_by="first",
            open_ended=True,
        ),
        argument("first", int, 5, description=FIRST),
        directives=(*weighs(500), *as_long_as("first")),
        description="Stories most like this one, best first.",
    )
    merged_from: list[strawberry.ID] = column(
        "array(select 'story_' || m.id from stories m where m.merged_into = {id} order by m.id)",
        description="Ids of stories that were merged into this one; each still resolves to it.",
    )


@strawberry.type(description="One piece that one outlet published.")
class Article(Node):
    id: strawberry.ID = own_id("article")
    url: URL = column(description="Where it can be read; unique among articles.")
    title: str = column(description="Its headline, plain text.")
    excerpt: str | None = column(description="How it begins, or what it is about, plain text; null where unknown.")
    authors: list[str] = column(description="Names, in the order given; empty where unknown.")
    kind: ArticleKind = column(description="Whether it reports, argues or explains.")
    language: LanguageTag | None = column(description="What it is written in; null where unknown.")
    image_url: URL | None = column(description="Its picture; null where there is none.")
    paywalled: bool | None = column(description="Whether readers have to pay; null where unknown.")
    published_at: DateTime = column(description="When its outlet published it.")
    updated_at: DateTime = column(description="When anything about the article last changed in this service.")
    outlet: Outlet = bound(Rows("outlets", "{id} = {outer.outlet_id}"), description="Who published it.")
    story: Story = bound(Rows("stories", "{id} = {outer.story_id}"), description="What it is about.")


@strawberry.type(description="An outlet's record of factual reporting.", directives=FREE)
class FactualityRating:
    factuality: Factuality | None = column(
        description="The level nearest to `score`, a tie going to the lower; null where nobody has rated it."
    )
    score: float | None = column(
        "{factuality_score}", description="Mean of the agencies' levels, 1 (very low) to 5 (very high)."
    )


@strawberry.type(description="One who owns an outlet.")
class Owner:
    name: str = column(description="A person, a company or a body.")
    category: OwnershipCategory = column(description="What kind of owner it is.")


@strawberry.type(description="Who owns an outlet.", directives=FREE)
class Ownership:
    owners: list[Owner] = bound(
        Rows("owners", "{outlet_id} = {outer.id}", "{position}"),
        directives=about(2),
        description="In the order given; the first one decides where the outlet is counted. Empty where unknown.",
    )


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
    bias: Bias | None = column(description="The point that the agency gives; null where it does not rate bias.")
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
        description="The level that the agency gives, with nulls where it does not rate factuality.",
    )
    rated_at: DateTime | None = column(description="When the agency gave it; null where unknown.")
    url: URL | None = column(description="Where the agency tells of it; null where unknown.")


@strawberry.type(description="A publisher of news, known by its registrable domain.")
class Outlet(Node):
    id: strawberry.ID = own_id("outlet")
    slug: str = column(description="Its name in URLs, unique among outlets.")
    name: str = column(description="What it calls itself.")
    domain: str = column(description="Its registrable domain, in lower case; unique among outlets.")
    homepage_url: URL | None = column(description="Where it begins; null where unknown.")
    country: CountryCode | None = column(description="Where it is at home; null where unknown.")
    place: Place | None = bound(
        Rows("places", "{id} = {outer.place_id}"), description="The place it is at home in; null where unknown."
    )
    language: LanguageTag | None = column(description="What it mostly publishes in; null where unknown.")
    medium: Medium | None = column(description="What kind of publisher it is; null where unknown.")
    bias: Bias | None = column(description="Consensus of the rating agencies; null where none has rated it.")
    bias_score: float | None = column(description="Mean of the agencies' biases, -3 (far left) to 3 (far right).")
    side: Side | None = column(description="The side that `bias` folds into; null where nobody has rated its bias.")
    factuality: OutletFactuality = bound(
        Gated(Feature.FACTUALITY, "FactualityRating", Embedded()),
        directives=NEEDS_FACTUALITY,
        description="Consensus of the agencies on its record of factual reporting.",
    )
    ownership: OutletOwnership = bound(
        Gated(Feature.OWNERSHIP, "Ownership", Embedded()), directives=NEEDS_OWNERSHIP, description="Who owns it."
    )
    ratings: list[AgencyRating] = bound(
        Rows("ratings", "{outlet_id} = {outer.id}", "{rated_at} desc nulls last, {agency}"),
        directives=about(4),
        description="Every agency's own rating, newest first: the inputs of the consensus.",
    )
    articles: Connection[Article] = paged(
        Page("articles", parent="{outer.id}", by="outlet_id"),
        filter=ArticleFilter,
        sort=ArticleSort.NEWEST,
        description="All articles that it published.",
    )
    stories: StoryConnection = paged(
        stories_within("OUTLET", part_of("articles", "{outer.article_count}")),
        filter=StoryFilter,
        sort=StorySort.LATEST,
        description="The stories that it covers.",
    )
    activity: OutletActivity = takes(
        OF_OUTLET,
        published(optional=True),
        directives=weighs(500),
        description="What the outlet covered in a window (the last 30 days where none is given).",
    )


@strawberry.type(description="A subject. Everything under a topic includes its subtopics, each story once.")
class Topic(Node):
    id: strawberry.ID = own_id("topic")
    slug: str = column(description="Its name in URLs, unique among topics.")
    name: str = column(description="What to call it.")
    parent: Topic | None = bound(
        Rows("topics", "{id} = {outer.parent_id}"), description="The topic that this one is under; null at the top."
    )
    story_count: int = column(
        description="Stories tagged with it, or with a topic under it. May be up to a minute old."
    )
    stories: StoryConnection = paged(
        stories_within("TOPIC", part_of("stories", "{outer.story_count}")),
        filter=StoryFilter,
        sort=StorySort.LATEST,
        description="Stories tagged with it, or with a topic under it.",
    )
    coverage: CoverageReport = takes(
        OF_TOPIC,
        published(optional=True),
        directives=weighs(1000),
        description="Coverage of its stories in a window (the last 30 days where none is given).",
    )


@strawberry.type(description="Somewhere that stories are about, or that outlets are at home.")
class Place(Node):
    id: strawberry.ID = own_id("place")
    slug: str = column(description="Its name in URLs, unique among places.")
    name: str = column(description="What to call it.")
    country: CountryCode | None = column(description="The country it lies in; null where that is unknown.")
    story_count: int = column(description="Stories about it. May be up to a minute old.")
    stories: StoryConnection = paged(
        stories_within("PLACE", part_of("stories", "{outer.story_count}")),
        filter=StoryFilter,
        sort=StorySort.LATEST,
        description="Stories about it.",
    )


@strawberry.type(description="One outlet's coverage of one story.")
class Report:
    outlet: Outlet = bound(Rows("outlets", "{id} = {outer.outlet_id}"), description="Who covers the story.")
    story: Story = bound(Rows("stories", "{id} = {outer.story_id}"), description="What is covered.")
    article_count: int = column(description="Articles that the outlet published about the story, at least 1.")
    first_article: Article = bound(
        Rows("articles", "{id} = {outer.first_article_id}"), description="The earliest of them; it dates the report."
    )
    first_published_at: DateTime = column(description="When the first article was published.")


@strawberry.type(description="A page of a list.", directives=FREE)
class StoryConnection(Connection[Story]):
    # Which stories are in a list is mostly known by other tables, so that each is fetched to be counted.
    total_count: TotalCount = total_count(500)
