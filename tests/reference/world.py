"""Reads the base tables of a database into plain objects, linked as they refer to one another; no kept figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from tests.reference.entities import AgencyRating, Article, Outlet, Owner, Perspective, Place, Story, Topic
from tests.reference.search import Search

STORIES = """
select id, slug, title, summary, key_points, image_url, updated_at, computed_at, merged_into,
    tsvector_to_array(to_tsvector('simple', title)) as title_lexemes
from stories order by id
"""


@dataclass
class World:
    """Everything that one database holds, by key. `stories` holds the hidden ones too, `shown` does not."""

    search: Search
    places: dict[int, Place]
    topics: dict[int, Topic]
    outlets: dict[int, Outlet]
    stories: dict[int, Story]
    articles: dict[int, Article]
    shown: Sequence[Story]

    def story(self, story: Story | None) -> Story | None:
        """The story that shows in place of this one: itself, what it was merged into, or none."""
        while story is not None and story.merged_into is not None:
            story = self.stories.get(story.merged_into)
        return story if story is not None and story.article_list else None


async def read_world(conn: asyncpg.Connection) -> World:
    """The world that the database behind `conn` holds now; `conn` serves text search as long as the world is used."""
    search = Search(conn)
    places = {row["id"]: _place(row, search) for row in await conn.fetch("select * from places order by id")}
    topics = await _topics(conn, search)
    outlets = await _outlets(conn, places, search)
    stories = await _stories(conn, topics, places, search)
    articles = {
        row["id"]: _article(row, outlets, stories)
        for row in await conn.fetch("select * from articles order by published_at, id")
    }
    shown = [story for story in stories.values() if story.article_list]
    for story in shown:
        story.shown = shown
        for topic in story.topics:
            topic.tagged.append(story)
        for place in story.places:
            place.tagged.append(story)
    search.story_texts = {story.key: _joined(story.title, story.summary, *story.key_points) for story in shown}
    search.article_texts = {key: _joined(article.title, article.excerpt) for key, article in articles.items()}
    return World(search, places, topics, outlets, stories, articles, shown)


def _joined(*texts: str | None) -> str:
    return " ".join(text or "" for text in texts)


def _place(row: asyncpg.Record, search: Search) -> Place:
    return Place(row["id"], row["slug"], row["name"], row["country"], search)


async def _topics(conn: asyncpg.Connection, search: Search) -> dict[int, Topic]:
    rows = await conn.fetch("select * from topics order by id")
    topics = {row["id"]: Topic(row["id"], row["slug"], row["name"], search) for row in rows}
    for row in rows:
        if row["parent_id"] is not None:
            topics[row["id"]].parent = topics[row["parent_id"]]
            topics[row["parent_id"]].children.append(topics[row["id"]])
    return topics


async def _outlets(conn: asyncpg.Connection, places: dict[int, Place], search: Search) -> dict[int, Outlet]:
    outlets = {
        row["id"]: Outlet(
            row["id"],
            row["slug"],
            row["name"],
            row["domain"],
            row["homepage_url"],
            row["country"],
            row["language"],
            row["medium"],
            places.get(row["place_id"]),
            search,
        )
        for row in await conn.fetch("select * from outlets order by id")
    }
    for row in await conn.fetch("select * from owners order by outlet_id, position"):
        outlets[row["outlet_id"]].owners.append(Owner(row["name"], row["category"]))
    for row in await conn.fetch("select * from ratings"):
        rating = AgencyRating(row["agency"], row["bias"], row["factuality"], row["rated_at"], row["url"])
        outlets[row["outlet_id"]].rating_list.append(rating)
    return outlets


async def _stories(
    conn: asyncpg.Connection, topics: dict[int, Topic], places: dict[int, Place], search: Search
) -> dict[int, Story]:
    stories = {row["id"]: _story(row, search) for row in await conn.fetch(STORIES)}
    for story in stories.values():
        if story.merged_into is not None:
            stories[story.merged_into].merged.append(story)
    for row in await conn.fetch("select * from story_topics order by story_id, position"):
        stories[row["story_id"]].topics.append(topics[row["topic_id"]])
    for row in await conn.fetch("select * from story_places order by story_id, position"):
        stories[row["story_id"]].places.append(places[row["place_id"]])
    for row in await conn.fetch("select * from perspectives"):
        stories[row["story_id"]].perspective_list.append(Perspective(row["side"], row["summary"]))
    return stories


def _story(row: asyncpg.Record, search: Search) -> Story:
    return Story(
        row["id"],
        row["slug"],
        row["title"],
        row["summary"],
        row["key_points"],
        row["image_url"],
        row["updated_at"],
        row["computed_at"],
        frozenset(row["title_lexemes"]),
        row["merged_into"],
        search,
    )


def _article(row: asyncpg.Record, outlets: dict[int, Outlet], stories: dict[int, Story]) -> Article:
    article = Article(
        row["id"],
        row["url"],
        row["title"],
        row["excerpt"],
        row["authors"],
        row["kind"],
        row["language"],
        row["image_url"],
        row["paywalled"],
        row["published_at"],
        row["updated_at"],
        outlets[row["outlet_id"]],
        stories[row["story_id"]],
    )
    article.outlet.article_list.append(article)
    article.story.article_list.append(article)
    return article


Entity = TypeVar("Entity")


def find(entities: dict[int, Entity], **wanted: Any) -> Entity | None:
    """The entity whose attributes are as wanted."""
    for entity in entities.values():
        if all(getattr(entity, name) == value for name, value in wanted.items()):
            return entity
    return None
