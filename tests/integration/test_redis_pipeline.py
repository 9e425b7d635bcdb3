"""What goes by one connection to Redis: each has its own answer, and none waits for what does not come."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from service.cache import RedisCache
from service.events import Event, RedisAnswers, RedisFailed
from service.redis import PATIENCE, RedisAway, SharedRedis
from tests.redis_servers import (
    URL,
    Line,
    line_to_redis,
    needs_redis,
    needs_redis_server,
    own_prefix,
    own_redis,
    until_it_answers,
)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with line_to_redis() as line:
        yield line


@needs_redis
async def test_each_has_its_own_answer_also_where_others_leave_or_are_refused(line: Line) -> None:
    async with SharedRedis(line.url) as redis:
        line.lag = PATIENCE / 5
        calls = [asyncio.create_task(redis.run("ECHO", number)) for number in range(100)]
        await asyncio.sleep(PATIENCE / 10)
        for call in calls[::3]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [each for each in answers if isinstance(each, bytes)] == [b"%d" % n for n in range(100) if n % 3]
        together = (redis.run("ECHO", "one"), redis.run("NONSENSE"), redis.run("ECHO", "other"))
        one, refused, other = await asyncio.gather(*together, return_exceptions=True)
    assert (one, type(refused), other) == (b"one", RedisAway, b"other")


@needs_redis
async def test_who_fails_at_what_they_are_told_costs_nobody_else_their_answer() -> None:
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(repr(context["exception"])))
    told: list[bytes | None] = []

    def fail(_: bytes) -> None:
        raise ZeroDivisionError

    async with SharedRedis(URL) as redis:
        assert redis.ask(fail, "PING")
        assert redis.ask(told.append, "NONSENSE")
        assert redis.ask(told.append, "ECHO", "other")
        assert await redis.run("ECHO", "last") == b"last"
    assert failures == ["ZeroDivisionError()"]
    assert told == [None, b"other"]


@needs_redis
async def test_who_need_not_wait_is_told_of_nothing_where_redis_is_late(line: Line) -> None:
    told: list[bytes | None] = []
    async with SharedRedis(line.url) as redis:
        line.lag = PATIENCE * 2
        assert redis.ask(told.append, "ECHO", "late")
        await asyncio.sleep(PATIENCE * 1.5)
        assert told == [None]
        await asyncio.sleep(PATIENCE * 1.5)
        assert told == [None], "once"
        line.lag = 0
        await until_it_answers(redis)
        assert await redis.run("ECHO", "in step") == b"in step"


@needs_redis
async def test_an_answer_of_many_parts_is_put_together() -> None:
    value = bytes(range(256)) * 20_000
    async with own_prefix() as prefix, SharedRedis(URL) as redis:
        await redis.run("SET", f"{prefix}:large", value, "PX", 10_000)
        assert await redis.run("MGET", f"{prefix}:large", f"{prefix}:none") == [value, None]


@needs_redis
@pytest.mark.parametrize("said", [b"what?\r\n", b"+PONG\r\n+PONG\r\n", b"$-5\r\n", b"\x00" * 5_000])
async def test_what_nobody_asked_for_ends_the_connection_and_a_new_one_is_made(line: Line, said: bytes) -> None:
    events: list[Event] = []
    async with SharedRedis(line.url, events.append) as redis:
        line.instead = said
        with suppress(RedisAway):
            await redis.run("PING")
        with pytest.raises(RedisAway):
            await redis.run("PING")
        await until_it_answers(redis)
        assert await redis.run("ECHO", "in step") == b"in step"
    assert [type(event) for event in events] == [RedisAnswers, RedisFailed, RedisAnswers]


@needs_redis
async def test_a_connection_that_ends_amid_an_answer_has_nobody_wait(line: Line) -> None:
    events: list[Event] = []
    async with SharedRedis(line.url, events.append) as redis:
        line.instead = b"$10\r\nhalf"
        calls = [asyncio.create_task(redis.run("ECHO", "whole")) for _ in range(10)]
        await asyncio.sleep(PATIENCE / 5)
        await line.cut()
        began = time.perf_counter()
        assert {type(each) for each in await asyncio.gather(*calls, return_exceptions=True)} == {RedisAway}
        assert time.perf_counter() - began < PATIENCE
        await line.open()
        await until_it_answers(redis)
    assert [type(event) for event in events] == [RedisAnswers, RedisFailed, RedisAnswers]


@needs_redis
async def test_a_connection_that_redis_ends_while_nobody_asks_is_made_anew() -> None:
    async with SharedRedis(URL) as redis, SharedRedis(URL) as other:
        client = await redis.run("CLIENT", "ID")
        await other.run("CLIENT", "KILL", "ID", client)
        await asyncio.sleep(PATIENCE)
        await until_it_answers(redis)
        assert await redis.run("CLIENT", "ID") != client


@needs_redis
async def test_a_connection_that_failed_is_closed_once_another_is_there() -> None:
    name = f"test-{secrets.token_hex(4)}"
    async with SharedRedis(f"{URL}?client_name={name}") as redis:
        for _ in range(2):
            with pytest.raises(RedisAway):
                await redis.run("NONSENSE")
            await until_it_answers(redis)
        assert (await redis.run("CLIENT", "LIST")).count(name.encode()) == 1


@needs_redis
async def test_more_than_can_be_answered_in_time_is_refused_at_once(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.redis_pipeline.MOST_ASKED", 10)
    monkeypatch.setattr("service.redis.PATIENCE", 5)
    async with SharedRedis(line.url) as redis:
        line.lag = PATIENCE / 2
        answers = await asyncio.gather(*(redis.run("ECHO", n) for n in range(30)), return_exceptions=True)
        assert answers[:10] == [b"%d" % n for n in range(10)]
        assert {type(each) for each in answers[10:]} == {RedisAway}
        assert await redis.run("ECHO", "later") == b"later"


@needs_redis
async def test_while_redis_takes_nothing_nobody_adds_to_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.redis_pipeline.MOST_UNSENT", 100_000)
    async with SharedRedis(URL) as redis:
        large = [asyncio.create_task(redis.run("ECHO", b"x" * 10_000_000)) for _ in range(3)]
        for _ in range(2):  # for them to begin, and for what they say to go
            await asyncio.sleep(0)
        began = time.perf_counter()
        with pytest.raises(RedisAway, match="late"):
            await redis.run("PING")
        assert time.perf_counter() - began < PATIENCE
        await asyncio.gather(*large, return_exceptions=True)


@needs_redis
async def test_who_still_waits_is_answered_before_the_connection_is_closed(line: Line) -> None:
    async with SharedRedis(line.url) as redis:
        line.lag = PATIENCE / 5
        waiting = asyncio.create_task(redis.run("ECHO", "last"))
        await asyncio.sleep(0)
    assert await waiting == b"last"


@needs_redis_server
async def test_a_redis_is_found_by_socket_user_password_and_number(tmp_path: Path) -> None:
    options = ("--port", "0", "--user", "reader", "on", ">secret", "~*", "+@all", "--user", "default", "off")
    async with own_redis(tmp_path, *options) as socket:
        async with SharedRedis(f"unix://reader:secret@{socket}?db=3&client_name=news") as redis:
            assert await redis.run("ACL", "WHOAMI") == b"reader"
            assert {b"db=3", b"name=news"} <= set((await redis.run("CLIENT", "INFO")).split())
        async with SharedRedis(f"unix://reader:wrong@{socket}") as redis:
            with pytest.raises(RedisAway) as away:
                await redis.run("PING")
    assert "invalid" in str(away.value.__cause__)


@needs_redis_server
async def test_a_cluster_is_found_by_one_of_its_nodes(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    # Nodes speak to each other by a port that is 10,000 higher.
    port = next(port for port in iter(unused_tcp_port_factory, 0) if port < 55_000)
    options = ("--port", str(port), "--cluster-enabled", "yes")
    async with own_redis(tmp_path, *options) as socket:
        async with SharedRedis(f"unix://{socket}") as node:
            await node.run("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
            async with asyncio.timeout(20):
                while b"cluster_state:ok" not in await node.run("CLUSTER", "INFO"):
                    await asyncio.sleep(0.02)
        async with SharedRedis(f"redis+cluster://127.0.0.1:{port}") as redis:
            cache = RedisCache(redis)
            cache.begin("database")
            assert await cache.get_or_lead(b"key", 5) == (None, True)
            await cache.put(b"key", b"answer", 60)
            assert await cache.get_or_lead(b"key", 1) == (b"answer", False)
