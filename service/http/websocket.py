"""GraphQL by WebSocket: the protocol graphql-transport-ws."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, cast

import orjson
from starlette.types import Receive, Scope, Send

from service.access.addresses import account_of
from service.access.caller import Credentials
from service.errors import ApiError, BadRequest, Internal, RateLimited, Unauthenticated, Unavailable
from service.http.admission import Admission, Guest
from service.http.credentials import credentials_of, credentials_within
from service.http.notes import note_caller, note_failure
from service.http.operations import Operations
from service.http.requests import GraphQLRequest, checked, headers_of
from service.http.responses import shown_errors
from service.http.streams import KEY_ENDED, Stream, Streams
from service.http.strict_json import NotStrictJson, read_json
from service.journeys import Journey
from service.settings import Settings
from service.telemetry import Telemetry

SUBPROTOCOL = "graphql-transport-ws"
LONGEST_ID = 200
CANCELLED = "CANCELLED"
"""The code of an operation that its caller, or the end of its socket, ended: for operators only."""


class Closed(Exception):
    """The socket is to be closed, with this code and for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketEndpoint:
    """Answers `WS /graphql`: each socket by itself."""

    def __init__(
        self,
        admission: Admission,
        operations: Operations,
        streams: Streams,
        settings: Settings,
        telemetry: Telemetry,
    ) -> None:
        self._admission = admission
        self._operations = operations
        self._streams = streams
        self._settings = settings
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["request_id"] = f"{random.getrandbits(96):024x}"
        if (await receive())["type"] != "websocket.connect":
            return
        offered = SUBPROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if offered else None})
        if not offered:
            await _close(send, 4406, f"Subprotocol not acceptable: only {SUBPROTOCOL} is spoken here")
            return
        try:
            given = credentials_of(scope, headers_of(scope))
            with self._streams.opened(account_of(given.address)) as stream:
                await self._serve(scope["request_id"], receive, send, given, stream)
        except Closed as closed:
            await _close(send, closed.code, closed.reason)
        except Unauthenticated as error:
            await _close(send, 4403, error.message)
        except (RateLimited, Unavailable) as error:
            await _close(send, 1013, error.message)

    async def _serve(self, request_id: str, receive: Receive, send: Send, given: Credentials, stream: Stream) -> None:
        async def admit(payload: dict[str, Any]) -> Guest:
            guest = await self._admission.admit(credentials_within(payload, given))
            self._streams.identify(stream, guest.caller)
            return guest

        socket = _Socket(
            self._operations,
            admit,
            self._settings,
            telemetry=self._telemetry,
            request_id=request_id,
            channel=(receive, send),
        )
        try:
            await socket.run(stream)
        finally:
            await socket.end()


