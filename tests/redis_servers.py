"""Redis as tests meet it: the one of PARALLAX_TEST_REDIS_URL under keys of their own, and some that fail."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.line import Line, lined
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


def line_to_redis() -> AbstractAsyncContextManager[Line]:
    """A line to the Redis of PARALLAX_TEST_REDIS_URL."""
    told = urlsplit(URL)
    return lined(told.hostname or "127.0.0.1", told.port or 6379)


def line_to_nowhere() -> AbstractAsyncContextManager[Line]:
    """A server that takes connections and never answers."""
    return lined("", 0)
