"""What is at hand is written as the request is read, and looks from outside as uvicorn's own way does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.http.caller import CallerGone
from service.http.protocol import AnswersAtHand, answers_at_hand
from service.http.shortcuts import WHOLE, Found, lines_of, send_whole
from tests.unit.http.wire import answered, connected, wire_of

HEAD = lines_of((b"content-type", b"text/plain"))
POST = b"POST /here HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
GET = b"GET /here?q=1 HTTP/1.1\r\nHost: a\r\n\r\n"


def told(scope: Scope, body: bytes) -> Message:
    """An answer that tells what was asked."""
    shown = b"%s %s?%b %b" % (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body)
    return {"type": WHOLE, "status": 200, "head": HEAD + b"content-length: %d\r\n" % len(shown), "body": shown}


class Asked:
    """What was asked at hand, and of the application."""

    def __init__(self) -> None:
        self.at_hand: list[Message] = []
        self.app: list[Message] = []

    def kind(self) -> type[AnswersAtHand]:
        """A protocol that has at hand what is at `/here`."""

        def at_hand(scope: Scope, body: bytes) -> Message | None:
            if scope["path"] != "/here":
                return None
            self.at_hand.append(told(scope, body))
            return dict(self.at_hand[-1])

        return answers_at_hand(at_hand, 100_000, 10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.app.append(told(scope, body))
        await send_whole(send, dict(self.app[-1]))


@pytest.mark.parametrize("request_", [GET, POST + b"hello", GET.replace(b"?q=1", b""), GET.replace(b"?q=1", b"?")])
async def test_an_answer_at_hand_is_what_the_application_would_have_written(request_: bytes) -> None:
    at_hand, app = Asked(), Asked()
    ours = await wire_of(at_hand, request_, kind=at_hand.kind())
    uvicorns = await wire_of(app, request_)
    assert b"".join(ours.writes) == b"".join(uvicorns.writes)
    assert (len(at_hand.at_hand), len(at_hand.app), len(app.app)) == (1, 0, 1)
    assert not ours.closed


async def test_it_is_written_before_the_loop_goes_on() -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    protocol.data_received(POST + b"hello")
    assert wire.writes[0].endswith(b"POST /here? hello")
    assert not protocol.tasks
    protocol.connection_lost(None)


async def test_who_listens_to_every_logger_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "hasHandlers", lambda: True)
    asked = Asked()
    await wire_of(asked, GET, kind=asked.kind())
    assert asked.at_hand


@pytest.mark.parametrize(
    "parts",
    [
        (POST, b"hello"),
        (POST + b"he", b"llo"),
        (b"POST /there HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",),
        (b"POST /there HTTP/1.1\r\nHost: a\r\nContent-", b"Length: 5\r\n\r\n", b"hel", b"lo"),
        (b"POST /h%65re HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",),
        (b"POST /here?q=1#part HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",),
        (POST.replace(b"Host: a", b"Connection: close") + b"hello",),
        (POST.replace(b"1.1", b"1.0") + b"hello",),
        (POST.replace(b"Host: a", b"Expect: 100-continue") + b"hello",),
        (POST.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked"), b"5\r\nhello\r\n", b"0\r\n\r\n"),
    ],
)
async def test_whatever_is_out_of_the_ordinary_is_left_to_uvicorn(parts: tuple[bytes, ...]) -> None:
    asked, app = Asked(), Asked()
    ours = await wire_of(asked, *parts, kind=asked.kind())
    uvicorns = await wire_of(app, *parts)
    assert b"".join(ours.writes) == b"".join(uvicorns.writes)
    assert ours.closed == uvicorns.closed
    assert not asked.at_hand
    assert asked.app == app.app


async def test_a_head_in_parts_is_answered_at_hand_as_soon_as_it_is_whole() -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    for byte in GET:
        assert not wire.writes
        protocol.data_received(bytes((byte,)))
    assert wire.writes
    protocol.connection_lost(None)


@pytest.mark.parametrize("turn", [0, 1, 2])
async def test_answers_to_requests_that_do_not_wait_keep_their_order(turn: int) -> None:
    """What is at hand does not overtake what is not."""
    asked = Asked()
    paths = [b"/here" if (number + turn) % 3 else b"/there" for number in range(9)]
    requests = b"".join(b"GET %b?%d HTTP/1.1\r\n\r\n" % (path, number) for number, path in enumerate(paths))
    wire = await wire_of(asked, requests, answers=9, kind=asked.kind())
    shown = [each.rpartition(b"\r\n")[2] for each in wire.writes]
    assert shown == [b"GET %b?%d " % (path, number) for number, path in enumerate(paths)]
    assert len(asked.at_hand) + len(asked.app) == 9


async def test_a_connection_goes_on_after_an_answer_at_hand() -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    for number in range(2_000):  # whose heads together are larger than one may be
        protocol.data_received(POST + b"%05d" % number)
    assert len(wire.writes) == 2_000
    assert not wire.closed
    protocol.connection_lost(None)


@pytest.mark.parametrize("path", [b"/here", b"/there"])
async def test_requests_that_come_together_may_be_larger_than_a_head(path: bytes) -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    whole = GET.replace(b"/here", path) * 10_000
    for start in range(0, len(whole), 99_991):  # which ends within a head
        protocol.data_received(whole[start : start + 99_991])
    async with asyncio.timeout(20):
        while protocol.server_state.total_requests < 10_000 and not wire.closed:
            await asyncio.sleep(0)
    assert not wire.closed
    protocol.connection_lost(None)


async def test_what_is_no_http_after_an_answer_at_hand_is_refused() -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    protocol.data_received(POST + b"hello")
    protocol.data_received(b"nonsense\r\n\r\n")
    assert wire.writes[-1].startswith(b"HTTP/1.1 400")
    assert wire.closed
    protocol.connection_lost(None)


@pytest.mark.parametrize("url", [b"http://a:999999/here", b"http://a", b"/" + b"x" * 70_000])
@pytest.mark.parametrize("parts", [(b"hello",), (b"he", b"llo")])
async def test_a_url_that_cannot_be_read_is_refused_however_the_body_comes(
    url: bytes, parts: tuple[bytes, ...]
) -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    first, *others = parts
    protocol.data_received(POST.replace(b"/here", url) + first)
    for part in others:
        protocol.data_received(part)
    assert wire.writes[0].startswith(b"HTTP/1.1 400")
    assert wire.closed
    assert not protocol.tasks
    protocol.connection_lost(None)


@pytest.mark.parametrize("path", [b"/here", b"/there"])
async def test_what_stands_behind_a_body_is_no_header(path: bytes) -> None:
    heads: list[list[tuple[bytes, bytes]]] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        heads.append(scope["headers"])
        await send_whole(send, told(scope, b""))

    def at_hand(scope: Scope, body: bytes) -> Message | None:
        if scope["path"] == "/there":
            return None
        heads.append(scope["headers"])
        return told(scope, body)

    request = b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" % path
    protocol, _ = connected(app, answers_at_hand(at_hand, 100_000, 10))
    protocol.data_received(request + b"X-Forwarded-For: 192.0.2.1\r\n\r\n")
    await asyncio.sleep(0.01)
    assert heads == [[(b"host", b"a"), (b"transfer-encoding", b"chunked")]]
    protocol.connection_lost(None)


async def test_who_left_is_not_waited_for_by_the_first_of_several_requests() -> None:
    left = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    protocol, _ = connected(app, Asked().kind())
    protocol.data_received(b"GET /there HTTP/1.1\r\n\r\n" * 2)
    await asyncio.sleep(0.01)
    protocol.connection_lost(None)
    async with asyncio.timeout(1):
        await left.wait()


async def test_nothing_that_stands_behind_a_body_is_kept() -> None:
    asked = Asked()
    protocol, _ = connected(asked, asked.kind())
    protocol.data_received(b"GET /there HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    for number in range(1_000):
        protocol.data_received(b"X-%d: a\r\n" % number)
    assert len(protocol.headers) == 1
    protocol.connection_lost(None)


@pytest.mark.parametrize("request_", [GET, b"GET /there HTTP/1.1\r\n\r\n"])
async def test_a_connection_that_rests_is_closed_in_time_and_not_before(request_: bytes) -> None:
    asked = Asked()
    protocol, wire = connected(asked, asked.kind())
    protocol.timeout_keep_alive = 0.2  # pyright: ignore[reportAttributeAccessIssue]  # uvicorn knows whole seconds only
    for _ in range(4):
        protocol.data_received(request_)
        await asyncio.sleep(0.1)
        assert not wire.closed
    async with asyncio.timeout(5):
        while not wire.closed:
            await asyncio.sleep(0.01)
    protocol.connection_lost(None)


@pytest.mark.parametrize("parts", [(GET, b"GET /there HTTP/1.1\r\n\r\n"), (GET + b"GET /there HTTP/1.1\r\n\r\n",)])
async def test_a_connection_that_is_answered_slowly_does_not_rest(parts: tuple[bytes, ...]) -> None:
    asked, free = Asked(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await free.wait()
        await asked(scope, receive, send)

    protocol, wire = connected(slow, asked.kind())
    protocol.timeout_keep_alive = 0.05  # pyright: ignore[reportAttributeAccessIssue]
    for part in parts:
        protocol.data_received(part)
    await asyncio.sleep(0.2)
    assert not wire.closed
    free.set()
    async with asyncio.timeout(5):
        while not wire.closed:
            await asyncio.sleep(0.01)
    assert len(wire.writes) == 2
    protocol.connection_lost(None)


class Later:
    """Has at hand that what is at `/later` comes when it is `told`, if it `begins` to be looked for.

    What is told is what makes it, where it is `made`: when it is `free` to.
    """

    def __init__(self, *, begins: bool = True, made: bool = False) -> None:
        self.asked = Asked()
        self.begins = begins
        self.made = made
        self.free = asyncio.Event()
        self.waiting: list[tuple[Callable[[Found], None], Message]] = []

    def kind(self) -> type[AnswersAtHand]:
        def at_hand(scope: Scope, body: bytes) -> Any:
            def later(then: Callable[[Found], None]) -> None:
                if self.begins:
                    self.waiting.append((then, told(scope, body)))
                else:
                    then(self.make(None) if self.made else None)

            return later if scope["path"] == "/later" else told(scope, body)

        return answers_at_hand(at_hand, 100_000, 10)

    def tell(self, *, found: bool = True) -> None:
        then, message = self.waiting.pop(0)
        given = message if found else None
        then(self.make(given) if self.made else given)

    async def make(self, message: Message | None) -> Message | None:
        await self.free.wait()
        return message


LATER = b"POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


async def test_an_answer_that_comes_later_is_written_as_it_comes() -> None:
    later = Later()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    await asyncio.sleep(0.01)
    assert not wire.writes
    later.tell()
    assert wire.writes[0].endswith(b"POST /later? hello")
    assert not protocol.tasks
    protocol.data_received(GET)
    assert wire.writes[1].endswith(b"GET /here?q=1 ")
    protocol.connection_lost(None)


async def test_what_is_asked_meanwhile_waits_for_its_turn() -> None:
    later = Later()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello" + GET + LATER + b"again")
    protocol.data_received(GET)
    await asyncio.sleep(0.01)
    assert not wire.writes
    later.tell()
    await answered(protocol, 4)
    shown = [each.rpartition(b"\r\n")[2] for each in wire.writes]
    assert shown == [b"POST /later? hello", b"GET /here?q=1 ", b"POST /later? again", b"GET /here?q=1 "]
    protocol.connection_lost(None)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("begins", [True, False])
async def test_what_does_not_come_takes_the_way_of_all(begins: bool, made: bool) -> None:  # noqa: FBT001
    later = Later(begins=begins, made=made)
    later.free.set()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    if begins:
        later.tell(found=False)
    await answered(protocol)
    assert len(wire.writes) == len(later.asked.app) == 1
    assert wire.writes[0].endswith(b"POST /later? hello")
    protocol.connection_lost(None)


async def test_an_answer_is_made_as_soon_as_it_can_be_and_those_after_it_wait() -> None:
    later = Later(made=True)
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello" + GET)
    later.tell()
    await asyncio.sleep(0.01)
    assert not wire.writes
    later.free.set()
    await answered(protocol, 2)
    assert [each.rpartition(b"\r\n")[2] for each in wire.writes] == [b"POST /later? hello", b"GET /here?q=1 "]
    protocol.connection_lost(None)


@pytest.mark.parametrize("made", [True, False])
async def test_what_is_no_http_after_a_request_that_waits_ends_the_connection(made: bool) -> None:  # noqa: FBT001
    later = Later(made=made)
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    protocol.data_received(b"nonsense\r\n\r\n")
    assert wire.writes[0].startswith(b"HTTP/1.1 400")
    assert wire.closed
    protocol.connection_lost(None)
    later.free.set()
    later.tell()
    await asyncio.sleep(0.01)
    assert len(wire.writes) == 1
    assert not protocol.tasks


@pytest.mark.parametrize("found", [True, False])
async def test_what_is_asked_in_parts_meanwhile_is_answered_after_it(found: bool) -> None:  # noqa: FBT001
    later = Later()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    protocol.data_received(b"GET /he")
    later.tell(found=found)
    await answered(protocol)
    protocol.data_received(b"re?q=1 HTTP/1.1\r\n\r\n")
    await answered(protocol, 2)
    assert [each.rpartition(b"\r\n")[2] for each in wire.writes] == [b"POST /later? hello", b"GET /here?q=1 "]
    assert len(later.asked.app) == (not found)
    protocol.connection_lost(None)


@pytest.mark.parametrize("when", ["while it is looked for", "as it is told that it has to be made", "while it is made"])
async def test_nothing_is_made_for_who_has_left_and_the_application_is_told(when: str) -> None:
    met: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        met.append(scope)

    later = Later(made=True)
    protocol, wire = connected(app, later.kind())
    protocol.data_received(LATER + b"hello")
    if when == "while it is looked for":
        protocol.connection_lost(None)
        later.tell()
    else:
        later.tell()
        if when == "while it is made":
            await asyncio.sleep(0.01)
            assert protocol.tasks
        protocol.connection_lost(None)
    async with asyncio.timeout(5):
        while not met or protocol.tasks:
            await asyncio.sleep(0.001)
    assert isinstance(met[0]["raised"][0], CallerGone)
    assert not wire.writes


async def test_what_is_ready_soon_is_not_taken_back_from_who_left() -> None:
    """To cancel a statement takes another connection to Postgres: who comes and goes could have it made without end."""
    later = Later(made=True)
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    later.tell()
    await asyncio.sleep(0)
    [work] = protocol.tasks
    protocol.connection_lost(None)
    await asyncio.sleep(0)
    later.free.set()
    await work
    await asyncio.sleep(0.01)
    assert not wire.writes
    assert not later.asked.app


async def test_who_has_sent_another_request_is_heard_to_leave_all_the_same() -> None:
    later = Later(made=True)
    protocol, _ = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello" + GET)
    assert protocol.flow.read_paused  # nothing is made yet
    later.tell()
    assert not protocol.flow.read_paused
    protocol.data_received(GET)
    assert protocol.flow.read_paused  # but not for as many as one may send
    protocol.connection_lost(None)


@pytest.mark.parametrize("parts", [(LATER + b"hello" + GET,), (LATER + b"hello", GET)])
async def test_it_is_read_on_once_while_an_answer_is_made(parts: tuple[bytes, ...]) -> None:
    async def made() -> Message | None:
        await asyncio.Event().wait()
        return None

    def at_hand(_scope: Scope, _body: bytes) -> Any:
        return lambda then: then(made())  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType]

    protocol, _ = connected(Asked(), answers_at_hand(at_hand, 100_000, 10))
    for part in parts:
        protocol.data_received(part)
        await asyncio.sleep(0)
    assert protocol.pipeline
    assert not protocol.flow.read_paused
    protocol.data_received(GET)
    assert protocol.flow.read_paused
    [work] = protocol.tasks
    work.cancel()
    protocol.connection_lost(None)


async def test_what_is_being_made_when_the_time_of_the_server_is_over_ends_with_it() -> None:
    later = Later(made=True)
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    later.tell()
    await asyncio.sleep(0.01)
    [task] = protocol.tasks  # whom uvicorn cancels then
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.closed
    assert not wire.writes
    assert not later.asked.app


@pytest.mark.parametrize("made", [True, False])
async def test_an_answer_that_comes_while_the_server_ends_is_the_last_of_its_connection(made: bool) -> None:  # noqa: FBT001
    later = Later(made=made)
    later.free.set()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    protocol.shutdown()
    later.tell()
    async with asyncio.timeout(5):
        while not wire.closed:
            await asyncio.sleep(0)
    answer = b"".join(wire.writes)
    assert answer.endswith(b"POST /later? hello")
    assert b"connection: close" in answer
    assert not later.asked.app
    protocol.connection_lost(None)


async def test_an_answer_that_comes_when_the_caller_is_gone_is_written_to_nobody() -> None:
    later = Later()
    protocol, wire = connected(later.asked, later.kind())
    protocol.data_received(LATER + b"hello")
    protocol.connection_lost(None)
    later.tell()
    assert not wire.writes


async def test_what_fails_at_hand_is_left_to_who_can_tell_of_it() -> None:
    asked = Asked()

    def broken(_scope: Scope, _body: bytes) -> Message | None:
        raise RuntimeError("at hand")

    wire = await wire_of(asked, POST + b"hello", kind=answers_at_hand(broken, 100_000, 10))
    assert len(asked.app) == 1
    assert wire.writes[0].endswith(b"POST /here? hello")
