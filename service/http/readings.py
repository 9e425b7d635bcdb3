"""Where the values of metrics are kept: each is read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.cache import ResponseCache
from service.db.changes import ChangeFeed
from service.db.pool import Database
from service.http.operations import Operations
from service.http.streams import Streams
from service.redis import SharedRedis
from service.telemetry.metrics import Labels, Readings, Value


def readings(
    database: Database,
    *,
    access: Database,
    operations: Operations,
    cache: ResponseCache | None,
    feed: ChangeFeed,
    redis: SharedRedis | None,
    streams: Streams,
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
        return operations.reads_waiting + sum(pool.waiting for pool in database.connections)

    found: dict[str, Callable[[], Value]] = {
        "database_connections": connections,
        "database_waiting": waiting,
        "feed_hears": lambda: feed.hears,
        "feed_lag_seconds": lambda: feed.lag,
        "streams": lambda: len(streams),
    }
    if cache:
        local = cache.local
        found |= {
            "cache_bytes": lambda: local.bytes,
            "cache_limit_bytes": lambda: local.max_bytes,
            "cache_entries": lambda: len(local),
        }
    if redis:
        found["redis_answers"] = lambda: redis.answers
    return found
