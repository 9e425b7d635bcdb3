"""Where the values of metrics are kept: each is read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

from service.cache import ResponseCache
from service.db.batching import Batches
from service.db.changes import ChangeFeed
from service.db.pool import Database
from service.db.replicas import PRIMARY, Replica, Replicas
from service.http.streams import Streams
from service.redis import SharedRedis
from service.telemetry.metrics import Labels, Readings, Value


def readings(
    database: Database,
    reads: Batches,
    *,
    access: Database,
    replicas: Replicas | None,
    cache: ResponseCache | None,
    feed: ChangeFeed,
    redis: SharedRedis | None,
    streams: Sequence[Streams],
) -> Readings:
    """How each metric is read, by its name; what is not set has none."""

    def connections() -> Mapping[Labels, float]:
        reads, selective_reads = database.connections
        pools = {"reads": reads, "selective_reads": selective_reads, "access": access.connections[0]}
        return {
            (name, state): value
            for name, pool in pools.items()
            for state, value in (("in_use", pool.in_use), ("idle", pool.idle), ("limit", pool.size))
        }

    def waiting() -> float:
        return reads.waiting + sum(pool.waiting for pool in database.connections)

    found: dict[str, Callable[[], Value]] = {
        "database_connections": connections,
        "database_waiting": waiting,
        "feed_hears": lambda: feed.hears,
        "feed_lag_seconds": lambda: feed.lag,
        "streams": lambda: sum(map(len, streams)),
    }
    if cache:
        local = cache.local
        found |= {
            "cache_bytes": lambda: local.bytes,
            "cache_limit_bytes": lambda: local.max_bytes,
            "cache_entries": lambda: len(local),
        }
    if replicas:
        followed = replicas
        found |= {
            "replica_read": lambda: {each: not replica.reason for each, replica in _numbered(followed)},
            "replica_lag_seconds": lambda: {each: _lag(replica) for each, replica in _numbered(followed)},
        }
    if redis:
        found["redis_answers"] = lambda: redis.answers
    return found


def _numbered(replicas: Replicas) -> Iterator[tuple[Labels, Replica]]:
    """Each with its labels: its place in the setting. The primary itself is none."""
    return (((str(number),), each) for number, each in enumerate(replicas, start=1) if each.reason != PRIMARY)


def _lag(replica: Replica) -> float:
    return inf if replica.lag is None else replica.lag
