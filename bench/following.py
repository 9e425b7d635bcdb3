"""Subscribers by WebSocket and by server-sent events: once, or for as long as it goes, wherever they are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

Listen = Callable[[str, str], AbstractAsyncContextManager[AsyncGenerator[Any]]]
PROTOCOL = Subprotocol("graphql-transport-ws")
CONNECTS_WITHIN = 10.0
REST = 0.1
"""Seconds after which a subscriber comes again."""


class Ended(Exception):
    """The server ended a subscription, or refused it."""


@asynccontextmanager
async def by_socket(url: str, query: str) -> AsyncGenerator[AsyncGenerator[Any]]:
    """The answers of a subscription by WebSocket."""
    async with connect(url.replace("http", "ws") + "/graphql", subprotocols=[PROTOCOL], compression=None) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))

        async def heard() -> AsyncGenerator[Any]:
            async for message in socket:
                told = orjson.loads(message)
                if told["type"] != "next":
                    raise Ended(str(told))
                yield told["payload"]

        yield heard()


@asynccontextmanager
async def by_events(url: str, query: str) -> AsyncGenerator[AsyncGenerator[Any]]:
    """The answers of a subscription by server-sent events."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    head = f"GET /graphql?query={quote(query)} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    writer.write(head.encode())
    first = await reader.readuntil(b"\r\n\r\n")
    if first.split(b" ", 2)[1] != b"200":
        writer.close()
        raise Ended(first.decode("latin-1"))

    async def heard() -> AsyncGenerator[Any]:
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                yield orjson.loads(line.removeprefix(b"data: "))

    try:
        yield heard()
    finally:
        writer.close()


@dataclass
class Follower:
    """Follows every change from a cursor on, by one URL after the other: where one ends, it goes on by the next."""

    listen: Listen
    urls: Sequence[str]
    cursor: str
    heard: list[str] = field(default_factory=list[str])
    """The cursors of all that it was told, in that order."""
    connections: int = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        for number in count():
            with suppress(OSError, EOFError, TimeoutError, Ended, WebSocketException):
                await self._follow(self.urls[number % len(self.urls)])
            await asyncio.sleep(REST)

    async def _follow(self, url: str) -> None:
        query = f"subscription {{ storyChanged(after: {json.dumps(self.cursor)}) {{ cursor }} }}"
        opened = self.listen(url, query)
        async with asyncio.timeout(CONNECTS_WITHIN) as opening, opened as changes:
            opening.reschedule(None)
            self.connections += 1
            async for answer in changes:
                if "errors" in answer:
                    raise Ended(str(answer))
                self.cursor = answer["data"]["storyChanged"]["cursor"]
                self.heard.append(self.cursor)
