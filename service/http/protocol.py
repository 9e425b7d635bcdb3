"""uvicorn's protocol, but that an answer which is at hand is written as soon as its request is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import CoroutineType
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from service.heads import BoundedHeads, bounded_heads
from service.http.caller import GRACE, CallerGone
from service.http.shortcuts import Found, Later, Work, send_in_parts, whole_of, write_whole

Answerer = Callable[[Scope, bytes], Message | Later | None]
"""Gives the whole answer to a request with this body, or how to get it; None where the usual way is taken."""


class _Awaited:
    """An answer that is looked for: `work` makes it; `cycle` and `app` are uvicorn's, where it has to know of it.

    That is where anything else happens meanwhile: the next request, the end of the connection, that of the server.
    """

    work: asyncio.Task[None] | None = None
    cycle: Any = None
    app: Any = None
    listened = False
    """Whether it was read on for who may leave meanwhile."""


class AnswersAtHand(BoundedHeads):
    """Asks `at_hand` first for requests whose body comes with their head, and leaves all others to uvicorn."""

    at_hand: Answerer
    _held: list[bytes] | None = None
    """The parts of a body, while uvicorn has not been told of its head."""
    _awaited: _Awaited | None = None
    """The answer that is being looked for."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # uvicorn asks whether anybody has given its logger a handler, as pytest and others do with every logger.
        self.access_log = self.access_log and self.config.access_log

    def connection_lost(self, exc: Exception | None) -> None:
        awaited = self._awaited
        self._let_go()
        super().connection_lost(exc)
        if awaited and awaited.work:
            self._give_up_soon(awaited.work)

    def shutdown(self) -> None:
        self._let_go()
        super().shutdown()

    def on_message_begin(self) -> None:
        self._let_go()  # the answer before it has to be the first
        super().on_message_begin()

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
                awaited = self._awaited = _Awaited()
                found(partial(self._told, awaited))
                return
            if found is not None:
                self._write(found)
                return
        self._let_go()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        try:
            if self._awaited is None:
                self._let_go()  # the rest of the body is on its way
        except Exception:  # noqa: BLE001 - whatever uvicorn cannot read is a 400, as it is where the parser calls
            self.send_400_response("Invalid HTTP request received.")
        if self._awaited is not None:
            self._listen(self._awaited)

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
        if b"#" in self.url:
            return None
        path, _, scope["query_string"] = self.url.partition(b"?")
        scope["path"] = path.decode("latin-1")
        try:
            return self.at_hand(scope, body)
        except Exception:  # noqa: BLE001 - who goes on meets it again, and tells of it
            return None

    def _write(self, message: Message) -> None:
        """Writes the answer to a request that uvicorn has not been told of."""
        self._held = None
        self.transport.write(whole_of(message, self.server_state.default_headers))
        self.on_response_complete()

    def _let_go(self) -> None:
        """Tells uvicorn of what was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            super().on_headers_complete()
            for part in held:
                super().on_body(part)
            if self._awaited is not None:
                super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering, awaited = cycle, self._awaited
        if awaited is not None and awaited.cycle is None:
            awaited.cycle, awaited.app = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _told(self, awaited: _Awaited, found: Found) -> None:
        """Writes an answer, or has it made; what was not found, or cannot be written now, is left to uvicorn."""
        if isinstance(found, CoroutineType):
            awaited.work = self.loop.create_task(self._made(awaited, found))
            self.tasks.add(awaited.work)
            awaited.work.add_done_callback(self.tasks.discard)
            if awaited.cycle is not None and awaited.cycle.disconnected:  # while what is kept was looked for
                self._give_up_soon(awaited.work)
            else:
                self._listen(awaited)
            return
        if awaited.cycle is None:
            if found is not None and not self.flow.write_paused:
                self._awaited = None
                self._write(found)
                return
            self._let_go()
        self._awaited = None
        cycle: Any = awaited.cycle
        app: Any = awaited.app
        if found is None:
            super()._start_asgi_task(cycle, app)
        elif not write_whole(cycle, found):
            sending: Any = partial(_send, found)
            super()._start_asgi_task(cycle, sending)

    async def _made(self, awaited: _Awaited, work: Work) -> None:
        try:
            found = await work
        except asyncio.CancelledError:
            cycle = awaited.cycle
            if cycle is None or not cycle.disconnected:  # the time of the server is over
                self.transport.close()
                raise
            found, cycle.scope["raised"] = None, (CallerGone(), None)
        self._told(awaited, found)

    def _give_up_soon(self, work: asyncio.Task[None]) -> None:
        """Ends what is made for who has left, unless it is ready soon: to end a statement takes more than most take."""
        self.loop.call_later(GRACE, work.cancel)

    def _listen(self, awaited: _Awaited) -> None:
        """Reads on, once, where uvicorn does not since another request came: else nobody would hear of who leaves."""
        if awaited.work and self.flow.read_paused and not awaited.listened and not self.transport.is_closing():
            awaited.listened = True
            self.flow.resume_reading()


async def _send(message: Message, _scope: Scope, _receive: Receive, send: Send) -> None:
    await send_in_parts(send, message)


def answers_at_hand(at_hand: Answerer, most: int, seconds: float) -> type[AnswersAtHand]:
    """The protocol that asks so first, with the bounds of `bounded_heads`."""
    bounded = bounded_heads(most, seconds)
    return type("AnswersAtHand", (AnswersAtHand, bounded), {"at_hand": staticmethod(at_hand)})
