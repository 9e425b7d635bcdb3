"""The second level in Redis, one server or a cluster. Whatever goes wrong with it is a miss."""

from __future__ import annotations

from contextlib import suppress
from secrets import token_bytes
from typing import cast

from service.cache.reads import Reads
from service.redis import RedisAway, SharedRedis

# What is kept, else whether the caller leads: one round trip for whoever comes first.
_GET_OR_LEAD = """
local kept = redis.call('GET', KEYS[1])
if kept then return {kept, 0} end
local leads = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return {false, leads and 1 or 0}
"""
# Only who leads may end it: another may lead by now.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisCache:
    """A SharedCache in Redis. `name` keeps its keys apart from those of others on the same server."""

    def __init__(self, redis: SharedRedis, name: str = "parallax") -> None:
        self._redis = redis
        self._reads = Reads(redis)
        self._name = name.encode()
        self._database: bytes | None = None
        self._token = token_bytes(12)

    def begin(self, database: str) -> None:
        self._database = database.encode()

    async def get(self, key: bytes) -> bytes | None:
        if self._database is None:
            return None
        try:
            return await self._reads.get(self._keys(key)[0])
        except RedisAway:
            return None

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:
        if self._database is None:
            return None, True
        kept, leads = self._keys(key)
        try:
            found = await self._redis.run("EVAL", _GET_OR_LEAD, 2, kept, leads, self._token, _milliseconds(seconds))
        except RedisAway:
            return None, True
        return cast("bytes | None", found[0]), bool(found[1])

    async def lead(self, key: bytes, seconds: float) -> bool:
        if self._database is None:
            return True
        try:
            return bool(
                await self._redis.run("SET", self._keys(key)[1], self._token, "NX", "PX", _milliseconds(seconds))
            )
        except RedisAway:
            return True

    async def released(self, key: bytes) -> None:
        if self._database is None:
            return
        with suppress(RedisAway):  # it ends by itself
            await self._redis.run("EVAL", _RELEASE, 1, self._keys(key)[1], self._token)

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:
        if self._database is None:
            return
        with suppress(RedisAway):  # the next who asks makes it anew
            await self._redis.run("SET", self._keys(key)[0], value, "EX", max(1, seconds))

    def _keys(self, key: bytes) -> tuple[bytes, bytes]:
        """Where the answer is, and who leads. What stands in braces decides the node of a cluster: both are on one."""
        kept = b"%s:answer:%s:{%s}" % (self._name, self._database or b"", key.hex().encode())
        return kept, kept + b":leads"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1_000))
