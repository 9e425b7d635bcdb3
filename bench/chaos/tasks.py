"""What goes on for as long as a fault does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from bench.chaos.stage import Stage


@asynccontextmanager
async def repeated(what: Callable[[], Awaitable[None] | None], seconds: float) -> AsyncGenerator[None]:
    """Does it now, and again after so many seconds, while the block runs. Raises what it raises."""

    async def go_on() -> None:
        while True:
            if (waiting := what()) is not None:
                await waiting
            await asyncio.sleep(seconds)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        # Who is cancelled while a client of Redis gives up a connection may not hear of it.
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=0.1)
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def redis_of(stage: Stage) -> AsyncGenerator[Any]:
    """A client of the stage's Redis, which goes straight there."""
    async with Redis(port=stage.redis.port) as redis:
        yield redis
