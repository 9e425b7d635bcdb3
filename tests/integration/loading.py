"""Loads lines as a test writes them, and looks at what the database then holds."""

from __future__ import annotations

import io
from typing import Any

import asyncpg
import orjson

from service.load import LineRefused, Summary, load
from service.load.events import Counts
from tests.integration.recount import assert_figures_agree

Line = dict[str, Any]

TABLES = (
    *("articles", "outlets", "owners", "ratings", "stories", "story_topics", "story_places", "perspectives", "topics"),
    *(
        "topic_ancestors",
        "places",
        "reports",
        "story_facets",
        "outlet_days",
        "coverage_days",
        "coverage_hours",
        "coverage_outlets",
        "changes",
    ),
)


def outlet(domain: str, **fields: Any) -> Line:
    return {"type": "outlet", "domain": domain, **fields}


def topic(slug: str, **fields: Any) -> Line:
    return {"type": "topic", "slug": slug, **fields}


def place(slug: str, **fields: Any) -> Line:
    return {"type": "place", "slug": slug, **fields}


def story(key: str, title: str = "A story", **fields: Any) -> Line:
    return {"type": "story", "key": key, "title": title, **fields}


def article(name: str, **fields: Any) -> Line:
    """An article of one.example, whose URL ends with its name; `story` is not given unless it is."""
    given = {"outlet": "one.example", "title": f"Article {name}", "publishedAt": "2026-03-01T12:00:00Z"}
    return {"type": "article", "url": url(name), **given, **fields}


def url(name: str) -> str:
    return f"https://one.example/{name}"


def merge(source: str, target: str) -> Line:
    return {"type": "merge", "from": source, "into": target}


def remove_story(key: str) -> Line:
    return {"type": "remove", "story": key}


def remove_article(name: str) -> Line:
    return {"type": "remove", "article": url(name)}


def stream(*lines: Line | bytes) -> bytes:
    """Lines as a file holds them; bytes stand for themselves."""
    return b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in lines)


async def put(dsn: str, *lines: Line | bytes, strict: bool = False) -> Summary:
    """Loads lines; every figure agrees afterwards."""
    summary = await load(dsn, [io.BytesIO(stream(*lines))], strict=strict)
    await assert_figures_agree(dsn)
    return summary


async def put_twice(dsn: str, *lines: Line | bytes) -> Summary:
    """Loads lines, and then again, which must change nothing at all; what the first time came to."""
    first = await put(dsn, *lines)
    before = await contents(dsn)
    second = await put(dsn, *lines)
    assert await contents(dsn) == before
    assert (second.created, second.updated, second.refused) == (0, 0, first.refused)
    return first


async def rows(dsn: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a query answers."""
    conn = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        return [tuple(row) for row in await conn.fetch(query, *values)]
    finally:
        await conn.close()


async def contents(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {table: sorted(await rows(dsn, f"select * from {table}"), key=repr) for table in TABLES}


async def shown(dsn: str) -> dict[str, set[str]]:
    """The stories that show, by key, with the last part of their articles' URLs."""
    found: dict[str, set[str]] = {}
    for key, address in await rows(dsn, "select s.key, a.url from articles a join stories s on s.id = a.story_id"):
        found.setdefault(key, set()).add(address.rpartition("/")[2])
    return found


async def changes(dsn: str) -> list[tuple[str, str]]:
    """Kind and story of all changes so far, in order."""
    query = "select c.kind::text, s.key from changes c join stories s on s.id = c.story_id order by c.seq"
    return [(kind, key) for kind, key in await rows(dsn, query)]


def outcome(summary: Summary, kind: str) -> tuple[int, int, int, int]:
    """Lines of a type: created, updated, unchanged, refused."""
    counts = summary.counts.get(kind, Counts())
    return counts.created, counts.updated, counts.unchanged, counts.refused


def findings(summary: Summary) -> list[tuple[int, str | None]]:
    """Line and field of every error."""
    return [(error.line, error.field) for error in summary.errors]


def reasons(errors: list[LineRefused] | tuple[LineRefused, ...]) -> list[str]:
    return [error.reason for error in errors]
