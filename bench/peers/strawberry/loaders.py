"""One DataLoader for each relation, made anew for each request, and the statements they batch by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from strawberry.dataloader import DataLoader

STORY = (
    "id, slug, title, summary, key_points, image_url, first_published_at, last_published_at, updated_at,"
    " article_count, outlet_count, left_count, center_count, right_count, outlet_count - rated_count as unrated_count,"
    " blindspot as blindspot_side"
)
ARTICLE = (
    "id, story_id, outlet_id, url, title, excerpt, authors, kind, language, image_url, paywalled, published_at,"
    " updated_at"
)
OUTLET = "id, slug, name, domain, homepage_url, country, language, medium, bias, bias_score, side"

OUTLETS = f"select {OUTLET} from outlets where id = any($1::bigint[])"
STORIES = f"select {STORY} from stories where id = any($1::bigint[])"
TOPICS = """
select p.story_id, t.slug from story_topics p join topics t on t.id = p.topic_id
where p.story_id = any($1::bigint[]) order by p.position
"""
NEWEST = """
select a.* from unnest($1::bigint[], $2::integer[]) wanted (id, first) cross join lateral (
    select {columns} from articles where {parent} = wanted.id order by published_at desc, id desc limit wanted.first
) a
"""
NEWEST_OF_STORIES = NEWEST.format(columns=ARTICLE, parent="story_id")
NEWEST_OF_OUTLETS = NEWEST.format(columns=ARTICLE, parent="outlet_id")

Page = tuple[int, int]
"""Of which parent, and how many."""


class Loaders:
    """The loaders of one request."""

    def __init__(self, pool: Any, make: Mapping[str, Callable[..., Any]]) -> None:
        self.outlet: DataLoader[int, Any] = DataLoader(partial(_by_id, pool, OUTLETS, make["outlet"]))
        self.story: DataLoader[int, Any] = DataLoader(partial(_by_id, pool, STORIES, make["story"]))
        self.topics: DataLoader[int, list[Any]] = DataLoader(partial(_topics, pool, make["topic"]))
        newest = partial(_newest, pool, make["article"])
        self.articles_of_story: DataLoader[Page, list[Any]] = DataLoader(partial(newest, NEWEST_OF_STORIES, "story_id"))
        self.articles_of_outlet: DataLoader[Page, list[Any]] = DataLoader(
            partial(newest, NEWEST_OF_OUTLETS, "outlet_id")
        )


async def _by_id(pool: Any, statement: str, make: Callable[..., Any], ids: list[int]) -> Sequence[Any]:
    found = {row["id"]: make(**row) for row in await pool.fetch(statement, ids)}
    return [found[id_] for id_ in ids]


async def _topics(pool: Any, make: Callable[..., Any], ids: list[int]) -> Sequence[list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in await pool.fetch(TOPICS, ids):
        found[row["story_id"]].append(make(slug=row["slug"]))
    return [found[id_] for id_ in ids]


async def _newest(
    pool: Any, make: Callable[..., Any], statement: str, parent: str, pages: list[Page]
) -> Sequence[list[Any]]:
    """The longest page asked for of each parent, of which shorter ones are the beginning."""
    longest: dict[int, int] = {}
    for id_, first in pages:
        longest[id_] = max(first, longest.get(id_, 0))
    found: dict[int, list[Any]] = defaultdict(list)
    for row in await pool.fetch(statement, list(longest), list(longest.values())):
        found[row[parent]].append(make(**row))
    return [found[id_][:first] for id_, first in pages]
