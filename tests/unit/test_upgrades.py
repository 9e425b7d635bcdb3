"""Requests that ask to go on as another protocol are read to their end, as if they had not asked."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.heads import BoundedHeads
from service.http.protocol import answers_at_hand
from service.http.shortcuts import WHOLE, send_in_parts
from tests.unit.http.wire import wire_of

ASKS = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
POST = b"POST /first HTTP/1.1\r\nHost: a\r\n" + ASKS + b"Content-Length: 38\r\n\r\n"
WITHIN = b"GET /within HTTP/1.1\r\nHost: a\r\n\r\n     "
AFTER = b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = POST.replace(b"Content-Length: 38", b"Transfer-Encoding: chunked") + b"26\r\n" + WITHIN + b"\r\n0\r\n\r\n"


def told(scope: Scope, body: bytes) -> Message:
    """An answer that tells what was asked."""
    shown = b"[%s %s %b]" % (scope["method"].encode(), scope["path"].encode(), body)
    head = b"content-length: %d\r\n" % len(shown)
    return {"type": WHOLE, "status": 200, "head": head, "body": shown}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send_in_parts(send, told(scope, body))


def nothing(_scope: Scope, _body: bytes) -> None:
    """Nothing is at hand."""


KINDS = [BoundedHeads, answers_at_hand(told, 100_000, 10), answers_at_hand(nothing, 100_000, 10)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "parts",
    [
        (POST + WITHIN + AFTER,),
        (POST, WITHIN, AFTER),
        (POST + WITHIN[:9], WITHIN[9:] + AFTER),
        (POST[:-1], POST[-1:] + WITHIN + AFTER[:5], AFTER[5:]),
        tuple(bytes((byte,)) for byte in POST + WITHIN + AFTER),
        (CHUNKED + AFTER,),
        (CHUNKED[:-20], CHUNKED[-20:], AFTER),
        ((POST + WITHIN).replace(b"h2c", b"websocket") + AFTER,),
    ],
)
async def test_a_body_is_the_bodys_request_and_no_other(kind: type[BoundedHeads], parts: tuple[bytes, ...]) -> None:
    wire = await wire_of(app, *parts, answers=2, kind=kind)
    written = b"".join(wire.writes)
    assert [b"[" + each.partition(b"[")[2] for each in written.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"[POST /first %b]" % WITHIN,
        b"[GET /after ]",
    ]
    assert not wire.closed


async def test_several_that_ask_are_answered_in_their_order() -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n%b\r\n" % (number, ASKS) for number in range(50))
    wire = await wire_of(app, requests, answers=50, kind=BoundedHeads)
    written = b"".join(wire.writes)
    places = [written.index(b"[GET /%d ]" % number) for number in range(50)]
    assert places == sorted(places)


async def test_what_else_the_head_says_still_holds() -> None:
    request = (POST + WITHIN).replace(b"Upgrade, ", b"Upgrade, close, ")
    wire = await wire_of(app, request, kind=BoundedHeads)
    assert b"connection: close" in b"".join(wire.writes)
    assert wire.closed


async def test_a_tunnel_is_refused() -> None:
    wire = await wire_of(app, b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n" + AFTER, answers=0, kind=BoundedHeads)
    assert wire.writes[0].startswith(b"HTTP/1.1 400")
    assert wire.closed
