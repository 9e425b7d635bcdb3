"""Requests that come by way of a proxy: whose address they have."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class BehindProxies:
    """Gives each request the address and the scheme that the proxies of these networks tell of its caller."""

    def __init__(self, app: ASGIApp, proxies: Iterable[IPv4Network | IPv6Network]) -> None:
        self._app = app
        # uvicorn has types of its own for what ASGI says.
        nothing = cast("Any", _nothing)
        self._telling: Any = ProxyHeadersMiddleware(nothing, [str(network) for network in proxies])

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        self.tell(scope)
        return self._app(scope, receive, send)

    def tell(self, scope: Scope) -> None:
        """Puts into the scope what the proxies tell. Once more changes nothing."""
        # It waits for nothing: its first step is all that it does.
        with suppress(StopIteration):
            self._telling(scope, _nothing, _nothing).send(None)


async def _nothing(*_: Any) -> Any:
    pass
