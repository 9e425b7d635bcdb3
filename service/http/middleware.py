"""What surrounds every request: its id, the headers of every answer, and an answer for whatever goes wrong.

Plain ASGI, one concern each.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.limits import Balance
from service.errors import ApiError, Internal, MethodNotAllowed, NotFound, RateLimited
from service.events import CallerLeft, Observer
from service.http.caller import CallerGone
from service.http.media import MediaType
from service.http.notes import note_failure
from service.http.requests import headers_of
from service.http.responses import Refusing, allowance_lines, as_graphql, send_error
from service.http.shortcuts import Header, add_headers, lines_of, send_whole
from service.journeys import Journey, Report

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
_GIVEN = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}")


class RequestId:
    """Gives each request an id, `scope["request_id"]`: the caller's `X-Request-Id` where it will do; and a journey.

    `scope["journey"]` is reported as the answer begins, unless it is streamed; `scope["answering"]` is true from then
    on. Every answer has the id, what browsers are told of all of them (that none is anything else than it says, and for
    how many `tls_seconds` to come by TLS only), and further `lines` of headers.
    """

    def __init__(self, app: ASGIApp, *, report: Report, tls_seconds: int = 0, lines: bytes = b"") -> None:
        self._app = app
        self._report = report
        tls: Header = (b"strict-transport-security", b"max-age=%d" % tls_seconds)
        self._lines = lines + (lines_of(NOSNIFF, tls) if tls_seconds else lines_of(NOSNIFF))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        journey = self.begin(scope)

        def send_named(message: Message) -> Awaitable[None]:
            if "answering" not in scope:
                scope["answering"] = True
                self.end(journey, message)
            return send_whole(send, message)

        return self._app(scope, receive, send_named)

    def begin(self, scope: Scope) -> Journey:
        """Gives a request its id and its journey, unless it has them."""
        begun: Journey | None = scope.get("journey")
        if begun is not None:
            return begun
        headers = headers_of(scope)
        given = headers.get(b"x-request-id")
        request_id = given.decode() if given and _GIVEN.fullmatch(given) else f"{random.getrandbits(96):024x}"
        scope["request_id"] = request_id
        journey = scope["journey"] = Journey(request_id)
        journey.method, journey.path = scope["method"], scope["path"]
        journey.traceparent = headers.get(b"traceparent")
        return journey

    def end(self, journey: Journey, message: Message) -> None:
        """Reports the journey as its answer begins with that message, and adds the headers that every answer has."""
        journey.status = message["status"]
        told = b"" if journey.streamed else self._report(journey)
        add_headers(message, b"%b%bx-request-id: %b\r\n" % (self._lines, told, journey.request_id.encode()))


class Failures:
    """Answers every exception as an error of the contract; the unforeseen is INTERNAL.

    As `scope["refusing"]` has it, else as GraphQL's in `scope["media_type"]`.
    """

    def __init__(self, app: ASGIApp, observe: Observer) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except CallerGone:
            self._observe(CallerLeft(scope["request_id"]))
        except Exception as raised:
            if scope["type"] != "http" or "answering" in scope:
                raise
            await self._tell(scope, receive, send, raised)

    async def _tell(self, scope: Scope, receive: Receive, send: Send, raised: Exception) -> None:
        # Apart from where it was caught: a frame that is in its traceback would keep it and be kept by it until Python
        # looks for cycles, with the answer that was too large for instance.
        error = _told(raised)
        note_failure(self._observe, scope["journey"], error, raised)
        refusing: Refusing = scope.get("refusing") or as_graphql(scope.get("media_type", MediaType.JSON))
        lines, request_id = _allowance(scope, error), scope["request_id"]
        await send_error(send, receive, error, refusing, request_id=request_id, lines=lines)


def _allowance(scope: Scope, error: ApiError) -> bytes:
    """What is left to the caller, where the request came so far that it is known."""
    balance: Balance | None = scope.get("balance")
    if isinstance(error, RateLimited) and error.limit:
        balance = Balance(error.limit, 0, error.retry_after)
    return allowance_lines(balance) if balance else b""


def _told(raised: Exception) -> ApiError:
    """What a caller is told of an exception."""
    match raised:
        case ApiError():
            return raised
        case HTTPException(status_code=404):
            return NotFound("Nothing is served here.")
        case HTTPException(status_code=405):
            return MethodNotAllowed("This is only read: use GET.", allow="GET, HEAD")
        case _:
            return Internal()
