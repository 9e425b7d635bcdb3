"""What the change feed tells of a transaction: the net of it, at most one row for a story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from tests.databases import database

INSERT = "insert into articles (outlet_id, story_id, published_at, url, title) values (1, {0}, now(), '{1}', 'T')"
DELETE = "delete from articles where story_id = {0}"
MOVE = "update articles set story_id = {1} where story_id = {0}"
MERGE = "update stories set merged_into = {1} where id = {0}"

Conn: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture(scope="module")
async def connected(server_dsn: str, template: str) -> AsyncIterator[Conn]:
    async with database(server_dsn, template) as dsn:
        conn = await asyncpg.connect(dsn)
        yield conn
        await conn.close()


@pytest.fixture
async def conn(connected: Conn) -> Conn:
    """A connection to a database with stories 1 and 2, which show, and 3, which does not."""
    conn = connected
    await conn.execute(
        "truncate stories, articles, outlets, topics, places, changes cascade;"
        "insert into outlets (id, domain, slug, name) values (1, 'a', 'a', 'A'), (2, 'b', 'b', 'B');"
        "insert into topics (id, slug, name) values (1, 'a', 'A'), (2, 'b', 'B');"
        "insert into places (id, slug, name) values (1, 'a', 'A');"
        "insert into stories (id, key, slug, title) select n, n, n, 'T' from generate_series(1, 3) n;"
    )
    await conn.execute(INSERT.format(1, "1"))
    await conn.execute(INSERT.format(2, "2"))
    return conn


async def told(conn: Conn, *statements: str) -> set[tuple[int, str, int | None]]:
    """What one transaction of those statements tells: story, kind, what it was merged into."""
    await conn.execute("delete from changes")
    async with conn.transaction():
        for statement in statements:
            await conn.execute(statement)
    rows = await conn.fetch("select story_id, kind::text, merged_into_id from changes")
    assert len({row["story_id"] for row in rows}) == len(rows)
    return {(row["story_id"], row["kind"], row["merged_into_id"]) for row in rows}


CREATED, UPDATED, REMOVED = "CREATED", "UPDATED", "REMOVED"


@pytest.mark.parametrize(
    "statement",
    [
        "update stories set title = 'U' where id = 1",
        "update stories set summary = 'S' where id = 1",
        "update stories set key_points = '{a}' where id = 1",
        "update stories set image_url = 'http://x' where id = 1",
        "insert into story_topics values (1, 1, 1)",
        "insert into story_places values (1, 1, 1)",
        "insert into perspectives values (1, 'LEFT', 'S')",
        INSERT.format(1, "new"),
        "update articles set title = 'U' where story_id = 1",
        "update articles set authors = '{a}' where story_id = 1",
        "update articles set paywalled = true where story_id = 1",
        "update articles set published_at = published_at - interval '1 day' where story_id = 1",
        "update articles set outlet_id = 2 where story_id = 1",
        "insert into ratings values (1, 'A', 'LEFT'); delete from articles where story_id = 2",
    ],
)
async def test_what_is_a_story_s_own_updates_it(conn: Conn, statement: str) -> None:
    assert (1, UPDATED, None) in await told(conn, *statement.split("; "))
    if "insert into ratings" not in statement:
        assert await told(conn, "select 1") == set()


@pytest.mark.parametrize(
    "statement",
    [
        "update outlets set name = 'N', homepage_url = 'http://x', medium = 'RADIO' where id = 1",
        "update topics set name = 'N' where id = 1",
        "update topics set parent_id = 2 where id = 1",
        "insert into topics (id, slug, name) values (9, 'c', 'C')",
        "update stories set title = title, summary = summary",
        "update articles set title = title, story_id = story_id, published_at = published_at",
        "update stories set title = 'U' where id = 3",
        "insert into story_topics values (3, 1, 1)",
        "insert into stories (id, key, slug, title) values (9, 'n', 'n', 'N')",
        "insert into ratings (outlet_id, agency) values (1, 'A')",
    ],
)
async def test_what_is_not_a_story_s_own_or_of_none_that_shows_changes_none(conn: Conn, statement: str) -> None:
    assert await told(conn, statement) == set()


async def test_a_rating_updates_the_stories_whose_figures_it_moves(conn: Conn) -> None:
    assert await told(conn, "insert into ratings values (1, 'A', 'LEFT')") == {(1, UPDATED, None), (2, UPDATED, None)}
    assert await told(conn, "insert into ratings values (1, 'B', 'LEFT')") == set()
    assert await told(conn, "insert into owners values (2, 1, 'N', 'OTHER')") == set()


async def test_an_outlet_that_moves_to_another_country_updates_the_stories_that_count_it_there(conn: Conn) -> None:
    assert await told(conn, "update outlets set country = 'GB' where id = 1") == {
        (1, UPDATED, None),
        (2, UPDATED, None),
    }
    computed = await conn.fetchval("select min(computed_at) from stories where id < 3")
    assert await told(conn, "update outlets set country = 'GB' where id = 1") == set()
    assert await told(conn, "update outlets set country = null where id = 1") == {
        (1, UPDATED, None),
        (2, UPDATED, None),
    }
    assert await conn.fetchval("select min(computed_at) from stories where id < 3") > computed


async def test_a_story_is_created_when_it_shows_and_removed_when_it_does_not(conn: Conn) -> None:
    assert await told(conn, INSERT.format(3, "3")) == {(3, CREATED, None)}
    assert await told(conn, DELETE.format(3)) == {(3, REMOVED, None)}
    assert await told(conn, INSERT.format(3, "3")) == {(3, CREATED, None)}
    assert await told(conn, MOVE.format(3, 1)) == {(3, REMOVED, None), (1, UPDATED, None)}


@pytest.mark.parametrize(
    ("statements", "wanted"),
    [
        ((INSERT.format(3, "3"), DELETE.format(3)), set[object]()),
        ((INSERT.format(3, "3"), INSERT.format(3, "4")), {(3, CREATED, None)}),
        ((INSERT.format(3, "3"), "update stories set title = 'U' where id = 3"), {(3, CREATED, None)}),
        ((INSERT.format(3, "3"), DELETE.format(3), INSERT.format(3, "4")), {(3, CREATED, None)}),
        ((DELETE.format(1), INSERT.format(1, "3")), {(1, UPDATED, None)}),
        ((DELETE.format(1), INSERT.format(1, "3"), DELETE.format(1)), {(1, REMOVED, None)}),
        (("update stories set title = 'U' where id = 1", DELETE.format(1)), {(1, REMOVED, None)}),
        (("update stories set title = 'U' where id = 1", INSERT.format(1, "3")), {(1, UPDATED, None)}),
        ((MOVE.format(1, 3), MOVE.format(3, 1)), {(1, UPDATED, None)}),
        ((MOVE.format(1, 3),), {(1, REMOVED, None), (3, CREATED, None)}),
        ((MERGE.format(1, 2), MOVE.format(1, 2)), {(1, "MERGED", 2), (2, UPDATED, None)}),
        ((MOVE.format(1, 2), MERGE.format(1, 2)), {(1, "MERGED", 2), (2, UPDATED, None)}),
        ((MERGE.format(1, 3), MOVE.format(1, 3)), {(1, "MERGED", 3), (3, CREATED, None)}),
    ],
)
async def test_a_transaction_is_told_by_its_net(
    conn: Conn, statements: tuple[str, ...], wanted: set[tuple[int, str, int | None]]
) -> None:
    assert await told(conn, *statements) == wanted


async def test_a_chain_of_merges_leads_to_its_end(conn: Conn) -> None:
    assert await told(conn, MERGE.format(1, 2), MOVE.format(1, 2)) == {(1, "MERGED", 2), (2, UPDATED, None)}
    assert await told(conn, MERGE.format(2, 3), MOVE.format(2, 3)) == {(2, "MERGED", 3), (3, CREATED, None)}
    assert {row[0] for row in await conn.fetch("select merged_into from stories where id < 3")} == {3}


async def test_changes_of_one_transaction_share_its_number_and_time(conn: Conn) -> None:
    await told(conn, MOVE.format(1, 3), "update stories set title = 'U' where id = 2")
    (row,) = await conn.fetch(
        "select count(*) as n, count(distinct xid::text) as xids, count(distinct at) as times from changes"
    )
    assert tuple(row) == (3, 1, 1)
