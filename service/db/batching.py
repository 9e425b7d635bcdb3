"""Reads that wait for a connection and share a plan go as one statement. Knows nothing of what is read.

Nobody waits for others to come: whoever finds a connection free goes at once and alone. A connection that comes free
takes all that wait for one plan, which costs Postgres and Python little more than one of them. What a statement for
many meets is told to none of them unless it holds for all: each goes alone then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from service.db.pool import BUSY, PATIENCE, TOO_SLOW, Database
from service.errors import OperationTimeout, Unavailable
from service.settings import Settings

MOST = 32
"""Reads that go as one at most."""
MOST_WEIGHT = 1_000
"""What they weigh together at most: large reads gain little, and would keep one core of Postgres busy, not all."""

_ALONE = object()
"""Given to who waits, with a connection that is theirs, in place of a row."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """Someone who waits for a row, or for a connection to read it with."""

    statement: str
    parameters: Sequence[Any]
    weight: int
    row: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    batch: _Batch | None = None
    went: bool = False

    def has_waited(self) -> None:
        """The time to wait for a connection is over."""
        if not self.row.done() and self.batch is None:
            self.row.set_exception(Unavailable(BUSY))

    def is_late(self) -> None:
        """The time of the operation is over."""
        if not self.row.done():
            self.row.set_exception(OperationTimeout(TOO_SLOW) if self.batch else Unavailable(BUSY))


@dataclass(eq=False, slots=True)
class _Batch:
    """Those whose rows one statement reads; it is given up when the last of them has left."""

    members: list[_Waiting]
    task: asyncio.Task[None]


class Batches:
    """Reads from the database, as many statements at a time as it has connections."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._free = settings.pool_size
        self._timeout = settings.operation_timeout
        # Whose turn is next comes first: those of a plan together, who must go alone by themselves.
        self._waiting: OrderedDict[Hashable, deque[_Waiting]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Reads that wait for a connection."""
        return sum(map(len, self._waiting.values()))

    async def fetch_row(
        self,
        statement: str,
        parameters: Sequence[Any],
        *,
        together: str | None = None,
        weight: int = 1,
        selective: bool = False,
        deadline: float | None = None,
    ) -> asyncpg.Record | None:
        """What `Database.fetch_row` gives and raises.

        `together` is a statement of a row for each of many calls, in their order, that takes a list for each parameter;
        selective ones, which are planned for the values of one call, never go together.
        """
        if selective:
            return await self._database.fetch_row(statement, parameters, selective=True, deadline=deadline)
        if self._free:
            self._free -= 1
            return await self._alone(statement, parameters, deadline)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(statement, parameters, weight)
        self._waiting.setdefault(together or waiting, deque()).append(waiting)
        patience = loop.call_later(self._timeout * PATIENCE, waiting.has_waited)
        timer = loop.call_at(deadline or loop.time() + self._timeout, waiting.is_late)
        try:
            row = await waiting.row
            if row is not _ALONE:
                return row
            waiting.went = True
            return await self._alone(statement, parameters, timer.when())
        finally:
            patience.cancel()
            timer.cancel()
            self._left(waiting)

    async def _alone(
        self, statement: str, parameters: Sequence[Any], deadline: float | None = None
    ) -> asyncpg.Record | None:
        try:
            return await self._database.fetch_row(statement, parameters, deadline=deadline)
        finally:
            self._next()

    def _left(self, waiting: _Waiting) -> None:
        """Someone goes, with a row or without: what was only for them is taken back."""
        row, batch = waiting.row, waiting.batch
        is_given = row.done() and not row.cancelled() and row.exception() is None
        if batch is not None:
            if all(each.row.done() for each in batch.members):
                batch.task.cancel()
            waiting.batch = None  # the two name each other, and the rows would stay until Python looks for cycles
        elif is_given and not waiting.went:
            self._next()

    def _next(self) -> None:
        """A connection has come free: it goes to those who wait longest, or to whoever comes."""
        while self._waiting:
            together, queue = next(iter(self._waiting.items()))
            group = _taken(queue, MOST if isinstance(together, str) else 1)
            if queue:
                self._waiting.move_to_end(together)
            else:
                del self._waiting[together]
            if len(group) > 1 and isinstance(together, str):
                batch = _Batch(group, asyncio.create_task(self._read(together, group)))
                for each in group:
                    each.batch = batch
                return
            if group:
                group[0].row.set_result(_ALONE)
                return
        self._free += 1

    async def _read(self, together: str, group: list[_Waiting]) -> None:
        try:
            columns = [list(column) for column in zip(*(each.parameters for each in group), strict=True)]
            rows = await self._database.fetch_rows(together, columns)
            for each, row in zip(group, rows, strict=True):
                if not each.row.done():
                    each.row.set_result(row)
        except (Unavailable, OperationTimeout) as error:  # which holds for all of them
            for each in group:
                if not each.row.done():
                    each.row.set_exception(type(error)(error.message))
        except Exception:  # noqa: BLE001 - whose it is, and what it is, each finds out alone
            # They take turns with the other plans: the first of them goes next.
            for each in group:
                each.batch = None
            alone = object()
            self._waiting[alone] = deque(group)
            self._waiting.move_to_end(alone, last=False)
        finally:
            self._next()


def _taken(queue: deque[_Waiting], most: int) -> list[_Waiting]:
    """Those who go together, in their order; who has left meanwhile is left out."""
    group: list[_Waiting] = []
    weight = 0
    while queue and len(group) < most:
        first = queue[0]
        if group and weight + first.weight > MOST_WEIGHT:
            break
        queue.popleft()
        if not first.row.done():
            group.append(first)
            weight += first.weight
    return group
