"""What is kept of a pool's connections between statements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from service.db import connections as at_hand
from service.db.connections import Connections, Held, Pool
from tests.databases import line_to_postgres


@asynccontextmanager
async def opened(dsn: str, size: int) -> AsyncGenerator[tuple[Connections, Pool]]:
    pool = await asyncpg.create_pool(dsn, min_size=0, max_size=size)
    yield Connections(pool, size), pool
    pool.terminate()


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def pid_of(held: Held) -> int:
    return await held.connection.fetchval("select pg_backend_pid()")


async def test_what_is_kept_is_taken_next(empty_database: str) -> None:
    async with opened(empty_database, 2) as (connections, pool):
        one = await connections.take(soon(), 5)
        assert connections.keep(one)
        assert await connections.take(soon(), 5) is one
        assert pool.get_size() == 1


async def test_what_is_given_up_is_the_pools(empty_database: str) -> None:
    async with opened(empty_database, 1) as (connections, pool):
        one = await connections.take(soon(), 5)
        await connections.give_up(one)
        assert pool.get_idle_size() == 1
        assert await connections.take(soon(), 5) is not one


async def test_who_comes_when_all_are_taken_waits_for_one(empty_database: str) -> None:
    async with opened(empty_database, 1) as (connections, _):
        one = await connections.take(soon(), 5)
        waiting = asyncio.create_task(connections.take(soon(), 5))
        with pytest.raises(TimeoutError):
            await connections.take(soon(), 0.05)
        assert not waiting.done()
        assert connections.keep(one)
        assert await waiting is one


async def test_who_leaves_while_waiting_takes_nothing(empty_database: str) -> None:
    async with opened(empty_database, 1) as (connections, _):
        one = await connections.take(soon(), 5)
        waiting = asyncio.create_task(connections.take(soon(), 5))
        await asyncio.sleep(0.01)
        waiting.cancel()
        assert connections.keep(one)
        await asyncio.wait([waiting])
        assert await connections.take(soon(), 5) is one


async def test_where_none_can_be_opened_the_next_may_try(empty_database: str) -> None:
    async with opened(empty_database.replace("/parallax_test_", "/no_parallax_test_"), 1) as (connections, _):
        for _ in range(2):
            with pytest.raises(asyncpg.InvalidCatalogNameError):
                await connections.take(soon(), 5)


async def test_what_is_not_needed_goes_back_to_rest(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "REST", 0.05)
    async with opened(empty_database, 3) as (connections, pool):
        for held in [await connections.take(soon(), 5) for _ in range(3)]:
            assert connections.keep(held)
        assert pool.get_idle_size() == 0
        async with asyncio.timeout(5):
            while pool.get_idle_size() < 2:  # one is needed all the time
                held = await connections.take(soon(), 5)
                await asyncio.sleep(0.01)
                assert connections.keep(held)
        async with asyncio.timeout(5):
            while pool.get_idle_size() < 3:
                await asyncio.sleep(0.01)


async def test_after_many_uses_one_goes_back(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "MOST_USES", 2)
    async with opened(empty_database, 1) as (connections, _):
        one = await connections.take(soon(), 5)
        assert connections.keep(one)
        assert await connections.take(soon(), 5) is one
        assert not connections.keep(one)
        await connections.give_up(one)
        assert connections.keep(await connections.take(soon(), 5))


async def test_once_expired_none_is_used_again(empty_database: str) -> None:
    async with opened(empty_database, 2) as (connections, _):
        busy, idle = await connections.take(soon(), 5), await connections.take(soon(), 5)
        before = {await pid_of(busy), await pid_of(idle)}
        assert connections.keep(idle)
        await connections.expire()
        assert not connections.keep(busy)
        await connections.give_up(busy)
        after = {await pid_of(await connections.take(soon(), 5)) for _ in range(2)}
        assert not before & after


async def test_they_may_expire_twice_at_once_and_while_others_rest(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_hand, "REST", 0.02)
    async with opened(empty_database, 4) as (connections, pool):
        for _ in range(3):
            for held in [await connections.take(soon(), 5) for _ in range(4)]:
                assert connections.keep(held)
            await asyncio.sleep(0.05)
            *_, taken = await asyncio.gather(connections.expire(), connections.expire(), connections.take(soon(), 5))
            await asyncio.sleep(0.05)
            await connections.give_up(taken)
        await connections.close()
        assert pool.get_size() == 0


async def test_one_that_has_died_at_hand_is_replaced(empty_database: str) -> None:
    async with opened(empty_database, 1) as (connections, _):
        one = await connections.take(soon(), 5)
        pid = await pid_of(one)
        assert connections.keep(one)
        other = await asyncpg.connect(empty_database)
        await other.execute("select pg_terminate_backend($1, 5000)", pid)
        await other.close()
        async with asyncio.timeout(5):
            while True:  # until the end has been read, it may be given once more
                held = await connections.take(soon(), 5)
                try:
                    assert await pid_of(held) != pid
                    return
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connections.give_up(held)


async def test_closing_waits_for_what_is_taken(empty_database: str) -> None:
    async with opened(empty_database, 2) as (connections, pool):
        busy, idle = await connections.take(soon(), 5), await connections.take(soon(), 5)
        assert connections.keep(idle)
        closing = asyncio.create_task(connections.close())
        assert await busy.connection.fetchval("select 1 from pg_sleep(0.1)") == 1
        assert not closing.done()
        assert not connections.keep(busy)
        await connections.give_up(busy)
        await closing
        assert pool.get_size() == 0


async def test_one_that_nobody_is_at_the_other_end_of_takes_those_at_hand_along(empty_database: str) -> None:
    async with line_to_postgres(empty_database) as (line, dsn), opened(dsn, 3) as (connections, _), asyncio.timeout(5):
        busy, idle = await connections.take(soon(), 5), await connections.take(soon(), 5)
        before = {await pid_of(busy), await pid_of(idle)}
        assert connections.keep(idle)
        line.lose()
        with pytest.raises(TimeoutError):
            await busy.connection.fetchval("select 1", timeout=0.1)
        await connections.give_up(busy)
        after = {await pid_of(await connections.take(soon(), 5)) for _ in range(2)}
        assert not before & after
