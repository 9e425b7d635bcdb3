"""Changes for subscribers: each statement is run once for all who are told the same."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import suppress

from service.db.changes import Look
from service.db.pool import Database
from service.errors import OperationTimeout, Unavailable
from service.planner import Subscription, Told

PATIENCE = 3.0
"""Seconds that a subscriber waits for the feed to be heard at all, as after the start."""
MOST_READ = 64
"""Reads that are remembered for those who come to the same position a little later."""
REST = 1.0
"""Seconds after which a subscriber whose changes could not be read has them read again."""


class StoryChanges:
    """Follows the change feed and tells subscribers, each from its own position on: every change once, in order.

    A subscriber asks for what comes next when it has sent what came before, so a slow one holds nothing up and costs no
    memory: it is told more at a time. Those who stand at the same position share one statement.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.head: str | None = None
        """The cursor of the last change; None before the first is known."""
        self._moved = asyncio.Event()
        self._reads: OrderedDict[tuple[bytes, str, asyncio.Event], asyncio.Task[Told]] = OrderedDict()

    # What the feed tells -------------------------------------------------------------------------------------

    def begin(self, look: Look) -> None:
        self.heard(look)

    def heard(self, look: Look) -> None:
        if look.head != self.head:
            self.head = look.head
            self._moved.set()
            self._moved = asyncio.Event()

    def away(self) -> None:
        """Subscribers wait; what they miss is read when the feed is back."""

    # What subscribers are told -------------------------------------------------------------------------------

    async def follow(self, subscription: Subscription, after: str | None = None) -> AsyncGenerator[tuple[str, bytes]]:
        """The cursor and the response of each change, after a cursor where one is given, else from now on.

        Raises, before the first, what the first statement meets.
        """
        moved = self._moved
        position = after or subscription.after or await self._now()
        told = await self._read(subscription, position, moved)
        while True:
            for change in told.changes:
                yield change
            position = told.position
            if not told.has_more:
                await moved.wait()
            moved = self._moved
            told = await self._read_at_last(subscription, position, moved)

    async def _now(self) -> str:
        """Where one begins who asks for what comes from now on."""
        if self.head is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), PATIENCE)
        if self.head is None:
            raise Unavailable("Changes are not heard of yet. Try again in a moment.")
        return self.head

    async def _read_at_last(self, subscription: Subscription, position: str, moved: asyncio.Event) -> Told:
        while True:
            try:
                return await self._read(subscription, position, moved)
            except (Unavailable, OperationTimeout):
                await asyncio.sleep(REST)

    async def _read(self, subscription: Subscription, position: str, moved: asyncio.Event) -> Told:
        """What comes after a position; read once, until the feed moves on."""
        key = subscription.key, position, moved
        task = self._reads.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._reads[key] = asyncio.create_task(self._fetch(subscription, position))
            while len(self._reads) > MOST_READ:
                self._reads.popitem(last=False)
        return await asyncio.shield(task)

    async def _fetch(self, subscription: Subscription, position: str) -> Told:
        statement, parameters = subscription.at(position)
        record = await self._database.fetch_row(statement, parameters)
        assert record is not None
        return subscription.told(tuple(record))
