"""The root of all reading."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from schema.binding import Connection as Page
from schema.binding import Key, Lookup, Nodes, Order, Rows, argument, paged, takes
from schema.changes import ChangeFeed
from schema.directives import FREE, as_long_as, weighs
from schema.filters import (
    ArticleBy,
    ArticleFilter,
    ArticleSort,
    OutletBy,
    OutletFilter,
    OutletSort,
    PlaceBy,
    StoryBy,
    StoryFilter,
    StorySort,
    TopicBy,
)
from schema.news import SHOWN, Article, Node, Outlet, Place, Story, StoryConnection, Topic
from schema.pagination import Connection
from schema.scalars import DateTime
from schema.viewer import Viewer
from schema.windows import OF_FILTER, OVERLAPS, CoverageFilter, CoverageReport, OutletOverlap, published

BY_SLUG = Order((Key("{slug}", "text"),))


@strawberry.type(description="What is answering. Counts may be up to a minute old.", directives=FREE)
class ServiceInfo:
    version: str = strawberry.field(description="Of the software.")
    rule_version: str = strawberry.field(description="Of the rules that all figures follow.")
    data_through: DateTime | None = strawberry.field(description="When the newest article was published.")
    story_count: int = strawberry.field(description="Stories that have an article.")
    article_count: int = strawberry.field(description="Articles of all stories.")
    outlet_count: int = strawberry.field(description="Outlets that are known, whether or not they published anything.")


@strawberry.type(description="What can be read.")
class Query:
    node: Node | None = takes(
        Nodes(),
        argument("id", strawberry.ID, description="Of an object of any type."),
        description="Null for an id that names nothing, is malformed, or is of no type here. A merged story is "
        "returned as what it went into.",
    )
    nodes: list[Node | None] = takes(
        Nodes(),
        argument("ids", list[strawberry.ID], description="Of objects of any types, at most 100."),
        directives=as_long_as("ids"),
        description="At most 100; null where an id names nothing. Order is kept.",
    )
    story: Story | None = takes(
        Lookup("stories", SHOWN),
        argument("by", StoryBy, description="What to find it by."),
        description="Null where there is none. A merged story is returned as what it went into.",
    )
    stories: StoryConnection = paged(
        Page("stories", SHOWN),
        filter=StoryFilter,
        sort=StorySort.LATEST,
        description="All stories that have an article.",
    )
    article: Article | None = takes(
        Lookup("articles"),
        argument("by", ArticleBy, description="What to find it by."),
        description="Null where there is none.",
    )
    articles: Connection[Article] = paged(
        Page("articles"), filter=ArticleFilter, sort=ArticleSort.NEWEST, description="All articles."
    )
    outlet: Outlet | None = takes(
        Lookup("outlets"),
        argument("by", OutletBy, description="What to find it by."),
        description="Null where there is none.",
    )
    outlets: Connection[Outlet] = paged(
        Page("outlets"), filter=OutletFilter, sort=OutletSort.NAME, description="All outlets."
    )
    topic: Topic | None = takes(
        Lookup("topics"),
        argument("by", TopicBy, description="What to find it by."),
        description="Null where there is none.",
    )
    topics: Connection[Topic] = paged(Page("topics", order=BY_SLUG), description="All topics, by slug.")
    place: Place | None = takes(
        Lookup("places"),
        argument("by", PlaceBy, description="What to find it by."),
        description="Null where there is none.",
    )
    places: Connection[Place] = paged(Page("places", order=BY_SLUG), description="All places, by slug.")

    coverage: CoverageReport = takes(
        OF_FILTER,
        argument("filter", CoverageFilter, description="What to count."),
        directives=weighs(1000),
        description="Coverage metrics over any set of stories and any window.",
    )
    compare_outlets: list[OutletOverlap] = takes(
        OVERLAPS,
        argument("domains", list[str], description="Domains of 2 to 10 outlets; one that is not known is refused."),
        published(),
        directives=(*weighs(200), *as_long_as("domains")),
        description="How the story choices of 2 to 10 different known outlets overlap, each pair once.",
    )
    changes: ChangeFeed = takes(
        Rows("change_feed({arg.after}, {arg.first})", limited_by="first", paged=True, momentary=True),
        argument(
            "after", str | None, strawberry.UNSET, description="An `endCursor`, a `headCursor` or a change's `cursor`."
        ),
        argument(
            "first",
            int,
            100,
            description="How many changes, at most what your tier has on a page; 0 for the cursors alone.",
        ),
        directives=as_long_as("first", "changes"),
        description="Every change in order, from a cursor: what a partner polls to stay in step. Without `after`, from "
        "the oldest kept; a cursor too old is `CURSOR_EXPIRED`.",
    )

    @strawberry.field(description="Who is asking, and what they may still ask. Never charged.")
    def viewer(self, info: Info) -> Viewer:
        """Of the context's `viewer`, which the HTTP layer provides."""
        return Viewer(asker=info.context["viewer"])

    @strawberry.field(description="What is answering.")
    async def service(self, info: Info) -> ServiceInfo:
        """Asked of the context's `service_info`, which the HTTP layer provides."""
        facts = await info.context["service_info"]()
        return ServiceInfo(**facts)
