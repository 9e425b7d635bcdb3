"""What operators are served, on a port of their own: metrics, and the probes once more."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from service.http import health


def management(exposition: Callable[[], bytes], ready: health.Probe) -> ASGIApp:
    """An application that answers `/metrics` in the text format of Prometheus, and the probes."""

    async def metrics(_request: Request) -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"cache-control": "no-store"})

    probes = {"/livez": health.alive, "/readyz": ready, "/startupz": health.alive}
    return Starlette(routes=[Route("/metrics", metrics), *(Route(path, probe) for path, probe in probes.items())])