class _Socket:
    """One socket: who it is, and the operations that run on it, by their ids."""

    def __init__(
        self,
        operations: Operations,
        admit: Callable[[dict[str, Any]], Awaitable[Guest]],
        settings: Settings,
        *,
        telemetry: Telemetry,
        request_id: str,
        channel: tuple[Receive, Send],
    ) -> None:
        self._operations = operations
        self._admit = admit
        self._settings = settings
        self._telemetry = telemetry
        self._request_id = request_id
        self._receive, self._send = channel
        self._running: dict[str, asyncio.Task[None]] = {}
        self._guest: Guest | None = None

    async def run(self, stream: Stream) -> None:
        """Answers messages until the client has gone, or raises Closed, or as `admit` does."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + self._settings.socket_init_timeout
        stopped = asyncio.create_task(stream.ending.wait())
        message: asyncio.Task[Any] | None = None
        try:
            while True:
                message = message or asyncio.create_task(_as_coroutine(self._receive))
                left = None if self._guest else max(0.0, patience - loop.time())
                await asyncio.wait((message, stopped), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if stopped.done():
                    raise _end_of(stream)
                if not message.done():
                    raise Closed(4408, "Connection initialisation timeout")
                received, message = message.result(), None
                if received["type"] == "websocket.disconnect":
                    return
                await self._take(_read(received))
        finally:
            for task in (stopped, message):
                if task is not None:
                    task.cancel()

    async def end(self) -> None:
        """Ends all that runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._greet(message)
            case "ping":
                await self._tell({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                if task := self._running.pop(_id_of(message), None):
                    task.cancel()
            case _:
                raise Closed(4400, "Invalid message received: its type is unknown")

    async def _greet(self, message: dict[str, Any]) -> None:
        if self._guest:
            raise Closed(4429, "Too many initialisation requests")
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            raise Closed(4400, "Invalid message received: the payload of connection_init must be an object")
        self._guest = await self._admit(cast("dict[str, Any]", payload or {}))
        await self._tell({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._guest:
            raise Closed(4401, "Unauthorized")
        id_ = _id_of(message)
        if id_ in self._running:
            raise Closed(4409, f"Subscriber for {id_[:80]} already exists")
        payload = message.get("payload")
        if not isinstance(payload, dict):
            raise Closed(4400, "Invalid message received: a subscribe needs a payload")
        if len(self._running) >= self._settings.max_subscriptions:
            most = self._settings.max_subscriptions
            error = RateLimited(f"At most {most} operations may run on a socket; this one has {most}.")
            await self._refuse(id_, self._guest, error)
            return
        try:
            request = checked(cast("dict[str, Any]", payload))
        except BadRequest as error:
            await self._refuse(id_, self._guest, error)
            return
        task = self._running[id_] = asyncio.create_task(self._run(id_, request, self._guest))
        task.add_done_callback(lambda done: self._done(id_, done))

    def _done(self, id_: str, task: asyncio.Task[None]) -> None:
        if self._running.get(id_) is task:
            del self._running[id_]

    async def _run(self, id_: str, request: GraphQLRequest, guest: Guest) -> None:
        start = b'{"id":' + orjson.dumps(id_) + b',"type":"next","payload":'
        journey = self._journey(guest)
        try:
            async with aclosing(self._operations.stream(request, guest, journey)) as answers:
                async for _, body in answers:
                    await self._text(start + body + b"}")
            await self._ended(id_, {"id": id_, "type": "complete"})
        except ApiError as error:
            await self._fail_noted(id_, journey, error, error)
        except asyncio.CancelledError:
            journey.code = CANCELLED
            raise
        except Exception as raised:  # noqa: BLE001 - whatever it is, the socket and the others on it go on
            await self._fail_noted(id_, journey, Internal(), raised)
        finally:
            self._telemetry.report(journey)

    def _journey(self, guest: Guest) -> Journey:
        journey = Journey(self._request_id)
        journey.method, journey.path = "WS", "/graphql"
        note_caller(journey, guest.caller)
        return journey

    async def _refuse(self, id_: str, guest: Guest, error: ApiError) -> None:
        """Fails an operation that has not begun."""
        journey = self._journey(guest)
        await self._fail_noted(id_, journey, error, error)
        self._telemetry.report(journey)

    async def _fail_noted(self, id_: str, journey: Journey, error: ApiError, raised: Exception) -> None:
        journey.status = error.status
        note_failure(self._telemetry.observe, journey, error, raised)
        await self._fail(id_, error)

    async def _fail(self, id_: str, error: ApiError) -> None:
        await self._ended(id_, {"id": id_, "type": "error", "payload": shown_errors(error, self._request_id)})

    async def _ended(self, id_: str, message: dict[str, Any]) -> None:
        """Tells that an operation has ended; its id is free as soon as the client may know."""
        if self._running.get(id_) is asyncio.current_task():
            del self._running[id_]
        await self._tell(message)

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._text(orjson.dumps(message))

    async def _text(self, message: bytes) -> None:
        # Waits while the client does not read, so that what it is not told yet takes no memory.
        with suppress(OSError, RuntimeError):  # a client that has gone is noticed where messages are received
            await self._send({"type": "websocket.send", "text": message.decode()})


def _end_of(stream: Stream) -> Closed:
    if stream.key_ended:
        return Closed(4403, KEY_ENDED)
    return Closed(1001, "The server is going away")


async def _as_coroutine(receive: Receive) -> Any:
    return await receive()


async def _close(send: Send, code: int, reason: str) -> None:
    with suppress(OSError, RuntimeError):
        await send({"type": "websocket.close", "code": code, "reason": reason.encode()[:120].decode(errors="ignore")})


def _read(received: Any) -> dict[str, Any]:
    text = received.get("text")
    if text is None:
        raise Closed(4400, "Invalid message received: only text is understood")
    try:
        message = read_json(text.encode("utf-8", "surrogatepass"))
    except NotStrictJson as error:
        raise Closed(4400, f"Invalid message received: {error}") from None
    if not isinstance(message, dict):
        raise Closed(4400, "Invalid message received: it must be an object")
    return cast("dict[str, Any]", message)


def _id_of(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID:
        raise Closed(4400, f"Invalid message received: an id must be a string of 1 to {LONGEST_ID} characters")
    return id_
