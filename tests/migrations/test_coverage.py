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


MANY_PARTS = 32
PARTS = "select count(*) from coverage_outlets group by topic_id, day order by count(*) desc limit 1"


async def _singly(conn: asyncpg.Connection[asyncpg.Record], articles: int, outlets: int, story: int, name: str) -> int:
    """Inserts articles one by one; the most parts that any day of a topic had meanwhile."""
    most = 0
    for number in range(articles):
        await conn.execute(INSERT, 1 + number % outlets, story, f"{name} {number}")
        most = max(most, await conn.fetchval(PARTS))
    return most


@pytest.mark.parametrize(("outlets", "most"), [(1, 4), (8, MANY_PARTS)])
async def test_a_day_of_single_articles_has_few_parts(filled: str, outlets: int, most: int) -> None:
    conn = await asyncpg.connect(filled)
    try:
        assert await _singly(conn, 50, outlets, 1, "single") <= most
    finally:
        await conn.close()
    await assert_figures_agree(filled)


async def test_the_largest_part_is_written_anew_only_for_a_quarter_more(filled: str) -> None:
    large = "select part from coverage_outlets where cardinality(outlet_ids) > 3900 order by part"
    conn = await asyncpg.connect(filled)
    try:
        await conn.execute(
            "insert into outlets (id, domain, slug, name)"
            " select n, n || '.example', n || '-x', 'O' from generate_series(100, 4000) n"
        )
        await conn.execute(
            "insert into articles (outlet_id, story_id, published_at, url, title)"
            " select n, 1, '2026-03-01', 'large ' || n, 'T' from generate_series(100, 4000) n"
        )
        await _singly(conn, 4, 8, 1, "first")  # what the batch had of articles and of reports is one by then
        before = await conn.fetch(large)
        assert len(before) == 1
        assert await _singly(conn, 50, 8, 1, "single") <= MANY_PARTS
        assert await conn.fetch(large) == before
    finally:
        await conn.close()
    await assert_figures_agree(filled)


async def test_nobody_joins_parts_while_another_who_did_is_open_nor_waits_for_them(
    filled: str, two: tuple[asyncpg.Connection[asyncpg.Record], ...]
) -> None:
    parts = "select count(*) from coverage_outlets where topic_id = 1 and day = '2026-03-01'"
    await _singly(two[0], 6, 2, 1, "before")
    async with two[0].transaction():
        await _singly(two[0], 20, 1, 1, "one")
        before = await two[1].fetchval(parts)
        # Another story under the same topic, of another outlet: 40 articles, and at most one report.
        for number in range(40):
            await two[1].execute(INSERT, 8, 3, f"other {number}")
        assert await two[1].fetchval(parts) - before in {40, 41}
    await two[1].execute(INSERT, 8, 3, "after")
    assert await two[1].fetchval(parts) < before + 4
    await assert_figures_agree(filled)


async def test_a_batch_never_reads_all_parts_though_they_were_few_when_it_was_planned(filled: str) -> None:
    batch = (
        "insert into articles (outlet_id, story_id, published_at, url, title)"
        " select 1 + n % 8, 1 + n % 6, timestamptz '2026-03-01' + n % 700 * interval '1 day', $1 || n, 'T'"
        " from generate_series(1, 3000) n"
    )
    conn = await asyncpg.connect(filled)
    # So that to look for a day of a topic seems to find all.
    await conn.execute("delete from articles; delete from coverage_outlets")
    await conn.execute(INSERT, 1, 1, "first")
    await conn.execute("vacuum analyze coverage_outlets")
    await conn.close()
    conn = await asyncpg.connect(filled)
    try:
        read = "select coalesce(sum(seq_tup_read), 0) from pg_stat_xact_user_tables where relname = 'coverage_outlets'"
        async with conn.transaction():
            for name in "abc":
                await conn.execute(batch, name)
            assert await conn.fetchval(read) == 0
    finally:
        await conn.close()


@pytest.mark.parametrize(
    "meanwhile",
    [
        "update topics set parent_id = 3 where id = 2",
        "insert into story_topics (story_id, topic_id, position) values (2, 6, 1)",
        "delete from story_topics where story_id = 2",
        "insert into ratings (outlet_id, agency, bias, factuality) values (5, 'A', 'LEFT', 'HIGH')",
        "update articles set story_id = 3 where story_id = 2",
        "update articles set outlet_id = 6 where story_id = 2",
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
