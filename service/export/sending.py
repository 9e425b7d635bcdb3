"""The body of an export on its way out: as fast as its reader takes it, compressed where they like."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.types import Send

STALL = 120.0
"""Seconds after which a reader who takes nothing more is given up."""

_GZIP = 31
"""The window bits by which zlib writes gzip."""


class Body:
    """The parts of a body. What was sent is not kept, and nothing more is read before it is on its way."""

    def __init__(self, send: Send, *, gzip: bool) -> None:
        self._send = send
        self._coder = zlib.compressobj(6, zlib.DEFLATED, _GZIP) if gzip else None

    async def write(self, part: bytes) -> None:
        """Sends a part, which a reader can read whole then. Raises TimeoutError where nobody takes it."""
        if self._coder:
            part = self._coder.compress(part) + self._coder.flush(zlib.Z_SYNC_FLUSH)
        if part:
            await self._put(part, more=True)

    async def end(self) -> None:
        """Tells that this was all: a body that does not end so was cut."""
        await self._put(self._coder.flush() if self._coder else b"", more=False)

    async def _put(self, part: bytes, *, more: bool) -> None:
        async with asyncio.timeout(STALL):
            await self._send({"type": "http.response.body", "body": part, "more_body": more})


@asynccontextmanager
async def until(ending: asyncio.Event) -> AsyncGenerator[None]:
    """Runs a block that ends with TimeoutError when the event is set, whatever it waits for."""
    async with asyncio.timeout(None) as limit:

        async def end() -> None:
            await ending.wait()
            limit.reschedule(asyncio.get_running_loop().time())

        watching = asyncio.create_task(end())
        try:
            yield
        finally:
            watching.cancel()
