"""The head of each request within bounds: uvicorn, which reads it before any application hears of it, has none."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.errors import ApiError, RequestTimeout, RequestTooLarge

ROOM_FOR_HEADERS = 64_000
"""Bytes of a head beside its query string, which may be as large as a body."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, but that a head which is too large or too slow is refused, and the connection closed."""

    most = ROOM_FOR_HEADERS
    seconds = 10.0
    _received = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Until uvicorn has made a cycle of it, all that it has of a request is a part of its head.
        scope: Any = self.scope
        cycle: Any = self.cycle
        if scope is not None and (cycle is None or cycle.scope is not scope):
            self._received += len(data)
            if self._received > self.most:
                self._refuse(RequestTooLarge(f"The request's head is larger than {self.most:,} bytes."))
            elif self._timer is None:
                self._await_head()
        elif self._timer is not None or self._received:
            self._end_head()

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._give_up)

    def _end_head(self) -> None:
        self._received = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._refuse(RequestTimeout(f"The request's head did not arrive within {self.seconds:g} seconds."))

    def _refuse(self, error: ApiError) -> None:
        self._end_head()
        # A socket that goes on as WebSocket is not this protocol's any more.
        if self not in self.connections or self.transport.is_closing():
            return
        extensions = {"code": error.code, "requestId": f"{random.getrandbits(96):024x}"}
        body = orjson.dumps({"errors": [{"message": error.message, "extensions": extensions}]})
        head = b"content-type: application/json; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[error.status] + head % len(body) + body)
        self.transport.close()


def bounded_heads(most: int, seconds: float) -> type[BoundedHeads]:
    """The protocol for query strings that are at most so large, and heads that come within so many seconds."""
    bounds = {"most": most + ROOM_FOR_HEADERS, "seconds": seconds}
    return type("BoundedHeads", (BoundedHeads,), bounds)
