"""Probes: whether the process lives, has started, and can answer queries. In the form of application/health+json."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.db.pool import Database
from service.db.queries import QUERIES
from service.errors import ApiError

PATIENCE = 2.0
"""Seconds that a dependency is given to answer: probes give up soon after."""

Probe = Callable[[Request], Awaitable[Response]]


async def alive(_request: Request) -> Response:
    """The process answers; nobody else is asked."""
    return _health(passing=True, checks={})


def ready(database: Database) -> Probe:
    """Whether queries can be answered: 200, or 503 where Postgres is away."""

    async def probe(_request: Request) -> Response:
        passing, check = await _examine(database)
        return _health(passing=passing, checks={"postgres:responseTime": [check]})

    return probe


async def _examine(database: Database) -> tuple[bool, dict[str, Any]]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            await database.fetch_row(QUERIES["ping"])
        said = ""
    except ApiError as error:
        said = error.message
    except TimeoutError:
        said = f"No answer within {PATIENCE:g} seconds."
    took = round((time.perf_counter() - began) * 1_000, 2)
    check = {"componentType": "datastore", "observedValue": took, "observedUnit": "ms", "status": _status(not said)}
    return not said, check | {"output": said} if said else check


def _status(passing: bool) -> str:  # noqa: FBT001 (one word for one truth)
    return "pass" if passing else "fail"


def _health(*, passing: bool, checks: dict[str, Any]) -> Response:
    body = {"status": _status(passing)} | ({"checks": checks} if checks else {})
    return Response(
        orjson.dumps(body),
        status_code=200 if passing else 503,
        headers={"cache-control": "no-store"},
        media_type="application/health+json",
    )
