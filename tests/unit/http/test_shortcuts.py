"""Shortcuts look from outside as uvicorn's own way does."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.shortcuts import WHOLE, add_headers, arrived_body, headers_in, lines_of, send_whole
from tests.unit.http.wire import connected, wire_of

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5"), (b"x-some", b"thing")]
HEAD = lines_of(*HEADERS)


def answering(message: Message, *, whole: bool) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if whole:
            head, rest = lines_of(*message["headers"]), {"status": message["status"], "body": message["body"]}
            await send_whole(send, {"type": WHOLE, "head": head, **rest})
        else:
            await send({"type": "http.response.start", **message})
            await send({"type": "http.response.body", "body": message["body"]})

    return app


@pytest.mark.parametrize(
    ("request_", "in_one"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HEAD / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
    ],
)
async def test_an_answer_is_what_uvicorn_would_have_written(request_: bytes, in_one: bool) -> None:  # noqa: FBT001
    message = {"status": 200, "headers": HEADERS, "body": b"hello"}
    ours = await wire_of(answering(message, whole=True), request_)
    uvicorns = await wire_of(answering(message, whole=False), request_)
    assert b"".join(ours.writes) == b"".join(uvicorns.writes)
    assert ours.closed == uvicorns.closed
    assert (len(ours.writes) == 1) == in_one


async def test_an_answer_without_a_body_is_too() -> None:
    message = {"status": 304, "headers": [(b"etag", b'"a"')], "body": b""}
    ours, uvicorns = [
        await wire_of(answering(message, whole=whole), b"GET / HTTP/1.1\r\n\r\n") for whole in (True, False)
    ]
    assert b"".join(ours.writes) == b"".join(uvicorns.writes)


async def test_requests_sent_without_waiting_are_answered_in_turn() -> None:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        head = b"content-length: 2\r\n"
        await send_whole(send, {"type": WHOLE, "status": 200, "head": head, "body": scope["path"].encode()})

    wire = await wire_of(app, b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(5)), answers=5)
    assert [each[-2:] for each in wire.writes] == [b"/%d" % number for number in range(5)]


async def test_a_second_answer_is_refused_as_uvicorn_does() -> None:
    raised: list[Exception] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        message = {"type": WHOLE, "status": 200, "head": HEAD, "body": b"hello"}
        await send_whole(send, message)
        try:
            await send_whole(send, message)
        except RuntimeError as error:
            raised.append(error)

    wire = await wire_of(app, b"GET / HTTP/1.1\r\n\r\n")
    assert len(wire.writes) == len(raised) == 1


async def test_another_server_gets_the_two_messages_that_it_knows() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await send_whole(send, {"type": WHOLE, "status": 200, "head": HEAD, "body": b"hello"})
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[0]["headers"], sent[1]["body"]) == (200, HEADERS, b"hello")


async def test_a_body_that_is_here_needs_nobody_to_wait() -> None:
    arrived: list[bytes | None] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        body = arrived_body(receive)
        arrived.append(body)
        while not (body or b"").endswith(b"!"):
            body = (body or b"") + (await receive())["body"]
        assert body == b"a!"
        # It is given once; what a caller who is still there sends then is nothing.
        arrived.append(arrived_body(receive))
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await send_whole(send, {"type": WHOLE, "status": 200, "head": HEAD, "body": b"hello"})

    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"
    await wire_of(app, head + b"a!")
    assert arrived == [b"a!", b""]
    arrived.clear()

    async def waiting(_scope: Scope, receive: Receive, send: Send) -> None:
        arrived.append(arrived_body(receive))
        body = b""
        while not body.endswith(b"!"):
            body += (await receive())["body"]
        arrived.append(body)
        await send_whole(send, {"type": WHOLE, "status": 200, "head": HEAD, "body": b"hello"})

    await wire_of(waiting, head, b"a", b"!")
    assert arrived == [None, b"a!"]


async def test_a_body_that_is_here_is_none_where_the_caller_is_gone() -> None:
    arrived: list[object] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        arrived.append(arrived_body(receive))
        arrived.append(await receive())
        await send_whole(send, {"type": WHOLE, "status": 200, "head": HEAD, "body": b"hello"})

    protocol, _ = connected(app)
    protocol.data_received(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na!")
    protocol.connection_lost(None)
    async with asyncio.timeout(5):
        while len(arrived) < 2:
            await asyncio.sleep(0)
    assert arrived == [None, {"type": "http.disconnect"}]


def test_headers_and_their_lines_say_the_same() -> None:
    headers = [*HEADERS, (b"x-empty", b""), (b"x-colon", b"a: b")]
    assert headers_in(lines_of(*headers)) == headers
    assert headers_in(b"") == []


def test_headers_are_added_to_what_begins_an_answer_only() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
    whole: Message = {"type": WHOLE, "head": lines_of((b"a", b"b"))}
    body: Message = {"type": "http.response.body", "body": b""}
    for message in (start, whole, body):
        add_headers(message, HEAD)
    assert start["headers"] == headers_in(whole["head"]) == [(b"a", b"b"), *HEADERS]
    assert body == {"type": "http.response.body", "body": b""}


async def test_of_another_server_nobody_knows_what_has_arrived() -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    assert arrived_body(receive) is None
