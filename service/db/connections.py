"""Connections to Postgres, kept at hand between statements that follow each other. Knows nothing of what these read.

To take a connection of asyncpg's pool and to give it back takes a quarter of all Python that a small read takes. Under
load the next read is there before the last one is answered: it goes on with the same connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from service.within import Within

REST = 1.0
"""Seconds after which what was not needed meanwhile goes back to the pool, which closes it in the end."""
CANCELS_WITHIN = 1.0
"""Seconds that a statement may take to end when it has been cancelled. Of a connection that says nothing for longer,
nobody is at the other end."""
MOST_USES = 1_000
"""Statements after which a connection goes back once, so that the pool can renew what has served for long."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"  # generic in the stubs only


@dataclass(eq=False, slots=True)
class Held:
    """A connection that is taken from the pool, since the pool last expired for the `generation`th time."""

    connection: Any
    generation: int
    uses: int = 0


class Connections:
    """So many connections of a pool at most. What is taken is to be kept, or else given up."""

    def __init__(self, pool: Pool, size: int) -> None:
        self._pool = pool
        self.size = size
        self.waiting = 0
        """Those who wait for others to give a connection back."""
        self.in_use = 0
        self._room = asyncio.Semaphore(size)
        self._idle: deque[Held] = deque()
        self._generation = 0
        # So many at least lay idle since the last look at it: they were not needed.
        self._unneeded = 0
        self._look: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def idle(self) -> int:
        """Connections that are at hand."""
        return len(self._idle)

    async def take(self, deadline: float, patience: float) -> Held:
        """A connection, by a time of the loop, and after so many seconds of waiting for others to give one back.

        Raises TimeoutError, or what connecting raises.
        """
        now = asyncio.get_running_loop().time
        if self._room.locked():
            self.waiting += 1
            try:
                with Within(min(patience, deadline - now())):
                    await self._room.acquire()
            finally:
                self.waiting -= 1
        else:
            await self._room.acquire()  # which does not wait
        self.in_use += 1
        try:
            while self._idle:
                held = self._idle.pop()
                self._unneeded = min(self._unneeded, len(self._idle))
                if self._is_current(held):
                    return held
                self._release_soon([held])
            generation = self._generation
            return Held(await self._pool.acquire(timeout=deadline - now()), generation)
        except BaseException:
            self._make_room()
            raise

    def keep(self, held: Held) -> bool:
        """Has a connection at hand for whoever comes next; False, with nothing done, where it has to be given up."""
        held.uses += 1
        if self._closing or held.uses >= MOST_USES or not self._is_current(held):
            return False
        self._idle.append(held)
        self._make_room()
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(REST, self._let_rest)
        return True

    def give_up(self, held: Held) -> asyncio.Task[None]:
        """Gives a connection back to the pool, which finds out if it is any good. Nobody has to wait for that."""
        return self._later(self._give_up(held))

    async def _give_up(self, held: Held) -> None:
        try:
            await self._release(held)
        except TimeoutError:
            # The others of the pool have probably lost theirs with it.
            await self.expire()
        finally:
            self._make_room()

    async def expire(self) -> None:
        """No connection that is open now is used again."""
        self._generation += 1
        await self._pool.expire_connections()
        self._release_soon(self._longest_idle(len(self._idle)))

    async def close(self) -> None:
        """Waits for running statements, then closes every connection."""
        self._closing = True
        if self._look is not None:
            self._look.cancel()
        self._release_soon(self._longest_idle(len(self._idle)))
        await self._pool.close()

    def _make_room(self) -> None:
        self.in_use -= 1
        self._room.release()

    def _let_rest(self) -> None:
        """Gives back what was not needed, and looks again while any are left."""
        self._release_soon(self._longest_idle(self._unneeded))
        self._unneeded = len(self._idle)
        self._look = asyncio.get_running_loop().call_later(REST, self._let_rest) if self._unneeded else None

    def _is_current(self, held: Held) -> bool:
        return held.generation == self._generation and not _is_closed(held)

    def _longest_idle(self, number: int) -> list[Held]:
        """Takes out so many, if there are, of those that were not used for longest."""
        return [self._idle.popleft() for _ in range(min(number, len(self._idle)))]

    def _release_soon(self, those: list[Held]) -> None:
        """Nobody waits for it: to close what has died can take long."""
        for held in those:
            self._later(self._rest(held))

    def _later(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _rest(self, held: Held) -> None:
        with suppress(TimeoutError):
            await self._release(held)

    async def _release(self, held: Held) -> None:
        """Raises TimeoutError where nobody was at the other end."""
        try:
            await self._pool.release(held.connection, timeout=CANCELS_WITHIN)
        except TimeoutError:
            raise
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            pass  # it was broken, and the pool has ended it


def _is_closed(held: Held) -> bool:
    try:
        return held.connection.is_closed()
    except asyncpg.InterfaceError:  # it has ended, and is the pool's again
        return True
