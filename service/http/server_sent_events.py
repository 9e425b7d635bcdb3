"""GraphQL over server-sent events, each operation in a connection of its own: the distinct connections mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial

import orjson
from starlette.types import Receive, Scope, Send

from service.access.limits import Balance
from service.errors import ApiError, Internal, Unauthenticated
from service.http.admission import Admission, Guest
from service.http.caller import WhileCallerWaits
from service.http.notes import note_failure
from service.http.operations import Operations
from service.http.requests import GraphQLRequest, headers_of
from service.http.responses import NO_STORE, allowance_lines, shown_errors
from service.http.shortcuts import START, headers_in
from service.http.streams import KEY_ENDED, Stream, Streams
from service.journeys import Journey
from service.telemetry import Telemetry

SOON = 0.25
"""Seconds after which a caller hears that the stream is open, where nothing else has been told."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    NO_STORE,
    # nginx and its like would wait for more before they pass anything on.
    (b"x-accel-buffering", b"no"),
]
COMPLETE = b"event: complete\ndata: \n\n"
HEARTBEAT = b":\n\n"


class EventStream:
    """Answers an operation by events: `next` with each answer, then `complete`; a stream that just ends was cut off.

    A comment each `heartbeat` seconds tells that the server is there, and tells the server when the caller is not.
    """

    def __init__(
        self, admission: Admission, operations: Operations, streams: Streams, heartbeat: float, telemetry: Telemetry
    ) -> None:
        self._admission = admission
        self._operations = operations
        self._streams = streams
        self._heartbeat = heartbeat
        self._telemetry = telemetry

    async def send(self, scope: Scope, receive: Receive, send: Send, guest: Guest, request: GraphQLRequest) -> None:
        """Raises CallerGone, and before the first event the errors that have a status of their own."""
        last_event_id = headers_of(scope).get(b"last-event-id")
        after = last_event_id.decode("latin-1") if last_event_id else None
        journey: Journey = scope["journey"]
        body = _Body(send, partial(self._admission.balance, guest), journey)
        try:
            with self._streams.opened(guest.caller.account, guest.caller) as stream, WhileCallerWaits(receive):
                async with aclosing(self._operations.stream(request, guest, journey, after)) as answers:
                    await self._send_all(scope, answers, stream, body)
        finally:
            if body.begun:
                self._telemetry.report(journey)

    async def _send_all(
        self, scope: Scope, answers: AsyncGenerator[tuple[str, bytes]], stream: Stream, body: _Body
    ) -> None:
        telling = asyncio.create_task(_tell(answers, body))
        try:
            if await self._beat_until_told(telling, stream.ending, body):
                telling.result()
                return
            await _cancelled(telling)
            await body.write(_end_of(stream, scope["request_id"]), more=False)
        except Exception as raised:
            error = raised if isinstance(raised, ApiError) else Internal()
            if not body.begun and error.always_status:
                raise
            note_failure(self._telemetry.observe, scope["journey"], error, raised)
            await body.write(_failed(error, scope["request_id"]) + COMPLETE, more=False)
        finally:
            await _cancelled(telling)

    async def _beat_until_told(self, telling: asyncio.Task[None], ending: asyncio.Event, body: _Body) -> bool:
        """Whether all was told; if not, the stream is ending."""
        ended = asyncio.create_task(ending.wait())
        try:
            while not telling.done() and not ended.done():
                seconds = self._heartbeat if body.begun else SOON
                done, _ = await asyncio.wait((telling, ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await body.write(HEARTBEAT)
        finally:
            ended.cancel()
        return telling.done()


class _Body:
    """The body of a response that begins with the first part; a part at a time, whoever writes it."""

    def __init__(self, send: Send, balance: Callable[[], Awaitable[Balance]], journey: Journey) -> None:
        self._send = send
        self._balance = balance
        self._journey = journey
        self._turn = asyncio.Lock()
        self.begun = False

    async def write(self, part: bytes, *, more: bool = True) -> None:
        async with self._turn:
            if not self.begun:
                headers = [*HEADERS, *headers_in(allowance_lines(await self._balance()))]
                self._journey.streamed = self.begun = True
                await self._send({"type": START, "status": 200, "headers": headers})
            await self._send({"type": "http.response.body", "body": part, "more_body": more})


async def _tell(answers: AsyncGenerator[tuple[str, bytes]], body: _Body) -> None:
    async for answer in answers:
        await body.write(_event(answer))
    await body.write(COMPLETE, more=False)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))


def _end_of(stream: Stream, request_id: str) -> bytes:
    """The last words on a stream that the client did not end: none where the server ends too."""
    return _failed(Unauthenticated(KEY_ENDED), request_id) + COMPLETE if stream.key_ended else b""


def _failed(error: ApiError, request_id: str) -> bytes:
    return _event(("", orjson.dumps({"errors": shown_errors(error, request_id)})))


def _event(answer: tuple[str, bytes]) -> bytes:
    cursor, body = answer
    # JSON as Postgres and orjson write it has no line breaks.
    named = b"id: " + cursor.encode() + b"\n" if cursor else b""
    return named + b"event: next\ndata: " + body + b"\n\n"
