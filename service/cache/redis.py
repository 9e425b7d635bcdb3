"""The second level in Redis, one server or a cluster. Whatever goes wrong with it is a miss."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes
from typing import cast

from service.redis import RedisAway, SharedRedis

# Who has the lead already and does not know of it, since the answer that told of it was late, leads all the same. What
# is no lead (of another type, or one that would never end) is in nobody's way.
_LEADS = """
local function leads(key, token, time)
    local holder = redis.pcall('GET', key)
    if type(holder) == 'string' and holder ~= token and redis.call('PTTL', key) > 0 then return 0 end
    redis.call('SET', key, token, 'PX', time)
    return 1
end
"""
# What is kept, else whether the caller leads: one round trip for whoever comes first. What is not even a string is told
# as an entry that cannot be read, and so replaced.
_GET_OR_LEAD = f"""{_LEADS}
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'table' then return {{'', 0}} end
if kept then return {{kept, 0}} end
return {{false, leads(KEYS[2], ARGV[1], ARGV[2])}}
"""
_LEAD = f"""{_LEADS}
return leads(KEYS[1], ARGV[1], ARGV[2])
"""
# Only who leads may go on, or end it: another may lead by now.
_HOLD = """
if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_RELEASE = """
if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisCache:
    """A SharedCache in Redis. `name` keeps its keys apart from those of others on the same server."""

    def __init__(self, redis: SharedRedis, name: str = "parallax") -> None:
        self._redis = redis
        self._name = name
        self._prefix: bytes | None = None
        self._token = token_bytes(12)

    def begin(self, database: str) -> None:
        self._prefix = f"{self._name}:answer:{database}".encode()

    def ask(self, key: bytes, then: Callable[[bytes | None], None]) -> bool:
        if self._prefix is None:
            return False
        # Not GET, which is refused where something else than a string is there.
        return self._redis.ask(lambda told: then(told and told[0]), "MGET", self._kept(key))

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:
        if self._prefix is None:
            return None, True
        kept, leads = self._keys(key)
        try:
            found = await self._redis.run("EVAL", _GET_OR_LEAD, 2, kept, leads, self._token, _milliseconds(seconds))
        except RedisAway:
            return None, True
        return cast("bytes | None", found[0]), bool(found[1])

    async def lead(self, key: bytes, seconds: float) -> bool:
        if self._prefix is None:
            return True
        try:
            leads = self._keys(key)[1]
            return bool(await self._redis.run("EVAL", _LEAD, 1, leads, self._token, _milliseconds(seconds)))
        except RedisAway:
            return True

    async def hold(self, key: bytes, seconds: float) -> None:
        if self._prefix is None:
            return
        with suppress(RedisAway):  # another may take the lead: then two make the answer
            await self._redis.run("EVAL", _HOLD, 1, self._keys(key)[1], self._token, _milliseconds(seconds))

    async def released(self, key: bytes) -> None:
        if self._prefix is None:
            return
        with suppress(RedisAway):  # it ends by itself
            await self._redis.run("EVAL", _RELEASE, 1, self._keys(key)[1], self._token)

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:
        if self._prefix is None:
            return
        with suppress(RedisAway):  # the next who asks makes it anew
            await self._redis.run("SET", self._kept(key), value, "EX", max(1, seconds))

    def _keys(self, key: bytes) -> tuple[bytes, bytes]:
        """Where the answer is, and who leads."""
        kept = self._kept(key)
        return kept, kept + b":leads"

    def _kept(self, key: bytes) -> bytes:
        # What stands in braces decides the node of a cluster: both are on one.
        return b"%s:{%s}" % (self._prefix, key.hex().encode())


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1_000))
