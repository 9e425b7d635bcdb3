"""Coverage by the day: writers at once neither wait for each other's sums nor lose what meets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.recount import assert_figures_agree
from tests.migrations.writers import FILL

INSERT = "insert into articles (outlet_id, story_id, published_at, url, title) values ($1, $2, '2026-03-01', $3, 'T')"


@pytest.fixture
async def filled(empty_database: str) -> str:
    """The DSN of a database with 8 outlets, 40 articles, 6 topics, and 10 stories, of which six have a topic."""
    conn = await asyncpg.connect(empty_database)
    await conn.execute(FILL)
    await conn.execute(
        "insert into story_topics (story_id, topic_id, position) select n, n, 0 from generate_series(1, 6) n"
    )
    await conn.close()
    return empty_database


@pytest.fixture
async def two(filled: str) -> AsyncIterator[tuple[asyncpg.Connection[asyncpg.Record], ...]]:
    """Two writers, who give up after a second of waiting."""
    conns = [await asyncpg.connect(filled, server_settings={"lock_timeout": "1s"}) for _ in range(2)]
    yield tuple(conns)
    for conn in conns:
        await conn.close()


async def test_writers_of_other_stories_and_outlets_do_not_wait(
    filled: str, two: tuple[asyncpg.Connection[asyncpg.Record], ...]
) -> None:
    async with two[0].transaction():
        await two[0].execute(INSERT, 1, 7, "a")
        async with two[1].transaction():
            await two[1].execute(INSERT, 2, 8, "b")
    await assert_figures_agree(filled)


MOST_PARTS = 32
PARTS = "select count(*) from coverage_outlets group by topic_id, day order by count(*) desc limit 1"


async def test_a_day_of_single_articles_has_few_parts(filled: str) -> None:
    conn = await asyncpg.connect(filled)
    try:
        most: list[int] = []  # one for each of a hundred without their being joined
        for number in range(50):
            await conn.execute(INSERT, 1 + number % 8, 1 + number % 6, f"single {number}")
            most.append(await conn.fetchval(PARTS))
    finally:
        await conn.close()
    assert max(most) <= MOST_PARTS
    await assert_figures_agree(filled)


async def test_who_joins_parts_neither_waits_for_another_who_does_nor_takes_what_is_theirs(
    filled: str, two: tuple[asyncpg.Connection[asyncpg.Record], ...]
) -> None:
    for number in range(6):  # parts that both come upon
        await two[0].execute(INSERT, 1 + number % 2, 1, f"before {number}")
    async with two[0].transaction():
        for number in range(40):
            await two[0].execute(INSERT, 1, 1, f"one {number}")
        # Another story under the same topic, of another outlet.
        async with two[1].transaction():
            for number in range(40):
                await two[1].execute(INSERT, 2, 3, f"other {number}")
    await assert_figures_agree(filled)


@pytest.mark.parametrize(
    "meanwhile",
    [
        "update topics set parent_id = 3 where id = 2",
        "insert into story_topics (story_id, topic_id, position) values (2, 6, 1)",
        "delete from story_topics where story_id = 2",
        "insert into ratings (outlet_id, agency, bias, factuality) values (5, 'A', 'LEFT', 'HIGH')",
        "update articles set story_id = 3 where story_id = 2",
        "delete from articles where story_id = 2",
    ],
)
async def test_what_meets_an_article_that_is_being_written_counts_it_once(filled: str, meanwhile: str) -> None:
    writer, other = [await asyncpg.connect(filled) for _ in range(2)]
    try:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute(INSERT, 5, 2, "a")
        waiting = asyncio.create_task(other.execute(meanwhile))
        await asyncio.sleep(0.1)
        await transaction.commit()
        await waiting
    finally:
        await writer.close()
        await other.close()
    await assert_figures_agree(filled)
