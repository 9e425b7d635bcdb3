"""Answers from the nearest place that has a true one: this process, Redis, and the database once, however many ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from math import inf
from typing import NamedTuple

from service.cache.entry import Entry, Filled, Kind
from service.cache.flight import Flight
from service.cache.given import Given
from service.cache.invalidation import Invalidation
from service.cache.local import LocalCache
from service.cache.shared import SharedCache
from service.errors import Unavailable
from service.events import CacheEntryUnreadable, Observer, RefreshFailed, ignore

Fill = Callable[[], Awaitable[Filled]]

MOST_FILLS = 3
"""An answer that a change overtook while it was made is made again, so often at most."""
LEAD = 0.4
"""Seconds for which other processes leave it to one to fill a key, each time it says that it is still at it."""
LONGEST_WAIT = 5.0
"""Seconds after which a process that waits for another makes the answer itself."""
LOOK_AGAIN = 0.01, 0.1
"""Seconds after which who waits for another process looks again: at first, and at most."""
SKEW = 0.5
"""Seconds by which the clocks of two processes may differ. What is said to be made later than that in the future may be
of any age."""


class Source(Enum):
    """Where an answer came from."""

    LOCAL = "local"
    SHARED = "shared"
    DATABASE = "database"

    # There is one of each: what an enum does to be found in a mapping takes longer than all else that is done with it.
    __hash__ = object.__hash__


_STATES = {Source.LOCAL: "memory", Source.SHARED: "redis", Source.DATABASE: "miss"}


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds. Lists are fresh for `list_fresh`, then served while one refreshes them for `list_stale` more.

    Pages are true until changes are told, but not kept longer than `page`; and changes are told if something was heard
    within `heard`: a process that was paused does not know what it has missed. Where the database is away, what is not
    older than `if_away` is served.
    """

    page: float = 60.0
    heard: float = 3.0
    list_fresh: float = 2.0
    list_stale: float = 30.0
    if_away: float = 600.0


class Answer(NamedTuple):
    """An entry with where it came from; `stale` where a newer one could not be had in time."""

    entry: Entry
    source: Source
    stale: bool
    age: float

    @property
    def state(self) -> str:
        """Where it came from, in a word: `memory`, `redis`, `miss`, or `stale`."""
        return "stale" if self.stale else _STATES[self.source]


