"""A line to a server, which can be slow, silent or cut: what a network does to a connection, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65_536
MOST_ON_THE_WAY = 1_000
"""Parts that a slow line has on their way at a time."""


@dataclass
class Line:
    """A line to a server, by a socket's path or by host and port, at `port`.

    `hang` keeps it open and lets nothing through. `hold` lets nothing through until `pass_on`, and loses nothing, like
    a network that is gone for a while. `cut` ends it and takes no more connections, `reset` aborts those there are,
    `lose` keeps those open of which the server has gone. What comes from there is `lag` seconds late; once `instead`
    comes in its place.
    """

    host: str
    target: int
    port: int = 0
    silent: bool = False
    lag: float = 0
    instead: bytes = b""
    _server: asyncio.Server | None = None
    _open: dict[asyncio.StreamWriter, asyncio.StreamWriter | None] = field(
        default_factory=dict[asyncio.StreamWriter, asyncio.StreamWriter | None]
    )
    """By what leads to the client, what leads to the server."""
    _lost: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _passes: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def open(self) -> None:
        """Takes connections, at the same port as before."""
        self.silent = False
        self._passes.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def hang(self) -> None:
        """From now on, what either says is thrown away."""
        self.silent = True

    def hold(self) -> None:
        """From now on, what either says waits."""
        self._passes.clear()

    def pass_on(self) -> None:
        """What waits goes on, and all that follows."""
        self._passes.set()

    def reset(self) -> None:
        """Aborts every connection, as a router does that has lost its tables."""
        for client, server in self._open.items():
            client.transport.abort()
            if server is not None:
                server.transport.abort()

    def lose(self) -> None:
        """Ends every connection for the server only: the client is not told, and hears nothing more."""
        for client, server in self._open.items():
            self._lost.add(client)
            if server is not None:
                server.transport.abort()

    async def cut(self) -> None:
        """Ends every connection, and takes none."""
        if self._server:
            self._server.close()
        self._server = None
        self._passes.set()
        await asyncio.sleep(0.01)  # for connections that were just being made
        while self._open:
            client, server = self._open.popitem()
            for writer in filter(None, (client, server)):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        if not self.target:
            await self._forward(reader, None)
            writer.close()
            return
        with suppress(asyncio.CancelledError):  # when the loop ends, nobody is left to tell
            await self._passes.wait()
            try:
                from_there, to_there = await self._reach()
            except OSError:
                writer.transport.abort()
                self._open.pop(writer, None)
                return
            self._open[writer] = to_there
            await asyncio.gather(
                self._forward(reader, to_there, client=writer),
                self._forward(from_there, writer, client=writer, lags=True),
            )
            writer.close()
            self._lost.discard(writer)
            self._open.pop(writer, None)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.host.startswith("/"):
            return await asyncio.open_unix_connection(self.host)
        return await asyncio.open_connection(self.host, self.target)

    async def _forward(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter | None,
        *,
        client: asyncio.StreamWriter | None = None,
        lags: bool = False,
    ) -> None:
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_ON_THE_WAY)
        delivering = asyncio.create_task(self._deliver(on_the_way, to))
        now = asyncio.get_running_loop().time
        try:
            while part := await source.read(CHUNK):
                if lags and self.instead:
                    part, self.instead = self.instead, b""
                await on_the_way.put((now() + self.lag if lags else 0, part))
        except OSError:
            pass
        await on_the_way.put((0, b""))
        await delivering
        if to is not None and to is client and client in self._lost:
            return  # who is not told
        if to is not None:
            to.close()

    async def _deliver(self, parts: asyncio.Queue[tuple[float, bytes]], to: asyncio.StreamWriter | None) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, part = await parts.get()
            if not part:
                return
            if (early := due - now()) > 0:
                await asyncio.sleep(early)
            await self._passes.wait()
            if to is not None and not self.silent and not to.is_closing():
                to.write(part)


@asynccontextmanager
async def lined(host: str, target: int) -> AsyncGenerator[Line]:
    """An open line to a server."""
    line = Line(host, target)
    await line.open()
    try:
        yield line
    finally:
        await line.cut()
