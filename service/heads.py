"""The head of each request within bounds: uvicorn, which reads it before any application hears of it, has none.

Connections that rest are closed after the same time as uvicorn's are, by one timer that looks when it is due: uvicorn
makes one for each answer, and takes it back with the next request.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.errors import ApiError, RequestTimeout, RequestTooLarge
from service.upgrades import PassesOverUpgrades

ROOM_FOR_HEADERS = 64_000
"""Bytes of a head beside its query string, which may be as large as a body."""


class BoundedHeads(PassesOverUpgrades):
    """uvicorn's protocol, but that a head which is too large or too slow is refused, and the connection closed."""

    most = ROOM_FOR_HEADERS
    seconds = 10.0
    _within = False
    """Whether the head of a request has begun, and has not ended."""
    _ended = False
    """Whether one has ended in what is being read."""
    _received = 0
    _timer: asyncio.TimerHandle | None = None
    _answering: Any = None
    """The cycle that has its turn, where several requests were sent one behind another: uvicorn knows the last one."""
    _resting: float | None = None
    """Since when nothing is asked, by the clock of the loop."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)
        self._end_head()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()

    def on_message_begin(self) -> None:
        self._within = True
        # Who sends one request behind another is not at rest, though the one before may have been answered meanwhile.
        self._resting = None
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # As uvicorn has it, but that what stands behind a body is no header, and is not kept: nothing bounds it.
        if self._within:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._within, self._ended = False, True
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        self._resting, self._ended = None, False
        super().data_received(data)
        if self._ended and (self._timer is not None or self._received):
            self._end_head()
        if self._within:
            # What other requests came before it with is none of its head.
            self._received += 0 if self._ended else len(data)
            if self._received > self.most:
                self._refuse(RequestTooLarge(f"The request's head is larger than {self.most:,} bytes."))
            elif self._timer is None:
                self._await_head()

    def on_response_complete(self) -> None:
        # As uvicorn has it, but for the timer.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._resting = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _unset_keepalive_if_required(self) -> None:
        """Leaves the timer to itself."""

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection that has rested long enough, and looks again at one that rests less long."""
        self.timeout_keep_alive_task = None
        if self._resting is None or self.transport.is_closing():
            return
        left = self._resting + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            self.transport.close()

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
