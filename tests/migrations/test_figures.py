"""Figures are kept by whoever writes, with plain SQL on the model's tables."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.integration.recount import assert_figures_agree
from tests.migrations.writers import FILL, Writer, write


@pytest.fixture
async def filled(empty_database: str) -> str:
    """The DSN of a database with 8 outlets, 10 stories, of which six have a topic, and 40 articles."""
    conn = await asyncpg.connect(empty_database)
    await conn.execute(FILL)
    await conn.execute(
        "insert into story_topics (story_id, topic_id, position) select n, n, 0 from generate_series(1, 6) n"
    )
    await conn.close()
    return empty_database


@pytest.mark.parametrize("seed", range(2))
async def test_after_every_statement_all_figures_are_those_of_a_recount(filled: str, seed: int) -> None:
    writer = Writer(seed)
    conn = await asyncpg.connect(filled)
    try:
        for _ in range(20):
            statement, values = writer.statement()
            await conn.execute(statement, *values)
            await assert_figures_agree(filled)
    finally:
        await conn.close()


async def test_a_transaction_that_is_undone_leaves_no_trace(filled: str) -> None:
    writer = Writer(99)
    conn = await asyncpg.connect(filled)
    try:
        changes = await conn.fetchval("select count(*) from changes")
        for _ in range(10):
            transaction = conn.transaction()
            await transaction.start()
            for _ in range(4):
                statement, values = writer.statement()
                await conn.execute(statement, *values)
            await transaction.rollback()
        assert await conn.fetchval("select count(*) from changes") == changes
    finally:
        await conn.close()
    await assert_figures_agree(filled)


async def test_four_writers_at_once_keep_the_figures(filled: str) -> None:
    await asyncio.gather(*(write(filled, seed, 12) for seed in range(100, 104)))
    await assert_figures_agree(filled)


@pytest.mark.parametrize("tables", ["articles", "stories, articles, changes", "outlets"])
async def test_what_is_truncated_leaves_no_figure(filled: str, tables: str) -> None:
    conn = await asyncpg.connect(filled)
    try:
        await conn.execute(f"truncate {tables} cascade")
        assert await conn.fetchval("select count(*) from reports") == 0
    finally:
        await conn.close()
    await assert_figures_agree(filled)


async def test_where_every_article_is_deleted_no_figure_is_left(filled: str) -> None:
    conn = await asyncpg.connect(filled)
    await conn.execute("delete from articles")
    await assert_figures_agree(filled)
    assert await conn.fetchval("select sum(article_count + outlet_count + rated_count) from stories") == 0
    assert await conn.fetchval("select count(*) from reports") == 0
    assert await conn.fetchval("select count(*) from story_facets") == 0
    await conn.close()
