"""The change feed: tells this process of every change that was committed, soon, once, and whatever happened between.

NOTIFY only wakes it. What it tells comes from tables, compared by snapshots: all that its last look did not see and
this one does, in whatever order transactions commit. Connections that break, and a Postgres that starts again, cost
time only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

import asyncpg

from service.db.queries import QUERIES
from service.events import FeedBegun, FeedFound, FeedLost, ForgettingFailed, Observer, ignore
from service.within import Within

CHANNEL = "parallax_changes"
HEARTBEAT = 1.0
"""Seconds after which the feed looks though nobody woke it: so long, a connection that is dead may go unnoticed."""
PATIENCE = 2.0
"""Seconds that a look may take."""
SILENCE = HEARTBEAT + PATIENCE
"""Seconds after which who has heard of no look may have missed something."""
PENDING = 0.01, 0.2
"""Seconds until the next look where an open transaction holds changes back: at first, and at most."""
AGAIN = 0.1, 2.0
"""Seconds until the next attempt to connect: at first, and at most."""
BREATH = 0.002
"""Seconds between looks, in which the changes of many short transactions come together."""
FORGET_EVERY = 300.0
FORGET_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the feed told.

    `stories` were changed since the last look: pairs of transaction id and story key. `references` is the last
    transaction that changed what stories refer to, None where none did. `head` is the cursor of the last change in
    the feed's order; changes that are told here may be `pending` there. All transactions from `horizon` on are to come.

    For replicas: when `asked_at` was (of `time.monotonic`), the log of that `timeline` was `written` so far, in bytes.
    """

    database: str
    head: str
    pending: bool
    horizon: int
    stories: Sequence[tuple[int, int]] = ()
    references: int | None = None
    timeline: int = 0
    written: int = 0
    asked_at: float = 0.0


class Follower(Protocol):
    """Hears of changes. No call may raise or wait."""

    def begin(self, look: Look) -> None:
        """From that look on every change is told; nothing is known of what came before."""
        ...

    def heard(self, look: Look) -> None:
        """What has changed since the last look."""
        ...

    def away(self) -> None:
        """Nothing is heard for now. All that is missed will be told, or `begin` comes again."""
        ...


class ChangeFeed:
    """Follows the changes of the database at `dsn`, between `async with`, and tells its followers.

    Also forgets the changes that are older than `keep`. `dsn` must lead to Postgres itself: LISTEN does not pass
    through a pooler that lends connections for a transaction.
    """

    def __init__(self, dsn: str, followers: Sequence[Follower], keep: timedelta, observe: Observer = ignore) -> None:
        self._dsn = dsn
        self._followers = followers
        self._keep = keep
        self._observe = observe
        self._woken = asyncio.Event()
        self._snapshot: str | None = None
        self._database: str | None = None
        self._timeline: int | None = None
        self._hears = False
        self._tried = asyncio.Event()
        self._forget_at = 0.0
        self._looked_at = time.monotonic()

    async def __aenter__(self) -> Self:
        """Waits for the first look, for as long as one may take."""
        self._task = asyncio.create_task(self._run())
        with suppress(TimeoutError), Within(PATIENCE):
            await self._tried.wait()
        return self

    @property
    def hears(self) -> bool:
        """Whether changes are heard of now."""
        return self._hears

    @property
    def lag(self) -> float:
        """Seconds since the last look began: all is known that was committed before it."""
        return time.monotonic() - self._looked_at

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause, longest = AGAIN
        told = False
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - asyncpg has many ways to say it; the feed must outlive them all
                if self._hears or not told:
                    self._observe(FeedLost(error))
                    told, pause = True, AGAIN[0]
            self._hears = False
            self._tried.set()
            for follower in self._followers:
                follower.away()
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _follow(self) -> None:
        """Looks whenever it is woken, until the connection breaks."""
        conn: asyncpg.Connection[Any] = await asyncpg.connect(
            self._dsn,
            timeout=PATIENCE,
            server_settings={"application_name": "parallax feed", "timezone": "UTC", "jit": "off"},
        )
        try:
            conn.add_termination_listener(self._wake)
            await conn.add_listener(CHANNEL, self._wake)
            hold, longest = PENDING
            while True:
                self._woken.clear()
                look = await self._look(conn)
                await self._forget(conn)
                hold = min(2 * hold, longest) if look.pending else PENDING[0]
                await asyncio.sleep(BREATH)
                # Not wait_for, which before Python 3.12 forgets that it was cancelled where it is woken just then.
                with suppress(TimeoutError), Within(hold if look.pending else HEARTBEAT):
                    await self._woken.wait()
        finally:
            conn.terminate()

    def _wake(self, *_: object) -> None:
        self._woken.set()

    async def _look(self, conn: asyncpg.Connection[Any]) -> Look:
        asked_at = time.monotonic()
        row = await conn.fetchrow(QUERIES["changes_since"], self._snapshot, self._database, timeout=PATIENCE)
        assert row is not None
        look = Look(
            row["identity"],
            row["head"],
            row["pending"],
            row["horizon"],
            tuple(zip(row["xids"] or (), row["stories"] or (), strict=True)),
            row["reference_xid"],
            row["timeline"],
            row["written"],
            asked_at,
        )
        # A replica that has become the primary may lack what was told, and give its transaction ids to others.
        lost = row["lost"] or self._timeline not in {None, look.timeline}
        self._snapshot, self._database, self._timeline = row["snapshot"], look.database, look.timeline
        for follower in self._followers:
            if lost:
                follower.begin(look)
            else:
                follower.heard(look)
        if lost:
            self._observe(FeedBegun(look.database))
        elif not self._hears:
            self._observe(FeedFound())
        self._hears = True
        self._looked_at = asked_at
        self._tried.set()
        return look

    async def _forget(self, conn: asyncpg.Connection[Any]) -> None:
        """Forgets old changes now and then, some at a time, so that no look has to wait for long."""
        if time.monotonic() < self._forget_at:
            return
        # What fails in a way that nobody foresaw costs the connection, so it is not tried again at once.
        self._forget_at = time.monotonic() + FORGET_EVERY
        try:
            before = datetime.now(UTC) - self._keep
            forgotten = await conn.fetchval(QUERIES["forget_changes"], before, FORGET_AT_ONCE, timeout=10 * PATIENCE)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError) as error:
            self._observe(ForgettingFailed(error))
            return
        if forgotten == FORGET_AT_ONCE:
            self._forget_at = 0.0
