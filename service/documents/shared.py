"""Kept documents in Redis, for all processes; each also remembers those it has seen, and so does without Redis."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from service.documents.kept import KeptHere, Quota
from service.documents.registered import id_of
from service.events import DocumentUnreadable, Observer
from service.redis import RedisAway, SharedRedis

RECENT = 60.0
"""Seconds for which a process answers from its own memory before it asks Redis again, which so learns of the use."""

# KEYS: when each was used last, and the texts, beside how many bytes they are together.
# ARGV: id, seconds to keep, then for keeping: text, most documents, most bytes.
_FIND = """
local used, texts, id, seconds = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
if redis.call('TYPE', used).ok ~= 'zset' or redis.call('TYPE', texts).ok ~= 'hash' then return false end
local at = redis.call('ZSCORE', used, id)
if not at or tonumber(at) + seconds <= now then return false end
redis.call('ZADD', used, 'XX', string.format('%.6f', now), id)
redis.call('EXPIRE', used, seconds)
redis.call('EXPIRE', texts, seconds)
return redis.call('HGET', texts, id)
"""
_KEEP = """
local used, texts, id, seconds = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local text, most, most_bytes = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local kinds = redis.call('TYPE', used).ok .. redis.call('TYPE', texts).ok
if kinds ~= 'zsethash' or redis.call('ZCARD', used) ~= redis.call('HLEN', texts) - 1 then
    redis.call('DEL', used, texts)  -- one was evicted, or is not ours: what is left cannot be counted
end
local function drop(each)
    local size = redis.call('HSTRLEN', texts, each)
    if size > 0 then redis.call('HINCRBY', texts, 'bytes', -size) end
    redis.call('HDEL', texts, each)
    redis.call('ZREM', used, each)
end
drop(id)
redis.call('HSET', texts, id, text)
redis.call('HINCRBY', texts, 'bytes', #text)
redis.call('ZADD', used, string.format('%.6f', now), id)
for _, each in ipairs(redis.call('ZRANGEBYSCORE', used, '-inf', now - seconds, 'LIMIT', 0, 100)) do drop(each) end
while redis.call('ZCARD', used) > most or tonumber(redis.call('HGET', texts, 'bytes')) > most_bytes do
    drop(redis.call('ZRANGE', used, 0, 0)[1])
end
redis.call('EXPIRE', used, seconds)
redis.call('EXPIRE', texts, seconds)
return 1
"""


class KeptForAll:
    """A DocumentStore in Redis, under keys that begin with `prefix`. While that is away, each process keeps its own."""

    def __init__(self, redis: SharedRedis, prefix: str, quota: Quota, here: KeptHere, observe: Observer) -> None:
        self._redis = redis
        # What stands in braces decides the node of a cluster: a script needs both keys on one.
        self._keys = (f"{prefix}:{{documents}}:used", f"{prefix}:{{documents}}:texts")
        self._quota = quota
        self._here = here
        self._observe = observe

    async def get(self, document_id: str) -> str | None:
        known = self._here.find(document_id)
        if known and self._here.age(known) < RECENT:
            return known.text
        found = await self._find(document_id)
        if found is not None:
            self._here.keep(document_id, found)
        elif known:
            await self.put(document_id, known.text)
        return found or (known.text if known else None)

    async def put(self, document_id: str, text: str) -> None:
        known = self._here.find(document_id)
        if not self._quota.admits(text) or (known and self._here.age(known) < RECENT):
            return
        self._here.keep(document_id, text)
        quota = self._quota
        with suppress(RedisAway):  # other processes are told of it by whoever asks them
            await self._redis.run(
                "EVAL", _KEEP, 2, *self._keys, document_id, quota.seconds, text, quota.documents, quota.bytes
            )

    async def _find(self, document_id: str) -> str | None:
        try:
            found = await self._redis.run("EVAL", _FIND, 2, *self._keys, document_id, self._quota.seconds)
        except RedisAway:
            return None
        if found is None:
            return None
        text = cast("bytes", found).decode(errors="replace")
        if id_of(text) != document_id:
            self._observe(DocumentUnreadable(document_id))
            return None
        return text
