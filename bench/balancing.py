"""A proxy before several processes, as an ingress controller is: asks each if it is ready, and leads requests there.

A request goes by a connection of its own. Where that is refused, or ends before any answer has come, the next process
gets the request: all that is asked here only reads. One that is taken out gets no more requests, and ends what it has
begun: so a pod is no endpoint any more while its preStop hook waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.asking import Broken, Client

CHECK_EVERY = 0.25
CHUNK = 65_536
HEAD_END = b"\r\n\r\n"
NOBODY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
PAIR = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False)
class Backend:
    """A process: whether it answered that it is ready, and whether it is to get requests."""

    url: str
    ready: bool = False
    taken_out: bool = False

    @property
    def serves(self) -> bool:
        return self.ready and not self.taken_out


@dataclass
class Balancer:
    """Takes requests at `url`, and counts those that a second process got."""

    backends: Sequence[Backend]
    url: str = ""
    retried: int = 0
    _turn: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one client's requests until it leaves."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def check(self, backend: Backend) -> None:
        """Asks again and again whether it is ready."""
        while True:
            async with Client(backend.url) as client:
                try:
                    backend.ready = (await client.get("/readyz")).status == 200
                except Broken:
                    backend.ready = False
            await asyncio.sleep(CHECK_EVERY)

    async def close(self) -> None:
        """Ends all that is open."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow."""
        head = await reader.readuntil(HEAD_END)
        request = head + await reader.readexactly(_length(head) or 0)
        for number, backend in enumerate(self._in_turn()):
            self.retried += number > 0
            with suppress(OSError, EOFError):
                there = await self._ask(backend, request)
                break
        else:
            writer.write(NOBODY)
            return True
        return await _pass_on(there, (reader, writer))

    async def _ask(self, backend: Backend, request: bytes) -> tuple[bytes, PAIR]:
        at = urlsplit(backend.url)
        try:
            reader, writer = await asyncio.open_connection(at.hostname, at.port)
        except OSError:
            backend.ready = False
            raise
        try:
            writer.write(request)
            return await reader.readuntil(HEAD_END), (reader, writer)
        except BaseException:
            writer.close()
            raise

    def _in_turn(self) -> list[Backend]:
        self._turn += 1
        serving = [backend for backend in self.backends if backend.serves]
        at = self._turn % max(1, len(serving))
        return serving[at:] + serving[:at]


def _length(head: bytes) -> int | None:
    _, found, rest = head.lower().partition(b"\r\ncontent-length: ")
    return int(rest.split(b"\r\n", 1)[0]) if found else None


async def _pass_on(there: tuple[bytes, PAIR], client: PAIR) -> bool:
    """Gives the client an answer, or joins both where it has no end that is known; whether another may follow."""
    head, (from_there, to_there) = there
    from_client, to_client = client
    try:
        to_client.write(head)
        length = _length(head)
        if length is not None:
            to_client.write(await from_there.readexactly(length))
            await to_client.drain()
            return True
        joined = [asyncio.create_task(_join(*pair)) for pair in ((from_there, to_client), (from_client, to_there))]
        await asyncio.wait(joined, return_when=asyncio.FIRST_COMPLETED)
        for task in joined:
            task.cancel()
        return False
    finally:
        to_there.close()


async def _join(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await source.read(CHUNK):
            to.write(part)
            await to.drain()


@asynccontextmanager
async def balancing(urls: Sequence[str]) -> AsyncGenerator[Balancer]:
    """A proxy before the processes at these URLs, at a free port of loopback."""
    balancer = Balancer([Backend(url) for url in urls])
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
    balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    checking = [asyncio.create_task(balancer.check(backend)) for backend in balancer.backends]
    try:
        yield balancer
    finally:
        for task in checking:
            task.cancel()
        server.close()
        await balancer.close()
