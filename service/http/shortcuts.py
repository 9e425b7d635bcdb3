"""What takes less where the server is uvicorn. The only place that knows what is behind its `send` and `receive`.

uvicorn writes the head of an answer and its body apart, which are two calls of the kernel and two packets, after it has
looked for control characters in each header: for a page of some kilobytes from memory a quarter of all that it costs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import CoroutineType
from typing import Any, TypeAlias, cast

from starlette.types import Message, Receive, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Header = tuple[bytes, bytes]

START = "http.response.start"
WHOLE = "parallax.response.whole"
"""The type of a message that is an answer, with `status`, `head` (its headers as lines) and `body`. Who sends it
answers for the headers: nobody looks whether they hold a line break."""

Work: TypeAlias = "CoroutineType[Any, Any, Message | None]"  # generic in the stubs only
"""Makes a whole answer, in a task; None where it has to be made in the usual way."""
Found: TypeAlias = "Message | Work | None"
"""A whole answer, or what makes it; None where it has to be made in the usual way."""
Later = Callable[[Callable[[Found], None]], None]
"""Looks for an answer, and has whom it is given told what was found, once; a whole one in a later turn of the loop."""


def lines_of(*headers: Header) -> bytes:
    """The lines that headers are written as, each with its end."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def headers_in(lines: bytes) -> list[Header]:
    """The headers that such lines hold."""
    pairs = (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in pairs]


def add_headers(message: Message, lines: bytes) -> None:
    """Adds headers to an answer, where the message is the beginning of one, or the whole."""
    kind = message["type"]
    if kind == WHOLE:
        message["head"] += lines
    elif kind == START:
        message["headers"] = [*message.get("headers", ()), *headers_in(lines)]


def send_whole(send: Send, message: Message) -> Awaitable[None]:
    """Sends any message; a whole answer in one write where the server is uvicorn, and else in the two parts of ASGI."""
    if message["type"] != WHOLE:
        return send(message)
    cycle = getattr(send, "__self__", None)
    if isinstance(cycle, RequestResponseCycle) and write_whole(cycle, message):
        return _NOTHING_TO_AWAIT
    return send_in_parts(send, message)


def arrived_body(receive: Receive) -> bytes | None:
    """The body, where the whole request is known to be here: nobody has to wait for it, nor to watch the time."""
    cycle = getattr(receive, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or cycle.more_body or cycle.disconnected:
        return None
    body = bytes(cycle.body)
    cycle.body = bytearray()
    return body


def cut(receive: Receive) -> None:
    """Closes the connection of an answer that cannot go on, after what of it was sent.

    Every server does so when an application leaves its answer unfinished, and tells of an application that is broken;
    uvicorn does not where the connection is closed already.
    """
    cycle = getattr(receive, "__self__", None)
    if isinstance(cycle, RequestResponseCycle) and not cycle.disconnected:
        cycle.disconnected = True
        cycle.transport.close()


class _Nothing:
    """An awaitable that never waits: a coroutine would have to be made each time."""

    def __await__(self) -> Generator[Any, Any, None]:
        return cast("Generator[Any, Any, None]", iter(()))


_NOTHING_TO_AWAIT = _Nothing()


async def send_in_parts(send: Send, message: Message) -> None:
    """Sends a whole answer as ASGI has it."""
    await send({"type": START, "status": message["status"], "headers": headers_in(message["head"])})
    await send({"type": "http.response.body", "body": message["body"]})


class _Lines:
    """The lines of the headers that uvicorn gives all answers: a list that is another each second."""

    def __init__(self) -> None:
        self._headers: list[Header] = []
        self._lines = b""

    def of(self, headers: list[Header]) -> bytes:
        if headers is not self._headers:
            self._headers, self._lines = headers, lines_of(*headers)
        return self._lines


_DEFAULT = _Lines()


def whole_of(message: Message, default_headers: list[Header]) -> bytes:
    """The bytes of a whole answer, with the headers that uvicorn gives all of them."""
    status, every = STATUS_LINE[message["status"]], _DEFAULT.of(default_headers)
    return b"".join((status, every, message["head"], b"\r\n", message["body"]))


def write_whole(cycle: RequestResponseCycle, message: Message) -> bool:
    """Writes an answer; False for what is better left to uvicorn, which is seldom."""
    if cycle.response_started or cycle.flow.write_paused or not cycle.keep_alive or cycle.access_log:
        return False
    if cycle.scope["method"] == "HEAD":
        return False
    if not cycle.disconnected:
        cycle.transport.write(whole_of(message, cycle.default_headers))
        # What uvicorn does where an answer begins, and where it is complete.
        cycle.waiting_for_100_continue = False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
    return True
