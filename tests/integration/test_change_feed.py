"""The change feed: every change once, whatever the order of commits, and whatever becomes of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias, cast

import asyncpg
import pytest

from service.db.changes import ChangeFeed, Look
from service.events import Event, FeedBegun, FeedFound, FeedLost, ignore
from tests.databases import MakeDatabase, settled

Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

STORIES = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into topics (id, slug, name) values (1, 'a', 'A');
insert into stories (id, key, slug, title) select n, n, n, 'T' from generate_series(1, 50) n;
insert into articles (outlet_id, story_id, published_at, url, title)
select 1, n, now(), n, 'T' from generate_series(1, 50) n;
"""
WEEK = timedelta(days=7)
SOON = 30.0


@dataclass
class Heard:
    """A follower that remembers what it was told."""

    looks: list[Look] = field(default_factory=list[Look])
    beginnings: list[int] = field(default_factory=list[int])
    gone: int = 0

    def begin(self, look: Look) -> None:
        self.beginnings.append(len(self.looks))
        self.looks.append(look)

    def heard(self, look: Look) -> None:
        self.looks.append(look)

    def away(self) -> None:
        self.gone += 1

    @property
    def begun(self) -> int:
        return len(self.beginnings)

    @property
    def stories(self) -> list[int]:
        return [story for look in self.looks for _, story in look.stories]

    @property
    def references(self) -> list[int]:
        return [look.references for look in self.looks if look.references is not None]


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
async def dsn(empty_database: str) -> str:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORIES)
    await conn.close()
    return empty_database


@pytest.fixture
async def conn(dsn: str) -> AsyncIterator[Conn]:
    conn = await asyncpg.connect(dsn)
    yield conn
    await conn.close()


@asynccontextmanager
async def following(dsn: str, keep: timedelta = WEEK, events: list[Event] | None = None) -> AsyncGenerator[Heard]:
    heard = Heard()
    async with ChangeFeed(dsn, [heard], keep, ignore if events is None else events.append):
        await until(lambda: heard.looks)
        yield heard


def retitle(*stories: int) -> str:
    return f"update stories set title = title || '.' where id in ({','.join(map(str, stories))})"


async def test_a_change_is_told_once_and_soon(dsn: str, conn: Conn) -> None:
    async with following(dsn) as heard:
        assert not heard.stories, "what was there before the first look is not told"
        loop = asyncio.get_running_loop()
        began = loop.time()
        await conn.execute(retitle(1, 2))
        await until(lambda: heard.stories)
        assert loop.time() - began < 0.5, "a look is not waited for: NOTIFY wakes the feed"
        await asyncio.sleep(0.1)
        assert sorted(heard.stories) == [1, 2]


async def test_transactions_that_commit_out_of_order_are_told_when_they_commit(dsn: str, conn: Conn) -> None:
    late = await asyncpg.connect(dsn)
    async with following(dsn) as heard:
        transaction = late.transaction()
        await transaction.start()
        await late.execute(retitle(1))
        await conn.execute(retitle(2))
        await until(lambda: heard.stories)
        assert heard.stories == [2]
        assert heard.looks[-1].pending, "in the feed's order, the earlier transaction comes first"
        held = heard.looks[-1].head
        await transaction.commit()
        await until(lambda: len(heard.stories) == 2)
        assert heard.stories == [2, 1]
        await until(lambda: heard.looks[-1].head != held and not heard.looks[-1].pending)
    await late.close()


async def test_what_is_missed_while_the_connection_is_broken_is_told_after_it(dsn: str, conn: Conn) -> None:
    events: list[Event] = []
    async with following(dsn, events=events) as heard:
        for story in range(1, 6):
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = 'parallax feed'"
            )
            await conn.execute(retitle(story))
            await until(lambda: heard.gone)
            await until(lambda story=story: story in heard.stories)
        assert heard.stories == [1, 2, 3, 4, 5]
        assert heard.begun == 1, "nothing was lost, so nothing begins anew"
    assert [type(event) for event in events[:3]] == [FeedBegun, FeedLost, FeedFound]


