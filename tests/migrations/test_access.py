"""Whoever changes keys and tiers, by whatever program: it is logged, and every process comes to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from tests.access_keys import made_key

NEW_TIER = (
    "insert into tiers (name, rank, cost_per_minute, max_cost_per_request, max_page_size) values ('gold', 99, 9, 9, 9)"
)


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[Any]:
    await made_key(empty_database)
    connection = await asyncpg.connect(empty_database, server_settings={"application_name": "by hand"})
    yield connection
    await connection.close()


async def generation(conn: Any) -> object:
    return await conn.fetchval("select generation from access_generation")


async def latest(conn: Any) -> tuple[str, str, Any, Any]:
    row = await conn.fetchrow("select * from access_log order by id desc limit 1")
    return row["subject"], row["application"], *(row[side] and orjson.loads(row[side]) for side in ("before", "after"))


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("update api_keys set tier = 'vantage'", "key"),
        ("update api_keys set name = 'x', last_used_at = now()", "key"),
        ("delete from api_keys", "key"),
        (NEW_TIER, "tier"),
        ("update tiers set features = '{EXPORT}' where name = 'free'", "tier"),
        ("delete from tiers where name = 'vantage'", "tier"),
        (f"{NEW_TIER} on conflict do nothing", "tier"),
    ],
)
async def test_a_change_by_hand_is_logged_and_makes_a_new_generation(conn: Any, change: str, subject: str) -> None:
    before, entries = await generation(conn), await conn.fetchval("select count(*) from access_log")
    await conn.execute(change)
    assert await generation(conn) != before
    assert await conn.fetchval("select count(*) from access_log") == entries + 1
    assert (await latest(conn))[:2] == (subject, "by hand")


async def test_the_log_tells_what_was_and_what_is_without_a_digest(conn: Any) -> None:
    await conn.execute("update api_keys set tier = 'vantage'")
    _, _, before, after = await latest(conn)
    assert {name for name in after if before[name] != after[name]} == {"tier"}
    assert (before["tier"], after["tier"]) == ("free", "vantage")
    assert "digest" not in before | after


async def test_a_tier_that_is_renamed_is_renamed_for_its_keys(conn: Any) -> None:
    await conn.execute("update tiers set name = 'gratis' where name = 'free'")
    assert await conn.fetchval("select tier from api_keys") == "gratis"
    assert await conn.fetchval("select count(*) from access_log where after ->> 'tier' = 'gratis'") == 1


async def test_a_change_that_is_taken_back_leaves_nothing(conn: Any) -> None:
    before, entries = await generation(conn), await conn.fetchval("select count(*) from access_log")
    async with conn.transaction():
        await conn.execute("savepoint s")
        await conn.execute("delete from api_keys")
        await conn.execute("rollback to s")
    assert await generation(conn) == before
    assert await conn.fetchval("select count(*) from access_log") == entries


async def test_use_is_no_change(conn: Any) -> None:
    before, entries = await generation(conn), await conn.fetchval("select count(*) from access_log")
    await conn.execute("update api_keys set last_used_at = now()")
    await conn.execute("insert into usage_days select id, current_date, 1, 1 from api_keys")
    assert await generation(conn) == before
    assert await conn.fetchval("select count(*) from access_log") == entries


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update access_log set role = 'nobody'", "only added to"),
        ("delete from access_log", "only added to"),
        ("truncate access_log", "only added to"),
        ("truncate api_keys cascade", "row by row"),
        ("truncate tiers cascade", "row by row"),
        ("delete from tiers where name = 'anonymous'", "can be changed, and not removed"),
        ("update tiers set name = 'anyone' where name = 'anonymous'", "can be changed, and not removed"),
    ],
)
async def test_what_must_stay_stays(conn: Any, change: str, told: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match=told):
        await conn.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "update tiers set max_cost_per_request = cost_per_minute + 1",
        "update tiers set max_page_size = 0",
        "update tiers set features = '{TELEPATHY}'",
        "update tiers set rank = 0",
        "delete from tiers where name = 'free'",
        "update api_keys set expires_at = 'infinity'",
        "update api_keys set not_before = '-infinity'",
        "update api_keys set expires_at = '20000-01-01Z'",
        "update api_keys set networks = '{10.0.0.1/32}', prefix = 'plx_'",
        "update api_keys set name = E'a\\nb'",
        "update api_keys set name = ' '",
        "insert into access_generation default values",
    ],
)
async def test_what_would_make_no_sense_is_refused(conn: Any, change: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await conn.execute(change)


async def test_many_may_change_keys_at_once(empty_database: str, conn: Any) -> None:
    entries = await conn.fetchval("select count(*) from access_log")
    await asyncio.gather(*(made_key(empty_database) for _ in range(20)))
    assert await conn.fetchval("select count(*) from access_log") == entries + 20
