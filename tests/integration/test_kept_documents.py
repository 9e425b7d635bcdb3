"""Documents that processes keep for one another in Redis."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.documents import KeptForAll, KeptHere, Quota, id_of
from service.documents.shared import RECENT
from service.events import DocumentUnreadable, Event
from service.redis import PATIENCE, SharedRedis
from tests.redis_servers import URL, line_to_redis, needs_redis, own_prefix

pytestmark = needs_redis

QUOTA = Quota(documents=3, bytes=100, seconds=60)


class Processes:
    """Several processes over one Redis: each `another()` has a memory of its own."""

    def __init__(self, redis: SharedRedis, prefix: str) -> None:
        self.redis = redis
        self.prefix = prefix
        self.events: list[Event] = []
        self.time = time.monotonic()

    def another(self, quota: Quota = QUOTA) -> KeptForAll:
        here = KeptHere(quota, lambda: self.time)
        return KeptForAll(self.redis, self.prefix, quota, here, self.events.append)

    async def kept(self, *texts: str, quota: Quota = QUOTA) -> list[str]:
        """Those that a process finds that knows nothing yet."""
        store = self.another(quota)
        return [text for text in texts if await store.get(id_of(text)) == text]

    async def stored_bytes(self) -> int:
        return int(await self.redis.run("HGET", f"{self.prefix}:{{documents}}:texts", "bytes"))


async def put(store: KeptForAll, *texts: str) -> None:
    for text in texts:
        await store.put(id_of(text), text)


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    async with own_prefix() as prefix, SharedRedis(URL) as redis:
        yield Processes(redis, prefix)


async def test_what_one_process_keeps_another_finds(processes: Processes) -> None:
    await put(processes.another(), "{ é }")
    assert await processes.kept("{ é }", "{ b }") == ["{ é }"]


async def test_those_not_used_for_longest_make_room_by_number(processes: Processes) -> None:
    await put(processes.another(), "a", "b", "c")
    assert await processes.kept("a") == ["a"]
    await put(processes.another(), "d")
    assert await processes.kept("a", "b", "c", "d") == ["a", "c", "d"]


async def test_those_not_used_for_longest_make_room_by_bytes(processes: Processes) -> None:
    await put(processes.another(), "a" * 40, "b" * 40, "c" * 40)
    assert await processes.kept("a" * 40, "b" * 40, "c" * 40) == ["b" * 40, "c" * 40]
    assert await processes.stored_bytes() == 80


async def test_the_bytes_are_counted_right_however_often_a_document_is_put(processes: Processes) -> None:
    for _ in range(3):
        await put(processes.another(), "aa", "éé", "a" * 101)
    assert await processes.stored_bytes() == 6


async def test_a_document_is_kept_for_a_time_after_its_last_use(processes: Processes) -> None:
    await put(processes.another(), "a")
    for key in ("used", "texts"):
        assert 0 < await processes.redis.run("TTL", f"{processes.prefix}:{{documents}}:{key}") <= QUOTA.seconds
    await processes.redis.run("ZADD", f"{processes.prefix}:{{documents}}:used", 1, id_of("a"))
    assert await processes.kept("a") == []
    await put(processes.another(), "b")
    assert await processes.stored_bytes() == 1


async def test_a_process_that_knows_a_document_brings_it_back_where_redis_lost_it(processes: Processes) -> None:
    knows = processes.another(Quota(documents=3, bytes=100, seconds=3_600))
    await put(knows, "a")
    await processes.redis.run("DEL", *(f"{processes.prefix}:{{documents}}:{key}" for key in ("used", "texts")))
    assert await processes.kept("a") == []
    processes.time += RECENT + 1
    assert await knows.get(id_of("a")) == "a"
    assert await processes.kept("a") == ["a"]


async def test_what_redis_holds_under_a_wrong_id_is_never_used(processes: Processes) -> None:
    await put(processes.another(), "a")
    await processes.redis.run("HSET", f"{processes.prefix}:{{documents}}:texts", id_of("a"), b"\xff")
    assert await processes.kept("a") == []
    assert processes.events == [DocumentUnreadable(id_of("a"))]
    await put(processes.another(), "a")
    assert await processes.kept("a") == ["a"]


@pytest.mark.parametrize(
    "garbage",
    [("SET", "used", "x"), ("SET", "texts", "x"), ("DEL", "used"), ("DEL", "texts"), ("HSET", "texts", "x", "y")],
)
async def test_garbage_under_our_keys_is_replaced(processes: Processes, garbage: tuple[str, str, Any]) -> None:
    await put(processes.another(), "a")
    command, key, *rest = garbage
    await processes.redis.run(command, f"{processes.prefix}:{{documents}}:{key}", *rest)
    await processes.kept("a")
    await put(processes.another(), "b")
    assert await processes.kept("b") == ["b"]
    assert await processes.stored_bytes() == 1


async def test_a_redis_that_hangs_costs_one_wait_and_each_process_keeps_its_own() -> None:
    async with own_prefix() as prefix, line_to_redis() as line, SharedRedis(line.url) as redis:
        processes = Processes(redis, prefix)
        store = processes.another()
        line.hang()
        began = time.perf_counter()
        await put(store, "a", "b", "c")
        assert [await store.get(id_of(text)) for text in "abcd"] == ["a", "b", "c", None]
        assert time.perf_counter() - began < 5 * PATIENCE
