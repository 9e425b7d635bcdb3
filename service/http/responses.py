"""What goes back: bytes with their status and headers. Knows nothing of how an answer came about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil
from typing import Any, NamedTuple

import orjson
from starlette.types import Message, Receive, Send

from service.access.limits import Balance
from service.errors import (
    ApiError,
    MethodNotAllowed,
    RateLimited,
    RequestTimeout,
    RequestTooLarge,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from service.http.media import MediaType, Typed
from service.http.shortcuts import START, WHOLE, Header, headers_in, lines_of

LINGER = 1.0
"""Seconds for which the rest of a refused body is thrown away."""

ALLOW: Header = (b"allow", b"GET, HEAD, POST, OPTIONS")
VARY: Header = (b"vary", b"Accept, Accept-Encoding, Authorization, X-API-Key")
NO_STORE: Header = (b"cache-control", b"no-store")
CLOSE: Header = (b"connection", b"close")

_VARY_LINE = lines_of(VARY)
_ALLOWANCE = b'ratelimit-policy: "minute";q=%d;w=60\r\nratelimit: "minute";r=%d;t=%d\r\n'


def allowance_lines(balance: Balance) -> bytes:
    """Headers of what is left of a caller's allowance, as draft-ietf-httpapi-ratelimit-headers has it."""
    return _ALLOWANCE % (balance.limit, balance.remaining, ceil(balance.full_in))


def reply(status: int, media_type: Typed, body: bytes, lines: bytes) -> Message:
    """A whole response, with further headers as lines."""
    head = b"%bcontent-length: %d\r\n%b%b" % (media_type.line, len(body), _VARY_LINE, lines)
    return {"type": WHOLE, "status": status, "head": head, "body": body}


def not_modified(lines: bytes) -> Message:
    """What says that the caller has the answer already."""
    return {"type": WHOLE, "status": 304, "head": _VARY_LINE + lines, "body": b""}


async def _send_open(send: Send, message: Message) -> None:
    """Sends a whole response, but that the connection waits for the end that `send_end` gives."""
    await send({"type": START, "status": message["status"], "headers": headers_in(message["head"])})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})


async def send_end(send: Send, receive: Receive) -> None:
    """Ends a response to a request whose body was not read to its end.

    A connection closed on unread bytes is reset, and the caller may lose the answer with it: so what still comes is
    thrown away, for a while.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body"})


async def send_options(send: Send, allow: Header = ALLOW) -> None:
    """Says which methods there are."""
    await send({"type": START, "status": 204, "headers": [allow]})
    await send({"type": "http.response.body"})


class Refusal(NamedTuple):
    """How a request is told that it failed."""

    status: int
    media_type: Typed
    body: bytes
    lines: bytes = b""


Refusing = Callable[[ApiError, str], Refusal]
"""Puts an error into a refusal, with the id of the request."""


def as_graphql(media_type: MediaType) -> Refusing:
    """As GraphQL's errors, with the status that the contract gives them under this media type."""

    def refuse(error: ApiError, request_id: str) -> Refusal:
        always = error.always_status or media_type is not MediaType.JSON
        body = orjson.dumps({"errors": shown_errors(error, request_id)})
        kind = media_type if media_type is MediaType.GRAPHQL_RESPONSE else MediaType.JSON
        return Refusal(error.status if always else 200, kind, body)

    return refuse


async def send_error(
    send: Send, receive: Receive, error: ApiError, refusing: Refusing, *, request_id: str, lines: bytes = b""
) -> None:
    """Sends an error, with the headers that go with it and further `lines`."""
    refusal = refusing(error, request_id)
    every = b"".join((lines_of(NO_STORE), refusal.lines, lines, lines_of(*_headers_for(error))))
    message = reply(refusal.status, refusal.media_type, refusal.body, every)
    if isinstance(error, RequestTimeout | RequestTooLarge):
        await _send_open(send, message)
        await send_end(send, receive)
    else:
        await send(message)


def shown_errors(error: ApiError, request_id: str) -> list[dict[str, Any]]:
    """The error as the list that GraphQL's responses have."""
    return [_shown(each, request_id) for each in _findings(error)]


def _findings(error: ApiError) -> Sequence[ApiError]:
    return error.errors if isinstance(error, ValidationFailed) else (error,)


def _shown(error: ApiError, request_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": line, "column": column} for line, column in error.locations]
    if error.path:
        shown["path"] = error.path
    shown["extensions"] = {**error.extensions, "code": error.code, "requestId": request_id}
    return shown


def _headers_for(error: ApiError) -> list[Header]:
    match error:
        case Unavailable() | RateLimited():
            return [(b"retry-after", b"%d" % error.retry_after)]
        case Unauthenticated():
            return [(b"www-authenticate", b"Bearer")]
        case MethodNotAllowed():
            return [(b"allow", error.allow.encode())]
        case RequestTimeout() | RequestTooLarge():
            # What is left of the body is not read: the connection cannot serve another request.
            return [CLOSE]
        case _:
            return []
