"""Work that holds up the loop, one piece at a time: between two of them all others get in."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Turns:
    """`async with` waits for a turn; whoever needs none never waits for more than one that has begun."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not at once: else those who came together would all have their turns before the loop looks for anyone else.
        asyncio.get_running_loop().call_soon(self._lock.release)
