"""Whether the caller is still there. Knows nothing of what the caller waits for."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

GRACE = 0.05
"""Seconds from which on a caller is watched: most answers are ready before, and need no task that watches."""


class CallerGone(Exception):
    """The caller closed the connection; nobody is left to answer."""


class WhileCallerWaits:
    """Runs a block that ends with CallerGone, its awaited work cancelled, when the caller closes the connection."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None
        self._gone = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._gone and self._task is not None and self._task.uncancel() == 0:
            raise CallerGone

    def _start(self) -> None:
        self._watch = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()
