"""Blocks of time: what is asked of them leaves no time out, names none twice, and comes in the order of the list."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import asyncpg
import pytest

SECONDS = 256
"""Of the smallest block."""
BLOCK = re.compile(r"'(\d) (-?\d+)'")


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    conn = await asyncpg.connect(empty_database)
    try:
        yield conn
    finally:
        await conn.close()


def ranges() -> list[tuple[datetime, datetime]]:
    """Of a second to forty years, before and after 1970."""
    random = Random(7)
    begins = [datetime(1965, 1, 1, tzinfo=UTC) + timedelta(seconds=random.random() * 2e9) for _ in range(60)]
    return [(begin, begin + timedelta(seconds=10 ** (random.random() * 9))) for begin in begins]


def smallest(moment: datetime) -> int:
    return int(moment.timestamp() // SECONDS)


def units(slice_: str) -> set[int]:
    """The smallest blocks that a slice asks for."""
    found: list[int] = []
    for kind, number in BLOCK.findall(slice_):
        size = 32 ** int(kind)
        found += range(int(number) * size, (int(number) + 1) * size)
    assert len(set(found)) == len(found)
    return set(found)


@pytest.mark.parametrize("newest_first", [True, False])
async def test_slices_cover_a_range_once_and_in_order(
    conn: asyncpg.Connection[asyncpg.Record], *, newest_first: bool
) -> None:
    for since, until in ranges():
        rows = await conn.fetch("select time_slices($1, $2, $3)::text", since, until, newest_first)
        slices = [units(row[0]) for row in rows]
        assert len(slices) < 15
        assert len(slices[0]) == 1
        seen = sorted(unit for slice_ in slices for unit in slice_)
        assert seen == list(range(seen[0], seen[-1] + 1)), "each once, and none between left out"
        wanted = (smallest(since), smallest(until))
        assert seen[-1 if newest_first else 0] == wanted[1 if newest_first else 0], "it begins with the range"
        assert seen[0] <= wanted[0]
        assert seen[-1] >= wanted[1]
        for before, after in pairwise(slices):
            assert max(after) < min(before) if newest_first else min(after) > max(before)


async def test_blocks_cover_a_range_once_and_long_ones_lie_in_it(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    for since, until in ranges():
        if await conn.fetchval("select long_blocks($1, $2) is null", since, until):
            assert until - since > timedelta(days=700), "only then they are too many"
            continue
        short = [row[0] for row in await conn.fetch("select unnest(short_blocks($1, $2))", since, until)]
        long = [row[0] for row in await conn.fetch("select unnest(long_blocks($1, $2))", since, until)]
        assert len(short) <= 256
        covered = sorted(short + [one for block in long for one in range(block * 128, (block + 1) * 128)])
        first, last = await conn.fetchrow("select short_block($1), short_block($2)", since, until) or (0, 0)
        assert covered == list(range(first, last + 1))
        assert not long or (long[0] * 128 > first and (long[-1] + 1) * 128 <= last)


async def test_nothing_has_no_blocks(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    late, early = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    for since, until in ((late, early), (None, None)):
        for call in ("time_slices($1, $2, true)", "time_slices($1, $2, false)", "unnest(long_blocks($1, $2))"):
            assert await conn.fetch(f"select {call}", since, until) == []
        assert await conn.fetch("select unnest(short_blocks($1, $2))", since, until) == []


async def test_no_search_finds_an_article_by_its_time_or_its_outlet(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    published = datetime(2026, 3, 1, tzinfo=UTC)
    names = await conn.fetchval("select tsvector_to_array(article_lexemes('', null, 17, $1))", published)
    assert len(names) == 5
    assert "outlet 17" in names
    for name in names:
        for searched in (name, f'"{name}"', f"'{name}'", name.replace(" ", "\\ "), f"{name} or {name}"):
            found = await conn.fetchval(
                "select article_lexemes('', null, 17, $1) @@ websearch_to_tsquery('simple', $2)", published, searched
            )
            assert found is False, searched


async def test_time_and_outlet_leave_phrases_as_they_are(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    async def holds(query: str) -> bool:
        return await conn.fetchval(
            "select article_lexemes('one two', 'three', 17, now()) @@ websearch_to_tsquery('simple', $1)", query
        )

    asked = ('"one two"', '"two three"', '"one three"', "one -three", "-four", '"three outlet"')
    assert [await holds(query) for query in asked] == [True, True, False, False, True, False]
