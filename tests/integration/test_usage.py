"""What keys have spent, written down in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.access.usage import Usage, UsageDay
from service.db.pool import Database
from service.events import Event, Observer, UsageUnwritten, ignore
from service.settings import Settings
from tests.redis_servers import line_to_nowhere

Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
KEY = """
insert into api_keys (prefix, digest, name, tier) values ($1, sha256($1::text::bytea), 'a key', 'free') returning id
"""


@dataclass
class Clock:
    moment: datetime = NOON

    def __call__(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[Conn]:
    conn: Conn = await asyncpg.connect(empty_database)
    yield conn
    await conn.close()


@pytest.fixture
async def key(conn: Conn) -> int:
    return await conn.fetchval(KEY, "plx_aaaaaaaa")


@asynccontextmanager
async def usage_in(dsn: str, clock: Clock, observe: Observer = ignore) -> AsyncGenerator[Usage]:
    async with Database(dsn, Settings(pool_size=1)) as database, Usage(dsn, database, observe, clock) as usage:
        yield usage


async def written(conn: Conn, key: int) -> list[tuple[date, int, int]]:
    rows: list[Any] = await conn.fetch(
        "select day, request_count, cost from usage_days where key_id = $1 order by day", key
    )
    return [tuple(row) for row in rows]


async def test_what_was_spent_is_told_at_once_and_written_at_the_end(
    empty_database: str, conn: Conn, key: int, clock: Clock
) -> None:
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 5)
        usage.spent(key, 7)
        assert await usage.days(key, 30) == [UsageDay(NOON.date(), 2, 12)]
        assert await written(conn, key) == []
    assert await written(conn, key) == [(NOON.date(), 2, 12)]
    assert await conn.fetchval("select last_used_at from api_keys where id = $1", key) == NOON


async def test_days_are_those_of_utc_and_the_newest_comes_first(
    empty_database: str, conn: Conn, key: int, clock: Clock
) -> None:
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 1)
        await usage.write()
        usage.spent(key, 2)
        clock.moment = MIDNIGHT
        usage.spent(key, 4)
        assert await usage.days(key, 2) == [UsageDay(MIDNIGHT.date(), 1, 4), UsageDay(NOON.date(), 2, 3)]
        assert await usage.days(key, 1) == [UsageDay(MIDNIGHT.date(), 1, 4)]
        assert await usage.days(key + 1, 30) == []
    assert await written(conn, key) == [(NOON.date(), 2, 3), (MIDNIGHT.date(), 1, 4)]


async def test_processes_add_to_the_same_days(empty_database: str, conn: Conn, clock: Clock) -> None:
    keys = [await conn.fetchval(KEY, f"plx_{number:08}") for number in range(50)]
    events: list[Event] = []
    async with Database(empty_database, Settings()) as database:
        processes = [Usage(empty_database, database, events.append, clock) for _ in range(4)]
        for number, usage in enumerate(processes):
            for key in keys if number % 2 else reversed(keys):
                usage.spent(key, 3)
        while any(usage._unwritten or usage._counting.spent for usage in processes):  # pyright: ignore[reportPrivateUsage]
            await asyncio.gather(*(usage.write() for usage in processes))
    assert events == []
    assert [await written(conn, key) for key in keys] == [[(NOON.date(), 4, 12)]] * 50


async def test_while_postgres_is_away_nothing_is_lost_and_later_all_is_written_once(
    empty_database: str, conn: Conn, key: int, clock: Clock
) -> None:
    events: list[Event] = []
    async with Database(empty_database, Settings()) as database:
        usage = Usage("postgresql://nobody@127.0.0.1:1/nothing", database, events.append, clock)
        for _ in range(3):
            usage.spent(key, 5)
            await usage.write()
        assert [type(event) for event in events] == [UsageUnwritten] * 3
        assert await usage.days(key, 30) == [UsageDay(NOON.date(), 3, 15)]
        usage._dsn = empty_database  # pyright: ignore[reportPrivateUsage] - as if Postgres were there again
        await usage.write()
        await usage.write()
        assert await usage.days(key, 30) == [UsageDay(NOON.date(), 3, 15)]
    assert await written(conn, key) == [(NOON.date(), 3, 15)]


async def test_a_batch_whose_answer_was_lost_is_sent_again_and_counts_once(
    empty_database: str, conn: Conn, key: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 5)
        write = usage._write  # pyright: ignore[reportPrivateUsage]

        async def lose_the_answer(batch: Any) -> None:
            await write(batch)
            raise ConnectionResetError

        with monkeypatch.context() as patched:
            patched.setattr(usage, "_write", lose_the_answer)
            await usage.write()
        assert await written(conn, key) == [(NOON.date(), 1, 5)]
        usage.spent(key, 1)
    assert await written(conn, key) == [(NOON.date(), 2, 6)]


async def test_a_key_that_is_gone_keeps_nobody_elses_usage_back(
    empty_database: str, conn: Conn, key: int, clock: Clock
) -> None:
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 5)
        usage.spent(key + 1, 5)
    assert await written(conn, key) == [(NOON.date(), 1, 5)]
    assert await written(conn, key + 1) == []


async def test_what_is_counted_while_a_batch_is_written_goes_with_the_next(
    empty_database: str, conn: Conn, key: int, clock: Clock
) -> None:
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 5)
        writing = asyncio.create_task(usage.write())
        await asyncio.sleep(0)
        usage.spent(key, 1)
        await writing
        assert await written(conn, key) == [(NOON.date(), 1, 5)]
    assert await written(conn, key) == [(NOON.date(), 2, 6)]


async def test_batches_are_written_by_themselves(
    empty_database: str, conn: Conn, key: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.access.usage.EVERY", 0.05)
    async with usage_in(empty_database, clock) as usage, asyncio.timeout(10):
        usage.spent(key, 5)
        while not await written(conn, key):
            await asyncio.sleep(0.02)


async def test_using_a_key_is_no_change_of_it(empty_database: str, conn: Conn, key: int, clock: Clock) -> None:
    before = await conn.fetchrow("select generation, (select count(*) from access_log) from access_generation")
    async with usage_in(empty_database, clock) as usage:
        usage.spent(key, 5)
    assert before == await conn.fetchrow("select generation, (select count(*) from access_log) from access_generation")


async def test_a_postgres_that_hangs_holds_the_end_up_for_no_longer_than_patience(
    empty_database: str, key: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.access.usage.PATIENCE", 0.2)
    events: list[Event] = []
    async with line_to_nowhere() as line, Database(empty_database, Settings()) as database, asyncio.timeout(5):
        dsn = urlsplit(empty_database)._replace(netloc=f"nobody@127.0.0.1:{line.port}").geturl()
        async with Usage(dsn, database, events.append, clock) as usage:
            usage.spent(key, 5)
        assert [type(event) for event in events] == [UsageUnwritten]
