"""What each key has spent, day by day: counted in memory, and written down in batches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid4

import asyncpg

from service.db.pool import Database
from service.db.queries import QUERIES
from service.events import Observer, UsageUnwritten, ignore

EVERY = 20.0
"""Seconds between batches: what a kill loses at most, unless Postgres is away too."""
PATIENCE = 10.0
DAY = 86_400


class UsageDay(NamedTuple):
    """What a key spent on a day in UTC."""

    day: date
    request_count: int
    cost: int


@dataclass(slots=True)
class _Spent:
    request_count: int = 0
    cost: int = 0


@dataclass(slots=True)
class _Batch:
    """What was spent by key and day (counted from 1970). Its id keeps it from being written twice."""

    spent: dict[tuple[int, int], _Spent] = field(default_factory=dict[tuple[int, int], _Spent])
    ended_at: datetime | None = None
    id: UUID = field(default_factory=uuid4)

    def columns(self) -> tuple[list[int], list[date], list[int], list[int]]:
        rows = sorted(self.spent.items())
        return (
            [key for (key, _), _ in rows],
            [_date(day) for (_, day), _ in rows],
            [spent.request_count for _, spent in rows],
            [spent.cost for _, spent in rows],
        )


class Usage:
    """Counts what keys spend; open between `async with`, at whose end all is written that can be."""

    def __init__(
        self, dsn: str, database: Database, observe: Observer = ignore, now: Callable[[], float] = time.time
    ) -> None:
        self._dsn = dsn
        self._database = database
        self._observe = observe
        self._now = now
        self._counting = _Batch()
        self._unwritten: _Batch | None = None

    async def __aenter__(self) -> Self:
        self._writing = asyncio.create_task(self._write_again_and_again())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writing.cancel()
        await asyncio.wait((self._writing,))
        await self.write()
        if self._unwritten is None:  # it was a batch left over: what was counted since is a batch of its own
            await self.write()

    def spent(self, key_id: int, cost: int) -> None:
        """Counts one request."""
        of = key_id, int(self._now()) // DAY
        spent = self._counting.spent.get(of)
        if spent is None:
            spent = self._counting.spent[of] = _Spent()
        spent.request_count += 1
        spent.cost += cost

    async def days(self, key_id: int, days: int) -> list[UsageDay]:
        """What was spent on the last days, today the first of them, newest first; days without use are left out.

        What other processes have not written yet is missing. Raises as the database does.
        """
        today = int(self._now()) // DAY
        row = await self._database.fetch_row(QUERIES["usage_days"], (key_id, _date(today - days)))
        assert row is not None
        found = {day: _Spent(*counts) for day, *counts in zip(*row, strict=True)}
        for batch in (self._counting, self._unwritten):
            for (key, day), spent in batch.spent.items() if batch else ():
                if key == key_id and today - days < day:
                    known = found.setdefault(_date(day), _Spent())
                    known.request_count += spent.request_count
                    known.cost += spent.cost
        return [UsageDay(day, spent.request_count, spent.cost) for day, spent in sorted(found.items(), reverse=True)]

    async def last_used_at(self, key_id: int) -> datetime | None:
        """When a key was last used, as far as is written down. Raises as the database does."""
        row = await self._database.fetch_row(QUERIES["key_last_used"], (key_id,))
        return row["last_used_at"] if row else None

    async def write(self) -> None:
        """Writes what was counted; what cannot be written is kept, and goes first the next time."""
        if self._unwritten is None and self._counting.spent:
            self._unwritten, self._counting = self._counting, _Batch()
            self._unwritten.ended_at = datetime.fromtimestamp(self._now(), UTC)
        if self._unwritten is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._write(self._unwritten)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._observe(UsageUnwritten(error))
        else:
            self._unwritten = None

    async def _write(self, batch: _Batch) -> None:
        # A connection for each batch: two or three a minute, and none that has to be watched.
        conn: Any = await asyncpg.connect(self._dsn, statement_cache_size=0)
        try:
            await conn.execute(QUERIES["write_usage"], batch.id, batch.ended_at, *batch.columns())
        finally:
            conn.terminate()

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.write()


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
