"""The second level in Redis, one server or a cluster. Whatever goes wrong with it costs little, and is a miss."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from secrets import token_bytes
from typing import Any, TypeVar

from redis.exceptions import RedisError

from service.events import Observer, SharedCacheFailed, ignore

Client = Any
"""Of redis.asyncio: of a server or of a cluster, which share no type."""
T = TypeVar("T")

PATIENCE = 0.05
"""Seconds that a call may take."""
QUIET = 1.0
"""Seconds for which Redis is left alone after a failure, so that not everyone waits for it."""

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

    def __init__(self, client: Client, name: str = "parallax", observe: Observer = ignore) -> None:
        self._client = client
        self._name = name.encode()
        self._observe = observe
        self._token = token_bytes(12)
        self._get_or_lead = client.register_script(_GET_OR_LEAD)
        self._release = client.register_script(_RELEASE)
        self._quiet_until = 0.0

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:
        kept, leads = await self._tried(
            lambda: self._get_or_lead(keys=list(self._keys(key)), args=[self._token, round(seconds * 1_000)]), (None, 1)
        )
        return kept, bool(leads)

    async def lead(self, key: bytes, seconds: float) -> bool:
        _, leading = self._keys(key)
        taken = await self._tried(
            lambda: self._client.set(leading, self._token, nx=True, px=round(seconds * 1_000)), otherwise=True
        )
        return bool(taken)

    async def released(self, key: bytes) -> None:
        _, leading = self._keys(key)
        await self._tried(lambda: self._release(keys=[leading], args=[self._token]), None)

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:
        kept, _ = self._keys(key)
        await self._tried(lambda: self._client.set(kept, value, ex=max(1, seconds)), None)

    def _keys(self, key: bytes) -> tuple[bytes, bytes]:
        """Where the answer is, and who leads. What stands in braces decides the node of a cluster: both are on one."""
        kept = b"%s:answer:{%s}" % (self._name, key.hex().encode())
        return kept, kept + b":leads"

    async def _tried(self, call: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """What the call gives, in its time; `otherwise` where it fails, and for a while after."""
        if time.monotonic() < self._quiet_until:
            return otherwise
        try:
            async with asyncio.timeout(PATIENCE):
                return await call()
        except (RedisError, OSError, TimeoutError, RuntimeError) as error:
            self._quiet_until = time.monotonic() + QUIET
            self._observe(SharedCacheFailed(error))
            return otherwise
