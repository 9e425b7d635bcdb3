"""Finds what the lines of a load come to together, before any of it is written."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TypeAlias

import asyncpg

from service.db.queries import named_statements
from service.load.tally import Tally

STATEMENTS = named_statements((files("service.load") / "resolving.sql").read_text(encoding="utf-8"))

CIRCLE = "the topic would be under itself"
UNKNOWN_STORY = "no such story in the database or in the load"

REFUSED_AT_A_TIME = 1_000

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def resolve(conn: Connection, tally: Tally) -> None:
    """Leaves the net effect in the session's own tables, and refuses lines that name what is not there."""
    for line in await close_circles(conn):
        tally.refuse_accepted(line, "parent", CIRCLE, "topic")
    await conn.execute(STATEMENTS["create_nodes"])
    await conn.execute(STATEMENTS["add_roots"])
    await conn.execute(STATEMENTS["name_own_stories"])
    async with _rows(conn, "refuse_unknown_stories") as refused:
        async for row in refused:
            line = _in_short("article", url=row["key"], story=row["story"])
            tally.refuse_accepted(row["line"], "story", UNKNOWN_STORY, "article", text=line)
    await conn.execute(STATEMENTS["fold_articles"])
    await conn.execute(STATEMENTS["add_own_stories"])
    await conn.execute(STATEMENTS["add_roots"])
    await _settle_fates(conn, tally)
    await conn.execute(STATEMENTS["fold_stories"])
    await conn.execute(STATEMENTS["fold_references"])


async def close_circles(conn: Connection) -> list[int]:
    """Takes out the lines of topics that close a circle of parents; their numbers."""
    lines: list[int] = []
    while closing := await conn.fetch(STATEMENTS["refuse_circles"]):
        lines += sorted(row["line"] for row in closing)
    return lines


@asynccontextmanager
async def _rows(conn: Connection, name: str) -> AsyncGenerator[AsyncIterable[asyncpg.Record]]:
    """What a statement returns, a few rows at a time: nearly all lines of a long load may be refused."""
    async with conn.transaction():
        yield conn.cursor(STATEMENTS[name], prefetch=REFUSED_AT_A_TIME)


async def _settle_fates(conn: Connection, tally: Tally) -> None:
    """Goes through merges and removes, of which most loads have none."""
    await conn.execute(STATEMENTS["create_settling"])
    async with _rows(conn, "settle_fates") as refused:
        async for row in refused:
            line = _in_short("merge", **{"from": row["from"], "into": row["into"]})
            tally.refuse_accepted(row["line"], row["field"], row["reason"], "merge", text=line)
    await conn.execute(STATEMENTS["settle_nodes"])
    await conn.execute(STATEMENTS["create_net_fates"])
    if await conn.fetchval("select exists (select from staged_fates)"):
        await conn.execute(STATEMENTS["settle_articles"])


def _in_short(kind: str, **keys: str) -> str:
    """A line of which only the keys are known by now, as it might be written."""
    return json.dumps({"type": kind, **keys}, ensure_ascii=False)
