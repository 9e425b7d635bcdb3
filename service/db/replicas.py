"""Replicas: which of them may be read, and what is read there. Knows nothing of what is read.

A replica is behind, so what it answers may lack what is known here already. How far it may be behind is bounded here;
what an answer holds, it tells itself, by what it is as of.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import asyncpg

from service.db.batching import Batches
from service.db.changes import Look
from service.db.pool import AWAY, Away, Database
from service.db.queries import QUERIES
from service.db.state import place
from service.events import Observer, ReplicaLeft, ReplicaTaken, ignore
from service.settings import Settings
from service.within import Within

LOOK_EVERY = 0.5
"""Seconds between looks at a replica."""
PATIENCE = 1.0
"""Seconds that a look at a replica may take."""
MARK_EVERY = 0.1
"""Seconds between the moments of the primary's log that are remembered."""
MOST_MARKS = 6_000

UNKNOWN = "How far it follows is not known yet."
PRIMARY = "It is the primary itself."
UNREACHABLE = "It cannot be reached."
TAKES_WRITES = "It is no replica, but takes writes itself."
FOREIGN = "It is a replica of another database."
DIVERGED = "It has not followed the primary to its timeline."


def unfitness(state: asyncpg.Record, identity: str, timeline: int) -> str:
    """Why a server in that state cannot be read as a replica of that database on that timeline; empty where it can."""
    if state["identity"] != identity:
        return FOREIGN
    if not state["follows"]:
        return PRIMARY if state["timeline"] == timeline else TAKES_WRITES
    return DIVERGED if state["timeline"] != timeline else ""


class Log:
    """How far the primary's log was written when, as far as the change feed tells."""

    def __init__(self) -> None:
        self.identity: str | None = None
        self.timeline = 0
        self._marks: deque[tuple[int, float]] = deque(maxlen=MOST_MARKS)

    def begin(self, look: Look) -> None:
        """Another log, or a new timeline of it."""
        self.identity, self.timeline = look.database, look.timeline
        self._marks.clear()
        self.note(look)

    def note(self, look: Look) -> None:
        """What a look at the feed tells."""
        if not self._marks or look.asked_at - self._marks[-1][1] >= MARK_EVERY:
            self._marks.append((look.written, look.asked_at))

    def as_of(self, replayed: int) -> float | None:
        """A time (of `time.monotonic`): what was committed before it is where the log was replayed so far."""
        return next((at for written, at in reversed(self._marks) if written <= replayed), None)


class Replica:
    """One replica, which is left alone for as long as there is a `reason`. All else that is told here is for people."""

    def __init__(self, dsn: str, settings: Settings, observe: Observer) -> None:
        self.dsn = dsn
        self.database = Database(dsn, settings, observe)
        self.reason = UNKNOWN
        self.as_of: float | None = None
        """A time (of `time.monotonic`) before which all that was committed is there, as of the last look."""
        self.doubted = asyncio.Event()
        self._reads = Batches(self.database, settings)
        self._observe = observe
        self._readers: set[asyncio.Task[Any]] = set()
        self._sent_away: set[asyncio.Task[Any]] = set()

    @property
    def lag(self) -> float | None:
        """Seconds that it is behind at most; None where that is not known."""
        return None if self.as_of is None else time.monotonic() - self.as_of

    def take(self) -> None:
        """It may be read from now on."""
        if self.reason:
            self._observe(ReplicaTaken(place(self.dsn)))
        self.reason = ""

    def leave(self, reason: str) -> None:
        """It is not read any more."""
        if reason not in {self.reason, UNKNOWN, PRIMARY}:
            self._observe(ReplicaLeft(place(self.dsn), reason))
        self.reason = reason

    def send_away(self) -> None:
        """Those who are waiting for its answer have none to expect."""
        for reader in self._readers - self._sent_away:
            self._sent_away.add(reader)
            reader.cancel()

    async def fetch_row(self, statement: str, parameters: Sequence[Any], **how: Any) -> asyncpg.Record | None:
        """What `Batches.fetch_row` gives and raises; Away also where it is found out meanwhile that it is."""
        reader = asyncio.current_task()
        assert reader is not None
        self._readers.add(reader)
        try:
            return await self._reads.fetch_row(statement, parameters, **how)
        except asyncio.CancelledError:
            if reader in self._sent_away and reader.uncancel() == 0:
                raise Away(AWAY) from None
            raise
        except Away:
            self.doubted.set()
            raise
        finally:
            self._readers.discard(reader)
            self._sent_away.discard(reader)


