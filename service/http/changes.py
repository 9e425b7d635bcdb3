"""Changes for subscribers: each statement is run once for all who are told the same."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from service.db.changes import Look
from service.db.pool import Database
from service.errors import OperationTimeout, Unavailable
from service.planner import Subscription, Told
from service.within import Within

PATIENCE = 3.0
"""Seconds that a subscriber waits for the feed to be heard at all, as after the start."""
MOST_READ = 64
"""Readings that are remembered for those who come to the same position a little later."""
REST = 1.0
"""Seconds after which a subscriber whose changes could not be read has them read again."""


Move = asyncio.Event
"""A step of the feed, set when it has been heard of."""


class _Reading:
    """What comes after a position, read once for all who wait for it, and no longer than somebody does."""

    def __init__(self, reading: Coroutine[Any, Any, tuple[Told, Move]]) -> None:
        self._waiting = 0
        self._done = asyncio.Event()
        self._task = asyncio.create_task(reading)
        self._task.add_done_callback(lambda _: self._done.set())

    @property
    def failed(self) -> bool:
        task = self._task
        return bool(task.cancelling() or (task.done() and (task.cancelled() or task.exception())))

    async def result(self) -> tuple[Told, Move]:
        # To wait for the task itself would have to be shielded, which for thousands costs more than to send to them.
        self._waiting += 1
        try:
            await self._done.wait()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task.cancel()
        return self._task.result()


class StoryChanges:
    """Follows the change feed and tells subscribers, each from its own position on: every change once, in order.

    A subscriber asks for what comes next when it has sent what came before, so a slow one holds nothing up and costs no
    memory: it is told more at a time. Those who stand at the same position share one statement, and wake once for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.head: str | None = None
        """The cursor of the last change; None before the first is known."""
        self._last_move, self._next_move = Move(), Move()
        self._last_move.set()
        self._readings: WeakValueDictionary[tuple[bytes, str, Move], _Reading] = WeakValueDictionary()
        self._remembered: deque[_Reading] = deque(maxlen=MOST_READ)

    # What the feed tells -------------------------------------------------------------------------------------

    def begin(self, look: Look) -> None:
        self.heard(look)

    def heard(self, look: Look) -> None:
        if look.head != self.head:
            self.head = look.head
            self._last_move, self._next_move = self._next_move, Move()
            self._last_move.set()

    def away(self) -> None:
        """Subscribers wait; what they miss is read when the feed is back."""

    # What subscribers are told -------------------------------------------------------------------------------

    async def follow(self, subscription: Subscription, after: str | None = None) -> AsyncGenerator[tuple[str, bytes]]:
        """The cursor and the response of each change, after a cursor where one is given, else from now on.

        Raises, before the first, what the first statement meets.
        """
        position = after or subscription.after or await self._now()
        told, move = await self._read(subscription, position, self._last_move)
        while True:
            for change in told.changes:
                yield change
            told, move = await self._read_at_last(
                subscription, told.position, self._last_move if told.has_more else move
            )

    async def _now(self) -> str:
        """Where one begins who asks for what comes from now on."""
        if self.head is None:
            with suppress(TimeoutError), Within(PATIENCE):
                await self._next_move.wait()
        if self.head is None:
            raise Unavailable("Changes are not heard of yet. Try again in a moment.")
        return self.head

    async def _read_at_last(self, subscription: Subscription, position: str, move: Move) -> tuple[Told, Move]:
        while True:
            try:
                return await self._read(subscription, position, move)
            except (Unavailable, OperationTimeout):
                await asyncio.sleep(REST)

    async def _read(self, subscription: Subscription, position: str, move: Move) -> tuple[Told, Move]:
        """What comes after a position once that move was heard of; and the next move that may bring more."""
        key = subscription.key, position, move
        reading = self._readings.get(key)
        if reading is None or reading.failed:
            reading = self._readings[key] = _Reading(self._fetch(subscription, position, move))
            self._remembered.append(reading)
        return await reading.result()

    async def _fetch(self, subscription: Subscription, position: str, move: Move) -> tuple[Told, Move]:
        await move.wait()
        # Of what is heard of from here on, the statement may know nothing.
        next_move = self._next_move
        statement, parameters = subscription.at(position)
        record = await self._database.fetch_row(statement, parameters)
        assert record is not None
        return subscription.told(tuple(record)), next_move
