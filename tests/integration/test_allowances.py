"""Allowances that processes share by Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from service.access.limits import KEPT, SHARE, Allowances
from service.errors import RateLimited
from service.redis import PATIENCE, SharedRedis, Word
from tests.redis_servers import URL, line_to_redis, needs_redis, own_prefix, until_it_answers

pytestmark = needs_redis

KEY = "key:1"


class Counting(SharedRedis):
    """Counts the commands."""

    commands = 0

    async def run(self, *command: Word) -> Any:
        self.commands += 1
        return await super().run(*command)


@pytest.fixture
async def prefix() -> AsyncIterator[str]:
    async with own_prefix() as prefix:
        yield prefix


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine Redis is not away for being late."""
    monkeypatch.setattr("service.redis.PATIENCE", 10)


@pytest.fixture
async def redis(patient: None) -> AsyncIterator[Counting]:  # noqa: ARG001 - it only has to be there
    async with Counting(URL) as redis:
        yield redis


async def spent_until_refused(allowances: Allowances, per_minute: int, cost: int) -> int:
    """What can be spent at once, in parts."""
    spent = 0
    while True:
        try:
            await allowances.spend(KEY, per_minute, cost)
        except RateLimited:
            return spent
        spent += cost


async def test_processes_spend_from_one_bucket(redis: Counting, prefix: str) -> None:
    one, other = Allowances(redis, prefix), Allowances(redis, prefix)
    assert (await one.spend(KEY, 60, 20)).remaining == 40
    assert (await other.spend(KEY, 60, 30)).remaining == 10
    with pytest.raises(RateLimited) as refusal:
        await one.spend(KEY, 60, 30)
    assert refusal.value.retry_after in (19, 20)
    assert refusal.value.limit == 60
    assert (await other.spend(KEY, 60, 10)).remaining == 0


