"""Accounts whose requests make no sense wait between them, so that they leave the processor to others."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from service.errors import ApiError

TIMES_AS_LONG = 10
"""After a request that was refused, so many times as long as it took passes before another of its account is read."""


LONGEST = 0.5
"""Seconds that pass at most: what others do in the meantime counts too, where reading has to wait for them."""
MOST_OWED = 2.0
"""Seconds that pass at most after several that were read at the same time, as long documents are."""


class _Queue:
    """Those of one account who wait until it may have another request read; it is there while anybody does."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.size = 0
        self.owed = 0.0


class Paces:
    """Whose requests are read at once, and whose one after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    def is_free(self, account: str) -> bool:
        """Whether nobody of the account has to wait."""
        return account not in self._queues

    def turn(self, account: str) -> Turn:
        """What an account's request is read within: it waits where one of the account was refused just before."""
        return Turn(self._queues, account)


class Turn:
    """`async with` waits for the turn. It ends the wait of the next, later where the block ends in a priced refusal."""

    __slots__ = ("_account", "_began", "_queue", "_queues")

    def __init__(self, queues: dict[str, _Queue], account: str) -> None:
        self._queues = queues
        self._account = account

    async def __aenter__(self) -> None:
        self._queue = self._queues.get(self._account)
        if self._queue is not None:
            self._queue.size += 1
            try:
                await self._queue.turn.acquire()
            except BaseException:
                self._leave(self._queue)
                raise
        self._began = time.process_time()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pause = 0.0
        if isinstance(error, ApiError) and error.price:
            pause = min(TIMES_AS_LONG * (time.process_time() - self._began), LONGEST)
            queue = self._queues.get(self._account)
            if queue is None:
                self._queue = self._queues[self._account] = _Queue()
                self._queue.size = 1
                await self._queue.turn.acquire()
            elif self._queue is None:  # another that began before either was refused
                queue.owed = min(queue.owed + pause, MOST_OWED)
        if self._queue is not None:
            asyncio.get_running_loop().call_later(pause, self._end, self._queue)

    def _end(self, queue: _Queue) -> None:
        if queue.owed:
            asyncio.get_running_loop().call_later(queue.owed, self._end, queue)
            queue.owed = 0.0
            return
        queue.turn.release()
        self._leave(queue)

    def _leave(self, queue: _Queue) -> None:
        queue.size -= 1
        if not queue.size:
            del self._queues[self._account]