async def test_many_writers_at_once_lose_nothing_in_either_order(dsn: str, conn: Conn) -> None:
    """Transactions overlap and end as they like; some do not commit. What is told is what the table says."""

    async def write(number: int) -> None:
        writer = await asyncpg.connect(dsn)
        for turn in range(8):
            transaction = writer.transaction()
            await transaction.start()
            await writer.execute(retitle(number * 8 + turn + 1))
            await asyncio.sleep(0.01 * ((number * 7 + turn * 3) % 5))
            await (transaction.rollback() if (number + turn) % 4 == 0 else transaction.commit())
        await writer.close()

    async with following(dsn) as heard:
        await settled(conn)
        start = await conn.fetchval("select change_cursor(h.xid, h.seq) from change_head() h")
        read: list[str] = []
        cursor = start

        async def poll() -> None:
            nonlocal cursor
            rows = await conn.fetch(
                "select change_cursor(c.xid, c.seq) as cursor, c.story_id from change_feed($1, 3) f join changes c"
                " on (c.xid, c.seq) > (f.after_xid, f.after_seq) and (c.xid, c.seq) <= (f.end_xid, f.end_seq)"
                " order by c.xid, c.seq",
                cursor,
            )
            read.extend(row["story_id"] for row in rows)
            cursor = rows[-1]["cursor"] if rows else cursor

        writing = asyncio.gather(*(write(number) for number in range(6)))
        while not writing.done():
            await poll()
        await writing
        written = await conn.fetch(
            "select c.story_id from changes c, change_position($1) p where (c.xid, c.seq) > (p.xid, p.seq)", start
        )
        expected = sorted(row["story_id"] for row in written)
        assert len(expected) == 36
        while len(read) < len(expected):
            await poll()
        assert sorted(read) == expected
        await until(lambda: len(heard.stories) >= len(expected))
        assert sorted(heard.stories) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "update outlets set name = 'B'",
        "update outlets set country = 'DE'",
        "insert into ratings (outlet_id, agency, bias) values (1, 'X', 'LEFT')",
        "insert into owners (outlet_id, position, name, category) values (1, 1, 'O', 'OTHER')",
        "update topics set name = 'B'",
    ],
)
async def test_what_stories_refer_to_is_told_too(dsn: str, conn: Conn, statement: str) -> None:
    async with following(dsn) as heard:
        await conn.execute("update outlets set article_count = article_count + 1; update topics set story_count = 7")
        await conn.execute(retitle(1))
        await until(lambda: heard.stories)
        assert not heard.references, "figures that change all the time are no part of a story"
        await conn.execute(statement)
        await until(lambda: heard.references)


async def test_old_changes_are_forgotten_and_their_cursors_expire(dsn: str, conn: Conn) -> None:
    oldest = await conn.fetchval("select change_cursor(xid, seq) from changes order by xid, seq limit 1")
    await conn.execute("update changes set at = now() - interval '2 hours'")
    await conn.execute(retitle(3))
    await settled(conn)
    head = await conn.fetchval("select change_cursor(h.xid, h.seq) from change_head() h")
    async with following(dsn, timedelta(hours=1)):
        async with asyncio.timeout(SOON):
            while await conn.fetchval("select count(*) from changes") > 1:
                await asyncio.sleep(0.01)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await conn.fetchrow("select * from change_feed($1, 10)", oldest)
    assert refused.value.sqlstate == "PLX02"
    assert "headCursor" in str(refused.value)
    assert not await conn.fetchval("select has_more from change_feed($1, 10)", head)
    await conn.execute("update changes set at = now() - interval '2 hours'")
    assert await conn.fetchval("select forget_changes(now() - interval '1 hour', 10)") == 1
    end = await conn.fetchval("select change_cursor(end_xid, end_seq) from change_feed($1, 10)", head)
    assert end == head, "who has read everything stays in step, however long nothing happens"


async def test_who_was_away_for_longer_than_changes_are_kept_begins_anew(dsn: str, conn: Conn) -> None:
    async with following(dsn) as heard:
        snapshot = await conn.fetchval("select pg_current_snapshot()::text")
        database = heard.looks[-1].database
    await conn.execute(retitle(1))
    await conn.execute("update changes set at = now() - interval '2 hours'")
    await settled(conn)
    assert not await lost(conn, snapshot, database)
    await conn.execute("select forget_changes(now() - interval '1 hour', 1000)")
    assert await lost(conn, snapshot, database)


async def test_another_database_s_past_counts_for_nothing(conn: Conn, make_database: MakeDatabase) -> None:
    other = await asyncpg.connect(await make_database())
    cursor = await other.fetchval("select change_cursor(h.xid, h.seq) from change_head() h")
    database = await other.fetchval("select database_identity()")
    await other.close()
    with pytest.raises(asyncpg.PostgresError) as refused:
        await conn.fetchrow("select * from change_feed($1, 10)", cursor)
    assert refused.value.sqlstate == "PLX02"
    snapshot = await conn.fetchval("select pg_current_snapshot()::text")
    assert await lost(conn, snapshot, database)


async def test_a_position_that_is_ahead_is_of_a_lost_past(conn: Conn) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await conn.fetchrow("select * from change_feed(change_cursor('999999999999', 1), 10)")
    assert refused.value.sqlstate == "PLX02"
    database = await conn.fetchval("select database_identity()")
    assert await lost(conn, "999999999990:999999999999:", database)


@pytest.mark.parametrize("cursor", ["", "x", "Y2hhbmdlcw", "Ā", "=", "a" * 5_000])
async def test_what_is_no_cursor_is_the_callers_error(conn: Conn, cursor: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await conn.fetchrow("select * from change_feed($1, 10)", cursor)
    assert refused.value.sqlstate == "PLX01"


async def lost(conn: Conn, snapshot: str, database: str) -> bool:
    return await conn.fetchval("select lost from changes_since($1::text::pg_snapshot, $2)", snapshot, database)


async def test_it_ends_though_it_is_woken_at_that_moment(empty_database: str) -> None:
    feed = ChangeFeed(empty_database, (), WEEK)
    await feed.__aenter__()
    await asyncio.sleep(0.2)  # it waits for its next look
    cast("Any", feed)._wake()
    ending = asyncio.create_task(feed.__aexit__())
    done, _ = await asyncio.wait((ending,), timeout=5)
    assert done
