"""How late the event loop is: whatever keeps it busy keeps every request waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

EVERY = 0.1
"""Seconds between looks."""


@asynccontextmanager
async def delays_told(tell: Callable[[float], None]) -> AsyncGenerator[None]:
    """Tells, for as long as the block runs, by how many seconds each look was late."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        nonlocal due, timer
        now = loop.time()
        tell(max(0.0, now - due))
        due = now + EVERY
        timer = loop.call_at(due, look)

    due = loop.time() + EVERY
    timer = loop.call_at(due, look)
    try:
        yield
    finally:
        timer.cancel()
