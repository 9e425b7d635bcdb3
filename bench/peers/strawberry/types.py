"""The types and their resolvers: a field that is no column asks the loader of its relation."""

import datetime as dt
from enum import Enum
from typing import Any

import strawberry

from bench.peers.strawberry.loaders import OUTLET, STORY

BY_SLUG = f"select {STORY} from stories where slug = $1 and article_count > 0"
LATEST = f"select {STORY} from stories where article_count > 0 order by last_published_at desc, id desc limit $1"
LATEST_WITH_BLINDSPOT = (
    f"select {STORY} from stories where article_count > 0 and blindspot = $2"
    " order by last_published_at desc, id desc limit $1"
)
OUTLET_BY_SLUG = f"select {OUTLET} from outlets where slug = $1"

Info = strawberry.Info[Any, Any]


@strawberry.enum
class Side(Enum):
    """Of the three into which the steps of bias fall."""

    LEFT = "LEFT"
    CENTER = "CENTER"
    RIGHT = "RIGHT"


@strawberry.type
class Topic:
    """What stories are about."""

    slug: str


@strawberry.type
class Outlet:
    """Who publishes."""

    id: strawberry.ID
    slug: str
    name: str
    domain: str
    homepage_url: str | None
    country: str | None
    language: str | None
    medium: str | None
    bias: str | None
    bias_score: float | None
    side: str | None

    @strawberry.field
    async def articles(self, info: Info, first: int) -> list["Article"]:
        """The newest."""
        return await info.context["loaders"].articles_of_outlet.load((self.id, first))


@strawberry.type
class Article:
    """What an outlet published about a story."""

    id: strawberry.ID
    story_id: strawberry.Private[int]
    outlet_id: strawberry.Private[int]
    url: str
    title: str
    excerpt: str | None
    authors: list[str]
    kind: str
    language: str | None
    image_url: str | None
    paywalled: bool | None
    published_at: dt.datetime
    updated_at: dt.datetime

    @strawberry.field
    async def outlet(self, info: Info) -> Outlet:
        """Who published it."""
        return await info.context["loaders"].outlet.load(self.outlet_id)

    @strawberry.field
    async def story(self, info: Info) -> "Story":
        """What it is about."""
        return await info.context["loaders"].story.load(self.story_id)


@strawberry.type
class Story:
    """What several outlets report on, with its counts."""

    id: strawberry.ID
    slug: str
    title: str
    summary: str | None
    key_points: list[str]
    image_url: str | None
    first_published_at: dt.datetime
    last_published_at: dt.datetime
    updated_at: dt.datetime
    article_count: int
    outlet_count: int
    left_count: int
    center_count: int
    right_count: int
    unrated_count: int
    blindspot_side: str | None

    @strawberry.field
    async def topics(self, info: Info) -> list[Topic]:
        """In their order."""
        return await info.context["loaders"].topics.load(self.id)

    @strawberry.field
    async def articles(self, info: Info, first: int) -> list[Article]:
        """The newest."""
        return await info.context["loaders"].articles_of_story.load((self.id, first))


@strawberry.type
class Query:
    """Where operations begin."""

    @strawberry.field
    async def story(self, info: Info, slug: str) -> Story | None:
        """By its slug."""
        row = await info.context["pool"].fetchrow(BY_SLUG, slug)
        return Story(**row) if row else None

    @strawberry.field
    async def stories(self, info: Info, first: int, blindspot: Side | None = None) -> list[Story]:
        """The latest."""
        pool = info.context["pool"]
        rows = await (
            pool.fetch(LATEST_WITH_BLINDSPOT, first, blindspot.value) if blindspot else pool.fetch(LATEST, first)
        )
        return [Story(**row) for row in rows]

    @strawberry.field
    async def outlet(self, info: Info, slug: str) -> Outlet | None:
        """By its slug."""
        row = await info.context["pool"].fetchrow(OUTLET_BY_SLUG, slug)
        return Outlet(**row) if row else None
