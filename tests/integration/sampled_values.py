"""Values for every field of every filter: common, middling and rare ones of a database, and ones that match nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

Sample = dict[str, Any]
"""Values of one field by what they are."""

COUNTRIES = """
    select chr((value / 256)::integer) || chr((value % 256)::integer), count(*) from story_facets
    where facet = 'COUNTRY' group by value
"""


async def story_samples(conn: asyncpg.Connection[asyncpg.Record]) -> dict[str, Sample]:
    """Of StoryFilter."""
    topics = await _ranked(conn, "select slug, story_count from topics")
    places = await _ranked(conn, "select slug, story_count from places")
    return {
        "topics": _lists(topics),
        "places": _lists(places),
        "outlets": _lists(await _ranked(conn, "select domain, article_count from outlets")),
        "countries": _lists(await _ranked(conn, COUNTRIES)),
        "search": await _words(conn, "search", "stories"),
        "updated": await _ranges(conn, "updated_at", "stories"),
        "firstPublished": await _ranges(conn, "first_published_at", "stories"),
        "lastPublished": await _ranges(conn, "last_published_at", "stories"),
        "blindspot": {side: side for side in ("LEFT", "CENTER", "RIGHT")},
        "leadingSide": {side: side for side in ("LEFT", "CENTER", "RIGHT")},
        "minOutlets": await _quantiles(conn, "outlet_count", "stories"),
    }


async def article_samples(conn: asyncpg.Connection[asyncpg.Record]) -> dict[str, Sample]:
    """Of ArticleFilter."""
    by_outlet = (
        "select o.{}, count(*) from articles a tablesample system (10) join outlets o on o.id = a.outlet_id group by 1"
    )
    of_article = "select {}, count(*) from articles tablesample system (10) group by 1"
    return {
        "sides": _lists(await _ranked(conn, by_outlet.format("side"))),
        "bias": _lists(await _ranked(conn, by_outlet.format("bias"))),
        "unrated": {"true": True, "false": False},
        "factuality": _lists(await _ranked(conn, by_outlet.format("factuality"))),
        "ownership": _lists(await _ranked(conn, by_outlet.format("ownership"))),
        "outlets": _lists(await _ranked(conn, "select domain, article_count from outlets")),
        "topics": _lists(await _ranked(conn, "select slug, story_count from topics")),
        "countries": _lists(await _ranked(conn, by_outlet.format("country"))),
        "languages": _lists(await _ranked(conn, of_article.format("language"))),
        "kinds": _lists(await _ranked(conn, of_article.format("kind"))),
        "paywalled": {"true": True, "false": False},
        "published": await _ranges(conn, "published_at", "articles"),
        "updated": await _ranges(conn, "updated_at", "articles"),
        "search": await _words(conn, "searchable(title || ' ' || coalesce(excerpt, ''))", "articles"),
    }


async def outlet_samples(conn: asyncpg.Connection[asyncpg.Record]) -> dict[str, Sample]:
    """Of OutletFilter."""
    counted = "select {}, count(*) from outlets group by 1"
    names = await conn.fetch("select lower(name) from outlets order by id limit 1")
    name: str = names[0][0]
    return {
        "sides": _lists(await _ranked(conn, counted.format("side"))),
        "bias": _lists(await _ranked(conn, counted.format("bias"))),
        "unrated": {"true": True, "false": False},
        "factuality": _lists(await _ranked(conn, counted.format("factuality"))),
        "ownership": _lists(await _ranked(conn, counted.format("ownership"))),
        "countries": _lists(await _ranked(conn, counted.format("country"))),
        "mediums": _lists(await _ranked(conn, counted.format("medium"))),
        "prefix": {"common": name[0], "middling": name[:3], "rare": name, "none": "zzzz"},
    }


async def _ranked(conn: asyncpg.Connection[asyncpg.Record], counted: str) -> list[str]:
    """The items that are there, the commonest first."""
    query = f"""
        select c.item::text from ({counted}) c (item, n)
        where c.item is not null and c.n > 0 order by c.n desc, c.item
    """
    return [row[0] for row in await conn.fetch(query)]


def _lists(ranked: list[str]) -> Sample:
    middle = ranked[len(ranked) // 2]
    return {
        "common": [ranked[0]],
        "middling": [middle],
        "rare": [ranked[-1]],
        "several": list(dict.fromkeys([ranked[0], middle, ranked[-1]])),
    }


async def _words(conn: asyncpg.Connection[asyncpg.Record], vector: str, table: str) -> Sample:
    found = await conn.fetch(
        f"""
        select w.word from (select {vector} as words from {table} where id % 32 = 0 limit 4000) t,
            unnest(tsvector_to_array(t.words)) w (word)
        where w.word ~ '^[a-z]+$' group by w.word order by count(*) desc, w.word
        """
    )
    words = [row[0] for row in found]
    return {
        "common": words[0],
        "fairly common": words[50],
        "middling": words[len(words) // 10],
        "rare": words[-1],
        "two words": f"{words[10]} {words[len(words) // 10]}",
        "either": f"{words[-1]} or {words[-2]}",
        "all but": f"-{words[0]}",
        "phrase": f'"{words[0]} {words[1]}"',
        "none": "nosuchword",
    }


async def _ranges(conn: asyncpg.Connection[asyncpg.Record], column: str, table: str) -> Sample:
    begin: datetime = await conn.fetchval(f"select min({column}) from {table}")
    end: datetime = await conn.fetchval(f"select max({column}) from {table}")
    middle = begin + (end - begin) / 2

    def between(after: datetime, before: datetime) -> Mapping[str, str]:
        return {"after": after.isoformat(), "before": before.isoformat()}

    return {
        "newest hour": {"after": (end - timedelta(hours=1)).isoformat()},
        "newest half": {"after": middle.isoformat()},
        "oldest half": {"before": middle.isoformat()},
        "oldest day": {"before": (begin + timedelta(days=1)).isoformat()},
        "a day amid": between(middle, middle + timedelta(days=1)),
        "an hour amid": between(middle, middle + timedelta(hours=1)),
        "none": {"after": (end + timedelta(hours=1)).isoformat()},
    }


async def _quantiles(conn: asyncpg.Connection[asyncpg.Record], column: str, table: str) -> Sample:
    shares = (0.2, 0.8, 0.98, 0.999)
    values = await conn.fetchval(
        f"select percentile_disc($1::float8[]) within group (order by {column}) from {table}", list(shares)
    )
    return {f"{share:.1%}": value for share, value in zip(shares, values, strict=True)} | {"none": 1_000_000}
