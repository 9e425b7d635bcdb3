"""One fetch for all who ask for the same meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.cache.response import Answer


class Flight:
    """One fetch for all who ask meanwhile; it is given up when the last of them has left."""

    def __init__(self, fetch: Coroutine[None, None, Answer], landed: Callable[[Flight], None]) -> None:
        self._task = asyncio.create_task(fetch)
        self._landed = landed
        self._task.add_done_callback(lambda _: landed(self))
        self._waiting = 0

    async def wait(self) -> Answer:
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                # Whoever comes from now on must not find it.
                self._landed(self)
                self._task.cancel()
            del self  # what the fetch raised has this frame in its traceback, and is kept by the task

    def forget(self, failed: Callable[[BaseException], None]) -> None:
        """Goes on without anybody who waits."""
        self._waiting += 1

        def tell(task: asyncio.Task[Answer]) -> None:
            if not task.cancelled() and (error := task.exception()):
                failed(error)

        self._task.add_done_callback(tell)