class ResponseCache:
    """Never gives an answer older than one that it gave for the same key before."""

    def __init__(
        self,
        local: LocalCache,
        shared: SharedCache,
        lifetimes: Lifetimes,
        *,
        max_body_bytes: int,
        observe: Observer = ignore,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local = local
        self._shared = shared
        self._lifetimes = lifetimes
        self._max_body_bytes = max_body_bytes
        self._observe = observe
        self._now = now
        self._steady = steady
        self._invalidation = Invalidation()
        self._given = Given()
        self._flights: dict[bytes, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._informed_at = -inf

    # What the change feed tells ------------------------------------------------------------------------------

    def begin(self, floor: int, database: str) -> None:
        """From now on every change of transactions after that id is told, of the database of that identity.

        What was kept before may be of another database, or of a past that this one has lost.
        """
        self._local.clear()
        self._given.clear()
        self._invalidation.begin(floor)
        self._shared.begin(database)
        self.informed()

    def changed(self, tags: Iterable[str], by: int) -> None:
        """A transaction changed what the tags stand for; in the order in which the feed tells it."""
        self._invalidation.changed(tags, by)

    def uninformed(self) -> None:
        """Changes are not told for now: no page can be known to be true. Those missed are told before `informed`."""
        self._informed_at = -inf

    def informed(self) -> None:
        """All changes up to now have been told; to be said again and again."""
        self._informed_at = self._steady()

    @property
    def local(self) -> LocalCache:
        """What the process itself keeps."""
        return self._local

    # Answers -------------------------------------------------------------------------------------------------

    def at_hand(self, key: bytes) -> Answer | None:
        """The answer under the key, if the process has one that is fresh."""
        entry = self._local.get(key)
        if entry is None or not self._is_fresh(entry, age := self._age(entry)):
            return None
        # By position, as every hit comes by here: names take half as long again.
        return Answer(entry, Source.LOCAL, False, age)

    def ask_shared(self, key: bytes, then: Callable[[Answer | None], None]) -> bool:
        """Has `then` told the answer that another process keeps under the key, if it is fresh.

        False, with nobody asked, where there is something nearer, or where that cannot be had so. Nobody leads by it
        and no task is made for it, which is what makes it so much cheaper than `answer`.
        """
        if self._local.get(key) or key in self._flights:
            return False

        def told(packed: bytes | None) -> None:
            answer: Answer | None = None
            try:
                answer = self._arrived(key, packed)
            finally:  # whatever happens, somebody waits
                then(answer)

        return self._shared.ask(key, told)

    def _arrived(self, key: bytes, packed: bytes | None) -> Answer | None:
        found = self._unpacked(key, packed)
        return self.at_hand(key) or (self._adopted(key, found) if found else None)

    async def answer(self, key: bytes, fill: Fill, behind: Fill | None = None) -> Answer:
        """The answer under the key; `fill` makes it, of all that was committed before. Raises what `fill` raises.

        `behind` makes it of what may be older, which will do where nothing is known here that speaks against it.
        """
        if found := self.at_hand(key):
            return found
        entry = self._local.get(key)
        if entry is not None and self._is_passable(entry, age := self._age(entry)):
            self._refresh(key, fill, behind)
            return Answer(entry, Source.LOCAL, stale=True, age=age)
        return await self._flight(key, fill, behind).wait()

    def encoded(self, key: bytes, entry: Entry, encoding: str, compress: Callable[[bytes], bytes]) -> bytes:
        """The entry's body in an encoding or form, made once while there are not too many of them."""
        body = entry.encoded.get(encoding)
        if body is None:
            body = compress(entry.body)
            entry.add(encoding, body)
            if self._local.get(key) is entry:
                self._local.put(key, entry)
        return body

    def _age(self, entry: Entry) -> float:
        # The time of day may be set back, and the steady clock stands while the machine sleeps.
        return max(self._now() - entry.stored_at, self._steady() - entry.since)

    def _is_fresh(self, entry: Entry, age: float) -> bool:
        if entry.kind is Kind.LIST:
            return age < self._lifetimes.list_fresh and self._is_admitted(entry)
        return age < self._lifetimes.page and self._is_informed() and self._is_admitted(entry)

    def _is_informed(self) -> bool:
        return self._steady() - self._informed_at < self._lifetimes.heard

    def _is_admitted(self, entry: Entry | Filled) -> bool:
        """Whether no change is known that speaks against it; of a page, also whether each would be known."""
        if entry.kind is Kind.LIST:
            return not self._invalidation.contradicts(entry.tags, entry.as_of)
        return self._invalidation.admits(entry.tags, entry.as_of)

    def _is_passable(self, entry: Entry, age: float) -> bool:
        longest = self._lifetimes.list_fresh + self._lifetimes.list_stale
        return entry.kind is Kind.LIST and age < longest and self._is_admitted(entry)

    # One flight for all who ask meanwhile ----------------------------------------------------------------------

    def _flight(self, key: bytes, fill: Fill, behind: Fill | None) -> Flight:
        flight = self._flights.get(key)
        if flight is None:
            fetched = self._fetched(key, fill, behind)
            flight = self._flights[key] = Flight(fetched, partial(self._landed, key))
        return flight

    def _landed(self, key: bytes, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _refresh(self, key: bytes, fill: Fill, behind: Fill | None) -> None:
        if key not in self._flights:
            self._flight(key, fill, behind).forget(lambda error: self._observe(RefreshFailed(error)))

    async def _fetched(self, key: bytes, fill: Fill, behind: Fill | None) -> Answer:
        """From another process where one has it or is at making it, else made here."""
        packed, leads = await self._shared.get_or_lead(key, LEAD)
        found = self._unpacked(key, packed)
        pause, longest = LOOK_AGAIN
        end = self._steady() + LONGEST_WAIT
        while not (found and (answer := self._adopted(key, found))):
            if packed is not None and not leads:
                leads = await self._shared.lead(key, LEAD)
            if leads or self._steady() > end:
                return await self._filled(key, fill, behind, found, leads=leads)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
            packed, leads = await self._shared.get_or_lead(key, LEAD)
            found = self._unpacked(key, packed)
        return answer

    async def _filled(self, key: bytes, fill: Fill, behind: Fill | None, found: Entry | None, *, leads: bool) -> Answer:
        packed: bytes | None = None
        try:
            with self._holding(key) if leads else nullcontext():
                made = await self._made_behind(key, behind) if behind else None
                entry, admitted = (made, True) if made else await self._made(fill)
            self._given.note(key, entry)
            self._local.drop(key)
            if admitted:
                self._local.put(key, entry)
                packed = entry.packed()
            return Answer(entry, Source.DATABASE, stale=False, age=0.0)
        except Unavailable:
            if fallback := self._fallback(key, found):
                return fallback
            raise
        finally:
            self._later(self._share(key, packed, leads=leads))

    @contextmanager
    def _holding(self, key: bytes) -> Generator[None]:
        """Holds the lead while the block runs. One that is not held ends soon, so that others wait for nobody who has
        gone, nor for one who leads without knowing, because Redis told too late.
        """
        loop = asyncio.get_running_loop()

        def hold() -> None:
            nonlocal timer
            self._later(self._shared.hold(key, LEAD))
            timer = loop.call_later(LEAD / 3, hold)

        timer = loop.call_later(LEAD / 3, hold)
        try:
            yield
        finally:
            timer.cancel()

    async def _made_behind(self, key: bytes, behind: Fill) -> Entry | None:
        """A new entry, where nothing that was told, and no answer that was given, is known to be newer."""
        kept = self._local.get(key)
        if kept and not self._is_admitted(kept):  # a change has just made it untrue
            return None
        begun, began = self._invalidation.begun, (self._now(), self._steady())
        entry = Entry.of(await behind(), *began)
        is_true = begun == self._invalidation.begun and self._is_admitted(entry) and self._given.allows(key, entry)
        return entry if is_true else None

    async def _made(self, fill: Fill) -> tuple[Entry, bool]:
        """A new entry, and whether it may be kept: what changes overtake each time is for those only who wait."""
        for fills in range(1, MOST_FILLS + 1):
            told, begun = self._invalidation.told, self._invalidation.begun
            began = (self._now(), self._steady())
            filled = await fill()
            admitted = begun == self._invalidation.begun and self._is_admitted(filled)
            # A change that was told before is in the answer, though a transaction that is open longer hides that.
            if admitted or told == self._invalidation.told or fills == MOST_FILLS:
                return Entry.of(filled, *began), admitted
        raise AssertionError("the last fill is returned")

    async def _share(self, key: bytes, packed: bytes | None, *, leads: bool) -> None:
        if packed is not None:
            await self._shared.put(key, packed, round(self._lifetimes.if_away))
        if leads:
            await self._shared.released(key)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        """What nobody has to wait for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _unpacked(self, key: bytes, packed: bytes | None) -> Entry | None:
        if packed is None:
            return None
        entry = Entry.unpacked(packed, self._max_body_bytes)
        if entry is None:
            self._observe(CacheEntryUnreadable())
            return None
        age = self._now() - entry.stored_at
        if age < -SKEW or not self._given.allows(key, entry):
            return None
        entry.since = self._steady() - max(0.0, age)
        return entry

    def _adopted(self, key: bytes, entry: Entry) -> Answer | None:
        age = self._age(entry)
        if not self._is_fresh(entry, age):
            return None
        self._given.note(key, entry)
        self._local.put(key, entry)
        return Answer(entry, Source.SHARED, stale=False, age=age)

    def _fallback(self, key: bytes, found: Entry | None) -> Answer | None:
        for entry, source in ((self._local.get(key), Source.LOCAL), (found, Source.SHARED)):
            if entry is not None and (age := self._age(entry)) < self._lifetimes.if_away:
                self._given.note(key, entry)
                return Answer(entry, source, stale=True, age=age)
        return None