class Replicas:
    """Reads from replicas in turn, of those that are fit; else, and where one fails, from the primary.

    A follower of the change feed. While that is not heard, nobody can tell whether a replica still follows the primary:
    it is read only where the primary is away, and for as long as what it was seen to have is not too old.
    """

    def __init__(self, primary: Batches, settings: Settings, observe: Observer = ignore) -> None:
        self._primary = primary
        self._timeout = settings.operation_timeout
        self._most_behind = settings.replica_lag_seconds
        self._replicas = [Replica(url.get_secret_value(), settings, observe) for url in settings.replica_urls]
        self._log = Log()
        self._hears = False
        self._turn = 0
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for replica in self._replicas:
            await self._open.enter_async_context(replica.database)
        self._tasks = [asyncio.create_task(self._watch(replica)) for replica in self._replicas]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._open.aclose()

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._replicas)

    # What the change feed tells ------------------------------------------------------------------------------

    def begin(self, look: Look) -> None:
        self._log.begin(look)
        self._hears = True
        for replica in self._replicas:
            replica.leave(UNKNOWN)
            replica.doubted.set()

    def heard(self, look: Look) -> None:
        self._log.note(look)
        self._hears = True

    def away(self) -> None:
        self._hears = False

    # Reads ---------------------------------------------------------------------------------------------------

    async def fetch_row(self, statement: str, parameters: Sequence[Any], **how: Any) -> asyncpg.Record | None:
        """What `Batches.fetch_row` gives and raises."""
        replica = self._next_fit()
        if replica is None:
            return await self._primary.fetch_row(statement, parameters, **how)
        first, second = (replica, self._primary) if self._hears else (self._primary, replica)
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            return await first.fetch_row(statement, parameters, **how)
        except Away:
            return await second.fetch_row(statement, parameters, **how, deadline=deadline)

    def _next_fit(self) -> Replica | None:
        for _ in self._replicas:
            self._turn = (self._turn + 1) % len(self._replicas)
            replica = self._replicas[self._turn]
            if not replica.reason and (lag := replica.lag) is not None and lag <= self._most_behind:
                return replica
        return None

    # Looks at replicas ---------------------------------------------------------------------------------------

    async def _watch(self, replica: Replica) -> None:
        while True:
            try:
                await self._look_at(replica)
            except Exception:  # noqa: BLE001 - asyncpg has many ways to say it
                replica.leave(UNREACHABLE)
                replica.send_away()
            await asyncio.sleep(LOOK_EVERY)

    async def _look_at(self, replica: Replica) -> None:
        """Looks now and then, and when there is doubt, until the connection breaks."""
        conn: asyncpg.Connection[Any] = await asyncpg.connect(
            replica.dsn,
            timeout=PATIENCE,
            statement_cache_size=0,
            server_settings={"application_name": "parallax replicas"},
        )
        conn.add_termination_listener(lambda _: replica.doubted.set())
        try:
            while True:
                replica.doubted.clear()
                state = await conn.fetchrow(QUERIES["replica_state"], timeout=PATIENCE)
                assert state is not None
                self._judge(replica, state)
                with suppress(TimeoutError), Within(LOOK_EVERY):
                    await replica.doubted.wait()
        finally:
            conn.terminate()

    def _judge(self, replica: Replica, state: asyncpg.Record) -> None:
        log = self._log
        if log.identity is None:
            replica.leave(UNKNOWN)
        elif reason := unfitness(state, log.identity, log.timeline):
            replica.leave(reason)
        else:
            replica.as_of = log.as_of(state["replayed"])
            if replica.lag is not None and replica.lag <= self._most_behind:
                replica.take()
            else:
                replica.leave(f"It is more than {self._most_behind:g} s behind.")
