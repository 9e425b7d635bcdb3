"""What takes less where the server is uvicorn. The only place that knows what is behind its `send` and `receive`.

uvicorn writes the head of an answer and its body apart, which are two calls of the kernel and two packets, after it has
looked for control characters in each header: for a page of some kilobytes from memory a quarter of all that it costs.
"""

from __future__ import annotations

from starlette.types import Message, Receive, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

WHOLE = "parallax.response.whole"
"""The type of a message that is an answer, with `status`, `headers` and `body`. Who sends it answers for the headers:
nobody looks whether they hold a line break."""
BEGINNINGS = ("http.response.start", WHOLE)
"""The types of the messages that have the headers of an answer."""


async def send_whole(send: Send, message: Message) -> None:
    """Sends any message; a whole answer in one write where the server is uvicorn, and else in the two parts of ASGI."""
    if message["type"] != WHOLE:
        await send(message)
        return
    cycle = getattr(send, "__self__", None)
    if not (isinstance(cycle, RequestResponseCycle) and _write(cycle, message)):
        await send({**message, "type": "http.response.start"})
        await send({"type": "http.response.body", "body": message["body"]})


def has_arrived(receive: Receive) -> bool:
    """Whether the whole request is known to be here, so that nobody has to wait for it, nor to watch the time."""
    cycle = getattr(receive, "__self__", None)
    return isinstance(cycle, RequestResponseCycle) and not cycle.more_body


def _write(cycle: RequestResponseCycle, message: Message) -> bool:
    """Writes an answer; False for what is better left to uvicorn, which is seldom."""
    if cycle.response_started or cycle.flow.write_paused or not cycle.keep_alive or cycle.access_log:
        return False
    if cycle.scope["method"] == "HEAD":
        return False
    if not cycle.disconnected:
        headers = map(b": ".join, (*cycle.default_headers, *message["headers"]))
        cycle.transport.write(b"\r\n".join((STATUS_LINE[message["status"]][:-2], *headers, b"", message["body"])))
        # What uvicorn does where an answer begins, and where it is complete.
        cycle.waiting_for_100_continue = False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
    return True
