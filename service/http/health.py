"""Probes: whether the process lives, has started, and can answer queries. In the form of application/health+json."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.db.changes import ChangeFeed
from service.db.pool import Database
from service.db.queries import QUERIES
from service.db.replicas import PRIMARY, Replica, Replicas
from service.errors import ApiError
from service.redis import RedisAway, SharedRedis

PATIENCE = 2.0
"""Seconds that a dependency is given to answer: probes give up soon after."""

SHARED = 0.1
"""Seconds for which those who ask get what was told to the one before: a probe is free, and must not cost much."""

Probe = Callable[[Request], Awaitable[Response]]


async def alive(_request: Request) -> Response:
    """The process answers; nobody else is asked."""
    return _health("pass")


def ready(database: Database, redis: SharedRedis | None, feed: ChangeFeed, replicas: Replicas | None = None) -> Probe:
    """Whether queries can be answered: 200, or 503 where Postgres is away. They can without all else."""

    async def examined() -> Response:
        postgres = await _examine(_ask_postgres(database))
        checks = {"postgres:responseTime": [postgres]}
        checks["changes:heard"] = [_heard(feed)]
        if redis is not None:
            checks["redis:responseTime"] = [await _examine(_ask_redis(redis))]
        if replicas is not None:
            checks["replica:lag"] = [_followed(number, replica) for number, replica in enumerate(replicas, start=1)]
        if postgres["status"] == "fail":
            return _health("fail", checks)
        passed = all(check["status"] == "pass" for found in checks.values() for check in found)
        return _health("pass" if passed else "warn", checks)

    return _shared(examined)


def _shared(examined: Callable[[], Coroutine[Any, Any, Response]]) -> Probe:
    """A probe that has one at a time look, for all who ask meanwhile and shortly after."""
    latest: tuple[asyncio.Task[Response], float] | None = None

    async def probe(_request: Request) -> Response:
        nonlocal latest
        now = time.monotonic()
        if latest is None or (latest[0].done() and now - latest[1] > SHARED):
            latest = asyncio.create_task(examined()), now
        return await asyncio.shield(latest[0])

    return probe


def _followed(number: int, replica: Replica) -> dict[str, Any]:
    """A replica by its place in the setting, with the seconds that it may be behind."""
    lag = None if replica.lag is None else round(replica.lag, 3)
    check = {"componentId": str(number), "componentType": "datastore", "observedValue": lag, "observedUnit": "s"}
    if not replica.reason:
        return check | {"status": "pass"}
    return check | {"status": "pass" if replica.reason == PRIMARY else "warn", "output": replica.reason}


def _heard(feed: ChangeFeed) -> dict[str, Any]:
    if feed.hears:
        return {"componentType": "component", "status": "pass"}
    return {"componentType": "component", "status": "fail", "output": "Changes are not heard of: pages are made anew."}


async def _ask_postgres(database: Database) -> None:
    await database.fetch_row(QUERIES["ping"])


async def _ask_redis(redis: SharedRedis) -> None:
    await redis.run("PING")


async def _examine(asking: Awaitable[None]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            await asking
        said = ""
    except ApiError as error:
        said = error.message
    except RedisAway as error:
        said = str(error)
    except TimeoutError:
        said = f"No answer within {PATIENCE:g} seconds."
    took = round((time.perf_counter() - began) * 1_000, 2)
    status = "fail" if said else "pass"
    check = {"componentType": "datastore", "observedValue": took, "observedUnit": "ms", "status": status}
    return check | {"output": said} if said else check


def _health(status: str, checks: dict[str, Any] | None = None) -> Response:
    body = {"status": status} | ({"checks": checks} if checks else {})
    return Response(
        orjson.dumps(body),
        status_code=503 if status == "fail" else 200,
        headers={"cache-control": "no-store"},
        media_type="application/health+json",
    )
