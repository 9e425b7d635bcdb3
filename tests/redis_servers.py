"""Redis as tests meet it: the one of PARALLAX_TEST_REDIS_URL under keys of their own, and some that fail."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.redis import RedisAway, SharedRedis

URL = os.environ.get("PARALLAX_TEST_REDIS_URL", "")

needs_redis_server = pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not here")
needs_redis = pytest.mark.skipif(not URL, reason="PARALLAX_TEST_REDIS_URL names no Redis")


@asynccontextmanager
async def own_prefix() -> AsyncGenerator[str]:
    """What the keys of one test begin with; they are removed after it."""
    prefix = f"parallax-test-{secrets.token_hex(4)}"
    yield prefix
    async with SharedRedis(URL) as redis:
        for key in await redis.run("KEYS", f"{prefix}*"):
            await redis.run("DEL", key)


async def until_it_answers(redis: SharedRedis) -> None:
    """Returns when a Redis that was away does so again."""
    async with asyncio.timeout(10):
        while True:
            try:
                await redis.run("PING")
            except RedisAway:
                await asyncio.sleep(0.02)
            else:
                return


@dataclass
class Line:
    """A line to a server, by a socket's path or by host and port, at `port`.

    `hang` keeps it open and lets nothing through, `cut` ends it. What comes from there is `lag` seconds late; once
    `instead` comes in its place.
    """

    host: str
    target: int
    port: int = 0
    silent: bool = False
    lag: float = 0
    instead: bytes = b""
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def open(self) -> None:
        self.silent = False
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def hang(self) -> None:
        self.silent = True

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        self._server = None
        await asyncio.sleep(0.01)  # for connections that were just being made
        while self._writers:
            writer = self._writers.pop()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if not self.target:
            await self._forward(reader, None)
            writer.close()
            return
        if self.host.startswith("/"):
            from_there, to_there = await asyncio.open_unix_connection(self.host)
        else:
            from_there, to_there = await asyncio.open_connection(self.host, self.target)
        self._writers.add(to_there)
        with suppress(asyncio.CancelledError):  # when the test's loop ends, nobody is left to tell
            await asyncio.gather(self._forward(reader, to_there), self._forward(from_there, writer, lags=True))

    async def _forward(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter | None, *, lags: bool = False
    ) -> None:
        try:
            while part := await source.read(65_536):
                if lags and self.lag:
                    await asyncio.sleep(self.lag)
                if lags and self.instead:
                    part, self.instead = self.instead, b""
                if to is not None and not self.silent:
                    to.write(part)
        except OSError:
            pass
        if to is not None:
            to.close()


@asynccontextmanager
async def own_redis(folder: Path, *options: str) -> AsyncGenerator[Path]:
    """A Redis of the test's own, with these options; where its socket is."""
    socket = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        "redis-server",
        "--dir",
        folder,
        "--unixsocket",
        socket,
        "--save",
        "",
        *options,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while not await _is_listened_to(socket):
                await asyncio.sleep(0.02)
        yield socket
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_listened_to(socket: Path) -> bool:
    """Whether connections are taken: there is a socket a moment before they are."""
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def line_to_redis() -> AsyncGenerator[Line]:
    """A line to the Redis of PARALLAX_TEST_REDIS_URL."""
    told = urlsplit(URL)
    async with _opened(Line(told.hostname or "127.0.0.1", told.port or 6379)) as line:
        yield line


@asynccontextmanager
async def line_to_nowhere() -> AsyncGenerator[Line]:
    """A server that takes connections and never answers."""
    async with _opened(Line("", 0)) as line:
        yield line


@asynccontextmanager
async def _opened(line: Line) -> AsyncGenerator[Line]:
    await line.open()
    yield line
    await line.cut()
