"""uvicorn's protocol, but that an answer which is at hand is written as soon as its request is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import CoroutineType
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.heads import BoundedHeads, bounded_heads
from service.http.caller import CallerGone
from service.http.shortcuts import Found, Later, Work, send_in_parts, whole_of, write_whole

Answerer = Callable[[Scope, bytes], Message | Later | None]
"""Gives the whole answer to a request with this body, or how to get it; None where the usual way is taken."""


class AnswersAtHand(BoundedHeads):
    """Asks `at_hand` first for requests whose body comes with their head, and leaves all others to uvicorn."""

    at_hand: Answerer
    _held: list[bytes] | None = None
    """The parts of a body, while uvicorn has not been told of its head."""
    _later: Later | None = None
    """How to get the answer to the request that uvicorn is being told of."""
    _work: asyncio.Task[None] | None = None
    """What makes the answer that is waited for."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._work is not None:
            self._work.cancel()

    def on_headers_complete(self) -> None:
        if self._is_ordinary():
            self._within, self._ended, self._held = False, True, []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        if self._held is not None:
            found = self._asked(b"".join(self._held))
            if callable(found):
                self._later = found
            elif found is not None:
                self._held = None
                self.transport.write(whole_of(found, self.server_state.default_headers))
                self.on_response_complete()
                return
        self._let_go()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        try:
            self._let_go()  # the rest of the body is on its way
        except Exception:  # noqa: BLE001 - whatever uvicorn cannot read is a 400, as it is where the parser calls
            self.send_400_response("Invalid HTTP request received.")

    def _is_ordinary(self) -> bool:
        """Whether a request could be answered at once: none before it waits, and uvicorn has nothing else to do."""
        cycle: Any = self.cycle
        parser: Any = self.parser
        return (
            (cycle is None or cycle.response_complete)
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self.limit_concurrency is None
            and not self.access_log
        )

    def _asked(self, body: bytes) -> Message | Later | None:
        scope: Any = self.scope
        parser: Any = self.parser
        scope["method"] = parser.get_method().decode("ascii")
        # What is more than a path and a query, or has escapes in it, is none of those that are at hand.
        path, _, scope["query_string"] = self.url.partition(b"?")
        scope["path"] = path.decode("latin-1")
        try:
            return self.at_hand(scope, body)
        except Exception:  # noqa: BLE001 - who goes on meets it again, and tells of it
            return None

    def _let_go(self) -> None:
        """Tells uvicorn of what was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            super().on_headers_complete()
            for part in held:
                super().on_body(part)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering, later, self._later = cycle, self._later, None
        if later is None:
            super()._start_asgi_task(cycle, app)
        else:
            later(partial(self._told, cycle, app))

    def _told(self, cycle: Any, app: Any, found: Found) -> None:
        """Writes an answer, or has it made; what was not found, or cannot be written now, is left to uvicorn."""
        if found is None:
            super()._start_asgi_task(cycle, app)
        elif isinstance(found, CoroutineType):
            self._work = self.loop.create_task(self._made(cycle, app, found))
            self.tasks.add(self._work)
            self._work.add_done_callback(self.tasks.discard)
        elif not write_whole(cycle, found):
            sending: Any = partial(_send, found)
            super()._start_asgi_task(cycle, sending)

    async def _made(self, cycle: Any, app: ASGIApp, work: Work) -> None:
        try:
            found = await work
        except asyncio.CancelledError:
            if not cycle.disconnected:  # the time of the server is over
                self.transport.close()
                raise
            found, cycle.scope["raised"] = None, CallerGone()
        self._work = None
        self._told(cycle, app, found)


async def _send(message: Message, _scope: Scope, _receive: Receive, send: Send) -> None:
    await send_in_parts(send, message)


def answers_at_hand(at_hand: Answerer, most: int, seconds: float) -> type[AnswersAtHand]:
    """The protocol that asks so first, with the bounds of `bounded_heads`."""
    bounded = bounded_heads(most, seconds)
    return type("AnswersAtHand", (AnswersAtHand, bounded), {"at_hand": staticmethod(at_hand)})
