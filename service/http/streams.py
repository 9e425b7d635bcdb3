"""Connections that stay open: how many there may be of one caller, and how they end when the server or the key does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from service.access.caller import Caller
from service.errors import RateLimited

REVIEW = 1.0
"""Seconds between looks at the keys of all who are connected."""

KEY_ENDED = "The key is not good any more, or its tier includes less."

Holds = Callable[[Caller], Awaitable[bool]]


class Stream:
    """One open connection: `ending` is set when it is to end, because the server does unless its `key_ended`."""

    __slots__ = ("account", "caller", "ending", "key_ended")

    def __init__(self, account: str, caller: Caller | None) -> None:
        self.account = account
        self.caller = caller
        self.ending = asyncio.Event()
        self.key_ended = False


class Streams:
    """What of one kind is open in this process; `told` is what callers know them as."""

    def __init__(self, most_a_caller: int, told: str = "sockets and streams") -> None:
        self._most = most_a_caller
        self._told = told
        self._counts: Counter[str] = Counter()
        self._open: set[Stream] = set()
        self._ends = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def opened(self, account: str, caller: Caller | None = None) -> Generator[Stream]:
        """Counts a connection while it is open. Raises RateLimited where those counted together have too many."""
        self._count(account)
        stream = Stream(account, caller)
        self._open.add(stream)
        if self._ends:
            stream.ending.set()
        try:
            yield stream
        finally:
            self._open.discard(stream)
            self._discount(stream.account)

    def identify(self, stream: Stream, caller: Caller) -> None:
        """Counts an open connection as that caller's from now on. Raises RateLimited where these are too many."""
        if caller.account != stream.account:
            self._count(caller.account)
            self._discount(stream.account)
            stream.account = caller.account
        stream.caller = caller

    @asynccontextmanager
    async def reviewed(self, holds: Holds) -> AsyncGenerator[None]:
        """Ends connections whose caller does not hold any more, for as long as the block runs."""
        reviewing = asyncio.create_task(self._review(holds))
        try:
            yield
        finally:
            reviewing.cancel()
            await asyncio.wait((reviewing,))

    async def _review(self, holds: Holds) -> None:
        while True:
            await asyncio.sleep(REVIEW)
            callers = {stream.caller for stream in self._open if stream.caller is not None}
            ended = {caller for caller in callers if not await holds(caller)}
            for stream in self._open if ended else ():
                if stream.caller in ended:
                    stream.key_ended = True
                    stream.ending.set()

    def end(self) -> None:
        """Has all connections end, those too that are opened from now on."""
        self._ends = True
        for stream in self._open:
            stream.ending.set()

    def _count(self, account: str) -> None:
        if self._counts[account] >= self._most:
            raise RateLimited(f"At most {self._most:,} {self._told} of one caller may be open.")
        self._counts[account] += 1

    def _discount(self, account: str) -> None:
        self._counts[account] -= 1
        if not self._counts[account]:
            del self._counts[account]
