"""What is kept in Redis is not what was put there."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from zlib import crc32

from bench.chaos.fault import Around, Fault
from bench.chaos.stage import Stage
from bench.chaos.tasks import redis_of, repeated
from service.settings import Settings

EVERY = 0.2
Spoil = Callable[[bytes], bytes | None]
"""What is put in the place of a value; None for a list, which is no value at all."""


def faults() -> Generator[Fault]:
    """Each way of spoiling all keys of ours, over and over."""
    yield Fault("redis-garbage", "random bytes under all of our keys in Redis", _spoiled(_random))
    yield Fault("redis-truncated", "all of our values in Redis cut in half", _spoiled(lambda old: old[: len(old) // 2]))
    yield Fault("redis-damaged", "one bit of each of our values in Redis turned", _spoiled(_turned))
    yield Fault("redis-other-version", "values in Redis as another version would write them", _spoiled(_of_another))
    yield Fault("redis-other-type", "lists in Redis where our values should be", _spoiled(lambda _: None))
    yield Fault("redis-emptied", "Redis is emptied over and over", _emptied)


def _random(_old: bytes) -> bytes:
    return random.randbytes(64)


def _turned(old: bytes) -> bytes:
    at = random.randrange(len(old)) if old else 0
    return old[:at] + bytes([old[at] ^ 1 << random.randrange(8)]) + old[at + 1 :] if old else old


def _of_another(old: bytes) -> bytes:
    summed, separator, rest = old.partition(b"\n")
    head = summed[9:].replace(b'{"format":', b'{"format":9', 1)
    return b"%08x %b%b%b" % (crc32(head), head, separator, rest) if separator else old


def _spoiled(spoil: Spoil) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        async with redis_of(stage) as redis:

            async def spoil_all() -> None:
                async for key in redis.scan_iter(f"{Settings().redis_prefix}:*", count=1_000):
                    if await redis.type(key) != b"string":
                        continue
                    old = await redis.get(key)
                    new = None if old is None else spoil(old)
                    if new is not None:
                        await redis.set(key, new, keepttl=True)
                    elif old is not None:
                        await redis.delete(key)
                        await redis.rpush(key, "a list")

            async with repeated(spoil_all, EVERY):
                yield

    return happens


@asynccontextmanager
async def _emptied(stage: Stage) -> AsyncGenerator[None]:
    async with redis_of(stage) as redis, repeated(redis.flushall, EVERY):
        yield
