from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bench.line import Line
from service.doctor import examine_redis
from service.events import Event, RedisAnswers, RedisFailed
from service.redis import PATIENCE, RedisAway, SharedRedis
from tests.redis_servers import URL, line_to_nowhere, line_to_redis, needs_redis, own_prefix, until_it_answers

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with line_to_redis() as line:
        yield line


@needs_redis
async def test_a_command_is_answered() -> None:
    async with own_prefix() as prefix, SharedRedis(URL) as redis:
        await redis.run("SET", f"{prefix}:a", b"\x00\xff", "PX", 10_000)
        assert await redis.run("GET", f"{prefix}:a") == b"\x00\xff"


@needs_redis
async def test_what_is_closed_opens_no_connection_for_who_comes_later() -> None:
    async with SharedRedis(URL) as redis:
        assert await redis.run("PING")
    with pytest.raises(RedisAway):
        await redis.run("PING")


@needs_redis
async def test_more_callers_than_connections_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.redis.PATIENCE", 10)
    async with SharedRedis(URL) as redis:
        answers = await asyncio.gather(*(redis.run("ECHO", number) for number in range(200)))
    assert answers == [b"%d" % number for number in range(200)]


@needs_redis
async def test_a_redis_that_hangs_costs_one_wait_and_then_none_until_it_answers_again(line: Line) -> None:
    events: list[Event] = []
    async with SharedRedis(line.url, events.append) as redis:
        line.hang()
        began = time.perf_counter()
        together = await asyncio.gather(*(redis.run("PING") for _ in range(50)), return_exceptions=True)
        waited = time.perf_counter() - began
        assert {type(each) for each in together} == {RedisAway}
        assert waited < 10 * PATIENCE
        for _ in range(50):
            with pytest.raises(RedisAway):
                await redis.run("PING")
        assert time.perf_counter() - began < 50 * PATIENCE
        line.silent = False
        await until_it_answers(redis)
    assert [type(event) for event in events] == [RedisAnswers, RedisFailed, RedisAnswers]


@needs_redis
async def test_answers_that_are_late_are_waited_for_by_nobody_and_cost_no_connection(line: Line) -> None:
    events: list[Event] = []
    async with SharedRedis(line.url, events.append) as redis:
        clients = await redis.run("CLIENT", "ID")
        line.lag = 4 * PATIENCE
        with pytest.raises(RedisAway, match="in time"):
            await redis.run("ECHO", "late")
        with pytest.raises(RedisAway, match="late"):
            await redis.run("ECHO", "another")
        line.lag = 0
        await asyncio.sleep(6 * PATIENCE)
        assert await redis.run("ECHO", "in step") == b"in step"
        assert await redis.run("CLIENT", "ID") == clients
    assert [type(event) for event in events] == [RedisAnswers]


@needs_redis
async def test_a_redis_that_was_away_is_found_again(line: Line) -> None:
    async with SharedRedis(line.url) as redis:
        await line.cut()
        with pytest.raises(RedisAway):
            await redis.run("PING")
        await line.open()
        await until_it_answers(redis)


@needs_redis
async def test_a_command_that_redis_refuses_is_no_error_of_another_kind() -> None:
    async with SharedRedis(URL) as redis:
        with pytest.raises(RedisAway):
            await redis.run("NONSENSE")


async def test_what_is_away_from_the_start_is_told_once_and_stops_nothing() -> None:
    events: list[Event] = []
    async with SharedRedis(NOBODY, events.append) as redis:
        await asyncio.sleep(1.2)
        with pytest.raises(RedisAway) as away:
            await redis.run("PING")
    assert [type(event) for event in events] == [RedisFailed]
    assert isinstance(away.value.__cause__, Exception)


@needs_redis
async def test_a_caller_who_leaves_is_no_failure_of_redis(line: Line) -> None:
    async with SharedRedis(line.url) as redis:
        line.lag = PATIENCE / 2
        call = asyncio.create_task(redis.run("ECHO", "for nobody"))
        await asyncio.sleep(PATIENCE / 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        line.lag = 0
        assert await redis.run("ECHO", "for another") == b"for another"


@pytest.mark.parametrize(
    "url", ["redis://host/0?nonsense=1", "redis://host?socket_timeout=x", "redis+cluster://host/3"]
)
def test_a_url_that_will_not_do_is_told_before_anything_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SharedRedis(url)


@needs_redis
async def test_the_doctor_finds_a_redis_in_order() -> None:
    assert (await examine_redis(URL)).well


@pytest.mark.parametrize("url", [NOBODY, "redis://host?nonsense=1"])
async def test_the_doctor_finds_what_is_wrong_with_redis(url: str) -> None:
    finding = await examine_redis(url)
    assert not finding.well
    assert len(finding.told) > 40


async def test_the_doctor_tells_of_a_redis_that_never_answers() -> None:
    async with line_to_nowhere() as line:
        assert "cannot be used: Timeout" in (await examine_redis(line.url)).told
