"""Connections that stay open: how many there may be of one caller, and how they end when the server does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from starlette.types import Scope

from service.errors import RateLimited


class Streams:
    """The sockets and event streams that are open in this process."""

    def __init__(self, most_a_caller: int) -> None:
        self._most = most_a_caller
        self._open: Counter[str] = Counter()
        self._ending = asyncio.Event()

    @contextmanager
    def opened(self, scope: Scope) -> Generator[asyncio.Event]:
        """Counts a connection while it is open; what it gives is set when the server wants it to end.

        Raises RateLimited where the caller, known by the address, has too many.
        """
        caller = (scope.get("client") or ("",))[0]
        if self._open[caller] >= self._most:
            raise RateLimited(f"At most {self._most:,} sockets and streams may be open from one address.")
        self._open[caller] += 1
        try:
            yield self._ending
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    def end(self) -> None:
        """Has all connections end, those too that are opened from now on."""
        self._ending.set()
