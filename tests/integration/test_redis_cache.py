"""What processes share by Redis: answers, and who is to make one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from secrets import token_hex

import pytest

from service.cache import Answer, Filled, Kind, Lifetimes, LocalCache, ResponseCache, Source
from service.cache.redis import RedisCache
from service.cache.response import LEAD
from service.events import CacheEntryUnreadable, Event, ignore
from service.redis import SharedRedis

REDIS = os.environ.get("PARALLAX_TEST_REDIS_URL", "")
pytestmark = pytest.mark.skipif(not REDIS, reason="no Redis to test on: PARALLAX_TEST_REDIS_URL is not set")


@pytest.fixture
async def redis() -> AsyncIterator[SharedRedis]:
    async with SharedRedis(REDIS) as redis:
        yield redis


def cache_in(redis: SharedRedis, name: str = "parallax") -> RedisCache:
    cache = RedisCache(redis, name)
    cache.begin("database")
    return cache


@pytest.fixture
def key() -> bytes:
    return os.urandom(32)


@pytest.fixture
def name() -> str:
    return f"parallax-test-{token_hex(4)}"


async def test_the_first_who_asks_leads_until_it_has_put_an_answer(redis: SharedRedis, name: str, key: bytes) -> None:
    one, other = cache_in(redis, name), cache_in(redis, name)
    assert await one.get_or_lead(key, 5) == (None, True)
    assert await other.get_or_lead(key, 5) == (None, False)
    await one.put(key, b"\x00answer\xff", 60)
    await one.released(key)
    assert await other.get_or_lead(key, 5) == (b"\x00answer\xff", False)
    assert await other.lead(key, 5), "who finds the answer too old makes another"
    assert not await one.lead(key, 5)
    assert await other.lead(key, 5), "who leads without knowing, because the answer came late, leads all the same"


async def test_a_lead_lasts_for_as_long_as_it_is_held(redis: SharedRedis, name: str, key: bytes) -> None:
    one, other = cache_in(redis, name), cache_in(redis, name)
    assert await one.lead(key, 0.3)
    for _ in range(5):
        await asyncio.sleep(0.1)
        await one.hold(key, 0.3)
        await other.hold(key, 60)
        assert not await other.lead(key, 5)
    await asyncio.sleep(0.4)
    assert await other.lead(key, 5)


async def answered(
    shared: RedisCache, key: bytes, seconds: float = 0, observe: Callable[[Event], None] = ignore
) -> Answer:
    """What a process that knows nothing yet answers; making it takes so long."""
    cache = ResponseCache(LocalCache(1_000_000), shared, Lifetimes(), max_body_bytes=1_000, observe=observe)
    cache.begin(0, "database")

    async def fill() -> Filled:
        await asyncio.sleep(seconds)
        return Filled(Kind.PAGE, b"answer", 5, ("story:1",))

    return await cache.answer(key, fill)


async def test_who_took_the_lead_and_vanished_holds_others_up_no_longer_than_it_lasts(
    redis: SharedRedis, name: str, key: bytes
) -> None:
    assert (await cache_in(redis, name).get_or_lead(key, LEAD))[1]
    async with asyncio.timeout(5 * LEAD):
        assert (await answered(cache_in(redis, name), key)).source is Source.DATABASE


async def test_what_takes_longer_than_a_lead_is_made_once_all_the_same(
    redis: SharedRedis, name: str, key: bytes
) -> None:
    answers = await asyncio.gather(*(answered(cache_in(redis, name), key, 3 * LEAD) for _ in range(4)))
    assert sorted(answer.source.value for answer in answers) == ["database", "shared", "shared", "shared"]


@pytest.mark.parametrize("command", [("SET", b"\xffnoise"), ("SET", ""), ("RPUSH", "a"), ("HSET", "a", "b")], ids=str)
async def test_garbage_under_our_keys_is_told_and_replaced(
    redis: SharedRedis, name: str, key: bytes, command: tuple[str, ...]
) -> None:
    events: list[Event] = []
    for place in (kept_at(name, key), kept_at(name, key) + ":leads"):
        await redis.run(command[0], place, *command[1:])
    async with asyncio.timeout(2):
        assert (await answered(cache_in(redis, name), key, observe=events.append)).source is Source.DATABASE
    assert [type(event) for event in events] == [CacheEntryUnreadable]
    async with asyncio.timeout(2):
        while (await answered(cache_in(redis, name), key)).source is not Source.SHARED:
            await asyncio.sleep(0.05)
    await redis.run("DEL", kept_at(name, key))


def kept_at(name: str, key: bytes) -> str:
    """Where an answer is kept."""
    return f"{name}:answer:database:{{{key.hex()}}}"


async def test_who_leads_no_longer_ends_nobody_elses_lead(
    redis: SharedRedis, name: str, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.redis.PATIENCE", 10)
    one, other = cache_in(redis, name), cache_in(redis, name)
    assert await one.lead(key, 0.05)
    await asyncio.sleep(0.1)
    assert await other.lead(key, 5)
    await one.released(key)
    assert not await one.lead(key, 5)


async def test_an_answer_is_kept_for_its_time(redis: SharedRedis, name: str, key: bytes) -> None:
    cache = cache_in(redis, name)
    await cache.put(key, b"answer", 1)
    assert (await cache.get_or_lead(key, 5))[0] == b"answer"
    await asyncio.sleep(1.1)
    assert (await cache.get_or_lead(key, 5))[0] is None


async def got(cache: RedisCache, key: bytes) -> bytes | None:
    """What is kept under the key; None too where nobody was asked."""
    told: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    def tell(found: bytes | None) -> None:
        if not told.done():  # whoever asked has left
            told.set_result(found)

    return await told if cache.ask(key, tell) else None


async def test_of_many_who_ask_at_once_one_leads(
    redis: SharedRedis, name: str, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.redis.PATIENCE", 10)
    caches = [cache_in(redis, name) for _ in range(50)]
    assert sum(leads for _, leads in await asyncio.gather(*(cache.get_or_lead(key, 5) for cache in caches))) == 1


async def test_without_redis_everybody_leads() -> None:
    async with SharedRedis("redis://127.0.0.1:1/0") as away:
        cache = cache_in(away)
        assert await asyncio.gather(*(got(cache, b"key") for _ in range(20))) == [None] * 20
        assert await cache.get_or_lead(b"key", 5) == (None, True)
        assert await cache.lead(b"key", 5)
        await cache.put(b"key", b"answer", 5)
        await cache.released(b"key")


async def test_databases_share_no_answers_and_before_one_is_known_nothing_is_kept(
    redis: SharedRedis, name: str, key: bytes
) -> None:
    one, other, unknown = cache_in(redis, name), RedisCache(redis, name), RedisCache(redis, name)
    other.begin("another database")
    await one.put(key, b"answer", 60)
    await unknown.put(key, b"of what?", 60)
    assert await other.get_or_lead(key, 5) == (None, True)
    assert await unknown.get_or_lead(key, 5) == (None, True)
    assert await unknown.lead(key, 5)
    await unknown.released(key)
    assert (await one.get_or_lead(key, 5))[0] == b"answer"


async def test_of_those_who_read_at_once_each_gets_its_own(redis: SharedRedis, name: str) -> None:
    keys = [os.urandom(32) for _ in range(20)]
    cache = cache_in(redis, name)
    for number, key in enumerate(keys[:-1]):
        await cache.put(key, b"%d" % number, 60)
    leaving = asyncio.create_task(got(cache, keys[0]))
    reading = [asyncio.create_task(got(cache, key)) for key in keys]
    await asyncio.sleep(0)
    leaving.cancel()
    assert await asyncio.gather(*reading) == [*(b"%d" % number for number in range(19)), None]


async def test_what_is_no_answer_is_no_failure_of_redis(redis: SharedRedis, name: str, key: bytes) -> None:
    await redis.run("RPUSH", kept_at(name, key), "a")
    assert await got(cache_in(redis, name), key) is None
    assert await redis.run("DEL", kept_at(name, key)) == 1


async def test_who_reads_leads_nothing_and_sees_nothing_of_other_databases(
    redis: SharedRedis, name: str, key: bytes
) -> None:
    one, other, unknown = cache_in(redis, name), RedisCache(redis, name), RedisCache(redis, name)
    other.begin("another database")
    assert await got(one, key) is None
    assert await one.lead(key, 5)
    await one.put(key, b"answer", 60)
    assert await got(one, key) == b"answer"
    assert await got(other, key) is None
    assert await got(unknown, key) is None