async def test_what_was_refused_can_be_had_after_the_time_told_and_not_before(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    await allowances.spend(KEY, 600, 600)
    spent = time.monotonic()
    with pytest.raises(RateLimited):
        await allowances.spend(KEY, 600, 8)
    with pytest.raises(RateLimited) as refusal:
        await allowances.spend(KEY, 600, 15)
    assert refusal.value.retry_after == 2, "more takes longer, though less was refused before"
    began = time.monotonic()
    while True:
        try:
            await allowances.spend(KEY, 600, 8)
        except RateLimited:
            await asyncio.sleep(0.01)
        else:
            break
    had = time.monotonic()
    assert had - spent > 0.7
    assert had - began < 1.5


async def test_a_flood_of_refused_requests_asks_redis_nothing(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    await allowances.spend(KEY, 6, 6)
    before = redis.commands
    for cost in (1, 5, 2, 6) * 250:
        with pytest.raises(RateLimited):
            await allowances.spend(KEY, 6, cost)
    assert redis.commands == before


async def test_a_busy_account_asks_redis_seldom_and_can_spend_its_whole_budget(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    began = time.monotonic()
    spent = await spent_until_refused(allowances, 60_000, 10)
    refilled = (time.monotonic() - began) * 1_000
    assert 60_000 - 10 <= spent <= 60_000 + refilled
    assert redis.commands < spent / 10 / 20


async def test_what_was_taken_ahead_is_no_more_than_a_hundredth_and_is_given_back(redis: Counting, prefix: str) -> None:
    busy, other = Allowances(redis, prefix), Allowances(redis, prefix)
    for _ in range(3):
        await asyncio.gather(*(busy.spend(KEY, 60_000, 1) for _ in range(50)))
    told = (await other.balance(KEY, 60_000)).remaining
    assert told >= 60_000 - 150 - 60_000 // SHARE
    await asyncio.sleep(KEPT + 0.5)
    assert (await other.balance(KEY, 60_000)).remaining == 60_000
    assert (await busy.balance(KEY, 60_000)).remaining == 60_000


async def test_who_has_some_ahead_asks_for_the_rest_only(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    await allowances.spend(KEY, 6_000, 20)
    await allowances.spend(KEY, 6_000, 20)
    remaining = (await allowances.balance(KEY, 6_000)).remaining
    assert (await allowances.spend(KEY, 6_000, remaining)).remaining < 60


async def test_those_who_come_at_once_get_what_there_is_and_no_more(redis: Counting, prefix: str) -> None:
    processes = [Allowances(redis, prefix) for _ in range(4)]
    began = time.monotonic()
    asked = (each.spend(KEY, 600, 7) for _ in range(50) for each in processes)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    granted = 7 * sum(not isinstance(answer, BaseException) for answer in answers)
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {RateLimited}
    assert 600 - 7 - 4 * 6 <= granted <= 600 + 10 * (time.monotonic() - began)


def granted_within(url: str, prefix: str, begins_at: float, seconds: float) -> int:
    """What a process of its own gets that asks for half the budget, of the 4 which ask for twice of it."""

    async def ask() -> int:
        granted = 0
        async with SharedRedis(url) as redis:
            allowances = Allowances(redis, prefix)
            await asyncio.sleep(begins_at - time.monotonic())
            while time.monotonic() < begins_at + seconds:
                for account in range(10):
                    try:
                        await allowances.spend(f"key:{account}", 6_000, 2)
                    except RateLimited:
                        continue
                    granted += 2
                await asyncio.sleep(0.04)
        return granted

    return asyncio.run(ask())


async def test_processes_that_ask_for_twice_the_budget_get_the_refill_within_five_percent(
    redis: Counting, prefix: str
) -> None:
    seconds, refill = 3.0, 10 * 100
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        warm = (loop.run_in_executor(pool, granted_within, URL, prefix, time.monotonic() + 2, 0) for _ in range(4))
        await asyncio.gather(*warm)
        begins_at = time.monotonic() + 0.5
        asked = [loop.run_in_executor(pool, granted_within, URL, prefix, begins_at, seconds) for _ in range(4)]
        await asyncio.sleep(begins_at - time.monotonic() - 0.1)
        emptying = Allowances(redis, prefix)
        await asyncio.gather(*(emptying.spend(f"key:{account}", 6_000, 6_000) for account in range(10)))
        granted = sum(await asyncio.gather(*asked))
    assert 0.95 * seconds * refill <= granted <= 1.05 * (seconds + 0.1) * refill


async def test_another_budget_is_as_full_as_the_one_before(redis: Counting, prefix: str) -> None:
    one, other = Allowances(redis, prefix), Allowances(redis, prefix)
    await one.spend(KEY, 60, 30)
    assert (await one.spend(KEY, 6_000, 0)).remaining == pytest.approx(3_000, abs=20)
    assert (await other.balance(KEY, 6)).remaining == 3


async def test_a_bucket_is_forgotten_when_it_is_full(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    await allowances.spend(KEY, 60_000, 100)
    assert 0 < await redis.run("PTTL", f"{prefix}:allowance:{KEY}") <= 100
    await asyncio.sleep(0.3)
    assert not await redis.run("EXISTS", f"{prefix}:allowance:{KEY}")


@pytest.mark.parametrize(
    "command",
    [("SET", b"\xffnoise"), ("SET", ""), ("SET", "nan"), ("SET", "-1"), ("RPUSH", "a"), ("HSET", "a", "b")],
    ids=str,
)
async def test_garbage_under_our_keys_is_a_full_bucket(redis: Counting, prefix: str, command: tuple[str, ...]) -> None:
    await redis.run(command[0], f"{prefix}:allowance:{KEY}", *command[1:])
    allowances = Allowances(redis, prefix)
    assert (await allowances.spend(KEY, 60, 10)).remaining == 50
    assert (await Allowances(redis, prefix).balance(KEY, 60)).remaining == 50


async def test_a_clock_that_was_set_back_leaves_a_bucket_empty_for_no_longer_than_a_minute(
    redis: Counting, prefix: str
) -> None:
    await redis.run("SET", f"{prefix}:allowance:{KEY}", round((time.time() + 86_400) * 1e6))
    with pytest.raises(RateLimited) as refusal:
        await Allowances(redis, prefix).spend(KEY, 60, 10)
    assert refusal.value.retry_after == 10


async def test_a_redis_that_lost_everything_fills_the_buckets(redis: Counting, prefix: str) -> None:
    await Allowances(redis, prefix).spend(KEY, 60, 60)
    await redis.run("DEL", f"{prefix}:allowance:{KEY}")
    assert (await Allowances(redis, prefix).spend(KEY, 60, 10)).remaining == 50


async def test_while_redis_hangs_each_process_decides_by_what_it_knew_and_nobody_waits_for_long(prefix: str) -> None:
    async with line_to_redis() as line, SharedRedis(line.url) as redis:
        one, other = Allowances(redis, prefix), Allowances(redis, prefix)
        await one.spend(KEY, 60, 30)
        line.hang()
        waits: list[float] = []
        for allowances, left in (one, (20, 10, 0)), (other, (50, 40, 30, 20, 10, 0)):
            for expected in left:
                began = time.perf_counter()
                assert (await allowances.spend(KEY, 60, 10)).remaining == expected
                waits.append(time.perf_counter() - began)
            with pytest.raises(RateLimited) as refusal:
                await allowances.spend(KEY, 60, 30)
            assert refusal.value.retry_after in (29, 30)
        assert max(waits) < 10 * PATIENCE
        assert sum(waits) < 20 * PATIENCE


@pytest.mark.usefixtures("patient")
async def test_a_redis_that_comes_back_is_asked_again(prefix: str) -> None:
    async with line_to_redis() as line, SharedRedis(line.url) as redis:
        one, other = Allowances(redis, prefix), Allowances(redis, prefix)
        await one.spend(KEY, 60, 10)
        await line.cut()
        assert (await one.spend(KEY, 60, 20)).remaining == 30, "as it knew"
        await line.open()
        await until_it_answers(redis)
        assert (await other.spend(KEY, 60, 10)).remaining >= 40
        assert 30 <= (await one.spend(KEY, 60, 10)).remaining < 40


async def test_a_caller_who_leaves_takes_nothing_away_that_was_ahead(redis: Counting, prefix: str) -> None:
    allowances = Allowances(redis, prefix)
    for _ in range(5):
        await allowances.spend(KEY, 60_000, 1)
    leaving = asyncio.create_task(allowances.spend(KEY, 60_000, 1_000))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await allowances.spend(KEY, 60_000, 1)).remaining >= 60_000 - 1_006 - 600
