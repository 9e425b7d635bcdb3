"""Answers from the nearest place that has a true one."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.cache import Answer, Entry, Filled, Kind, Lifetimes, LocalCache, NothingShared, ResponseCache, Source
from service.cache.entry import MOST_FORMS
from service.cache.flight import Flight
from service.errors import Unavailable
from service.events import CacheEntryUnreadable, Event, RefreshFailed

KEY = b"key"
TIMES = Lifetimes(page=300, heard=3_000, list_fresh=2, list_stale=30, if_away=600)


@dataclass
class Clock:
    """Seconds that pass when told to."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Database:
    """Something to fill from: a number that transactions change. `gate` holds a reading between snapshot and end."""

    xid: int = 100
    value: int = 0
    reads: int = 0
    kind: Kind = Kind.PAGE
    away: bool = False
    gate: asyncio.Event | None = None
    telling: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def fill(self) -> Filled:
        self.reads += 1
        if self.away:
            raise Unavailable("The database cannot be reached.")
        seen = Filled(self.kind, b"%d" % self.value, self.xid, ("story:1",) if self.kind is Kind.PAGE else ())
        if self.gate is not None:
            await self.gate.wait()
        else:
            await asyncio.sleep(0)
        return seen

    def change(self) -> int:
        """Commits a change; the id of its transaction."""
        self.value += 1
        self.xid += 1
        return self.xid - 1


@dataclass
class Memory(NothingShared):
    """A second level that several caches of a test share. `gate` holds what was read by `ask`."""

    kept: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    leading: set[bytes] = field(default_factory=set[bytes])
    gate: asyncio.Event | None = None
    telling: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def ask(self, key: bytes, then: Callable[[bytes | None], None]) -> bool:
        found = self.kept.get(key)

        async def tell() -> None:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
            then(found)

        self.telling.append(asyncio.create_task(tell()))
        return True

    async def get_or_lead(self, key: bytes, seconds: float) -> tuple[bytes | None, bool]:
        await asyncio.sleep(0)
        return (self.kept[key], False) if key in self.kept else (None, await self.lead(key, seconds))

    async def lead(self, key: bytes, seconds: float) -> bool:  # noqa: ARG002
        leads = key not in self.leading
        self.leading.add(key)
        return leads

    async def released(self, key: bytes) -> None:
        self.leading.discard(key)

    async def put(self, key: bytes, value: bytes, seconds: int) -> None:  # noqa: ARG002
        self.kept[key] = value


@dataclass
class World:
    """Processes that answer from one database."""

    clock: Clock = field(default_factory=Clock)
    steady: Clock | None = None
    """Where it is not the same as `clock`."""
    database: Database = field(default_factory=Database)
    shared: NothingShared = field(default_factory=Memory)
    events: list[Event] = field(default_factory=list[Event])

    def process(self, floor: int = 0, room: int = 1_000_000) -> ResponseCache:
        cache = ResponseCache(
            LocalCache(room),
            self.shared,
            TIMES,
            max_body_bytes=1_000_000,
            observe=self.events.append,
            now=self.clock,
            steady=self.steady or self.clock,
        )
        cache.begin(floor, "this")
        return cache

    async def ask(self, cache: ResponseCache) -> tuple[bytes, Source, bool]:
        answer = await cache.answer(KEY, self.database.fill)
        await settled()
        return answer.entry.body, answer.source, answer.stale


async def settled() -> None:
    """Lets what nobody waits for end."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_page_is_made_once_and_kept_until_it_changes() -> None:
    world = World()
    cache = world.process()
    assert await world.ask(cache) == (b"0", Source.DATABASE, False)
    world.clock.seconds += 100
    assert await world.ask(cache) == (b"0", Source.LOCAL, False)
    cache.changed(["story:1"], world.database.change())
    assert await world.ask(cache) == (b"1", Source.DATABASE, False)
    cache.changed(["story:2"], world.database.change())
    assert await world.ask(cache) == (b"1", Source.LOCAL, False)
    assert world.database.reads == 2


async def test_who_asks_at_once_waits_for_one_statement() -> None:
    world = World()
    cache = world.process()
    answers = await asyncio.gather(*(cache.answer(KEY, world.database.fill) for _ in range(1_000)))
    assert {answer.entry.body for answer in answers} == {b"0"}
    assert world.database.reads == 1


async def test_processes_that_ask_at_once_wait_for_one_statement_and_take_it_from_what_they_share() -> None:
    world = World()
    one, other = world.process(), world.process()
    world.database.gate = asyncio.Event()
    asked = [asyncio.create_task(cache.answer(KEY, world.database.fill)) for cache in (one, other)]
    await settled()
    world.database.gate.set()
    sources = {(await each).source for each in asked}
    assert sources == {Source.DATABASE, Source.SHARED}
    assert world.database.reads == 1


async def test_a_change_that_overtakes_a_fill_has_it_made_again() -> None:
    world = World()
    cache = world.process()
    gate = world.database.gate = asyncio.Event()
    asked = asyncio.create_task(cache.answer(KEY, world.database.fill))
    await settled()
    world.database.gate = None
    cache.changed(["story:1"], world.database.change())
    gate.set()
    assert (await asked).entry.body == b"1"
    assert world.database.reads == 2


async def test_what_another_process_made_before_a_change_is_not_taken() -> None:
    world = World()
    one, other = world.process(), world.process()
    assert await world.ask(one) == (b"0", Source.DATABASE, False)
    other.changed(["story:1"], world.database.change())
    assert await world.ask(other) == (b"1", Source.DATABASE, False)
    one.changed(["story:1"], world.database.xid - 1)
    assert await world.ask(one) == (b"1", Source.SHARED, False)


async def test_what_was_made_before_a_process_began_is_not_taken_for_it_cannot_know_what_changed_since() -> None:
    world = World()
    assert await world.ask(world.process()) == (b"0", Source.DATABASE, False)
    world.database.change()
    late = world.process(floor=world.database.xid)
    world.database.change()
    assert await world.ask(late) == (b"2", Source.DATABASE, False)


async def test_without_news_of_changes_no_page_is_taken_for_true() -> None:
    world = World()
    cache = world.process()
    await world.ask(cache)
    cache.uninformed()
    world.database.change()
    assert await world.ask(cache) == (b"1", Source.DATABASE, False)
    cache.changed(["story:1"], world.database.xid - 1)
    cache.informed()
    assert await world.ask(cache) == (b"1", Source.LOCAL, False)


async def test_a_process_that_was_paused_gives_no_page_before_it_has_heard_of_changes_again() -> None:
    world = World()
    cache = world.process()
    await world.ask(cache)
    world.database.change()
    world.clock.seconds += TIMES.heard
    world.database.change()
    assert await world.ask(cache) == (b"2", Source.DATABASE, False)
    cache.informed()
    assert await world.ask(cache) == (b"2", Source.LOCAL, False)


async def test_a_clock_that_is_set_back_makes_no_list_younger() -> None:
    world = World(steady=Clock(), database=Database(kind=Kind.LIST))
    cache = world.process()
    await world.ask(cache)
    world.clock.seconds -= 3_600
    assert world.steady
    world.steady.seconds += 2.1
    assert await world.ask(cache) == (b"0", Source.LOCAL, True)


async def test_what_comes_from_a_clock_that_is_ahead_is_not_taken() -> None:
    world = World(database=Database(kind=Kind.LIST))
    await world.ask(world.process())
    world.clock.seconds -= 3_600
    world.database.change()
    assert await world.ask(world.process()) == (b"1", Source.DATABASE, False)


async def test_a_list_is_as_old_as_its_reading_however_long_the_answer_was_on_its_way() -> None:
    world = World(database=Database(kind=Kind.LIST, gate=asyncio.Event()))
    cache = world.process()
    asking = asyncio.create_task(world.ask(cache))
    await settled()
    world.clock.seconds += 2.1
    assert world.database.gate
    world.database.gate.set()
    await asking
    assert await world.ask(cache) == (b"0", Source.LOCAL, True)


async def test_a_list_is_fresh_for_its_time_then_given_while_one_refreshes_it() -> None:
    world = World(database=Database(kind=Kind.LIST))
    cache = world.process()
    assert await world.ask(cache) == (b"0", Source.DATABASE, False)
    world.database.change()
    world.clock.seconds += 1.9
    assert await world.ask(cache) == (b"0", Source.LOCAL, False)
    world.clock.seconds += 0.2
    assert await world.ask(cache) == (b"0", Source.LOCAL, True)
    assert await world.ask(cache) == (b"1", Source.LOCAL, False)
    world.clock.seconds += 33
    world.database.change()
    assert await world.ask(cache) == (b"2", Source.DATABASE, False)


async def test_a_list_never_comes_older_than_it_was_given() -> None:
    world = World(database=Database(kind=Kind.LIST))
    one, other = world.process(), world.process()
    await world.ask(one)
    old = dict(world.shared.kept) if isinstance(world.shared, Memory) else {}
    world.database.change()
    world.clock.seconds += 40
    assert (await world.ask(other))[0] == b"1"
    assert isinstance(world.shared, Memory)
    world.shared.kept.update(old)
    world.clock.seconds -= 39
    fresh = world.process()
    assert (await world.ask(fresh))[0] == b"0", "nothing newer was given by this process"
    world.clock.seconds += 72
    world.shared.kept.update(old)
    assert (await world.ask(other))[0] == b"1"


@pytest.mark.parametrize("kind", Kind)
async def test_what_is_kept_goes_on_marked_stale_while_the_database_is_away(kind: Kind) -> None:
    world = World(database=Database(kind=kind))
    cache = world.process()
    await world.ask(cache)
    world.database.away = True
    cache.uninformed()
    world.clock.seconds += 60
    assert await world.ask(cache) == (b"0", Source.LOCAL, True)
    other = world.process()
    other.uninformed()
    assert (await world.ask(other))[:2] == (b"0", Source.SHARED)
    world.clock.seconds += TIMES.if_away
    with pytest.raises(Unavailable):
        await world.ask(cache)


async def test_a_refresh_that_fails_is_told_and_hurts_nobody() -> None:
    world = World(database=Database(kind=Kind.LIST))
    cache = world.process()
    await world.ask(cache)
    world.clock.seconds += 5

    async def broken() -> Filled:
        raise ValueError("broken")

    assert (await cache.answer(KEY, broken)).stale
    await settled()
    assert [type(event) for event in world.events] == [RefreshFailed]


async def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    world = World()
    cache = world.process()
    world.database.away = True
    failed = await asyncio.gather(*(cache.answer(KEY, world.database.fill) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in failed] == [Unavailable] * 3
    world.database.away = False
    await settled()
    assert await world.ask(cache) == (b"0", Source.DATABASE, False)


async def test_a_statement_is_given_up_when_the_last_who_waited_has_left_and_not_before() -> None:
    world = World()
    cache = world.process()
    world.database.gate = asyncio.Event()
    first, second = (asyncio.create_task(cache.answer(KEY, world.database.fill)) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    world.database.gate.set()
    assert (await second).entry.body == b"0"

    cancelled = asyncio.Event()
    cache = world.process(floor=world.database.xid)

    async def long() -> Filled:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("never")

    last = asyncio.create_task(cache.answer(KEY, long))
    await settled()
    last.cancel()
    await settled()
    assert cancelled.is_set()
    world.database.gate = None
    assert (await world.ask(cache))[0] == b"0", "who comes after it is not given what was given up"


@pytest.mark.parametrize("garbage", [b"", b"{}\n", b"\xff" * 50, None], ids=["empty", "no head", "noise", "cut short"])
async def test_garbage_among_what_is_shared_is_told_and_made_anew(garbage: bytes | None) -> None:
    world = World()
    await world.ask(world.process())
    assert isinstance(world.shared, Memory)
    world.shared.kept[KEY] = world.shared.kept[KEY][:-3] if garbage is None else garbage
    assert await world.ask(world.process()) == (b"0", Source.DATABASE, False)
    assert [type(event) for event in world.events] == [CacheEntryUnreadable]
    assert await world.ask(world.process()) == (b"0", Source.SHARED, False)


async def with_a_page() -> tuple[LocalCache, ResponseCache, Entry]:
    """What a process keeps, its cache, and the one page that is in it."""
    local = LocalCache(1_000_000)
    cache = ResponseCache(local, NothingShared(), TIMES, max_body_bytes=1_000_000)
    cache.begin(0, "this")

    async def fill() -> Filled:
        return Filled(Kind.PAGE, b"x" * 1_000, 5, ("story:1",))

    return local, cache, (await cache.answer(KEY, fill)).entry


async def test_a_body_is_compressed_once_and_its_bytes_are_counted() -> None:
    local, cache, entry = await with_a_page()
    before, calls = local.bytes, list[bytes]()

    def compress(body: bytes) -> bytes:
        calls.append(body)
        return b"small"

    assert cache.encoded(KEY, entry, "br", compress) == cache.encoded(KEY, entry, "br", compress) == b"small"
    assert len(calls) == 1
    assert local.bytes == before + len(b"small")


async def test_an_entry_does_not_grow_by_however_many_forms_are_asked_for() -> None:
    """Callers name the hosts that links of a form lead to: they must not drive out what others ask for."""
    local, cache, entry = await with_a_page()
    before, made = local.bytes, list[int]()

    def form(number: int) -> bytes:
        def make(_: bytes) -> bytes:
            made.append(number)
            return b"%1000d" % number

        return cache.encoded(KEY, entry, f"form {number}", make)

    for number in range(200):
        assert form(number) == b"%1000d" % number
    assert len(entry.encoded) == MOST_FORMS
    assert local.get(KEY) is entry
    assert local.bytes == before + MOST_FORMS * 1_000
    for number in (199, 200 - MOST_FORMS, 0):
        assert form(number) == b"%1000d" % number
    assert made == [*range(200), 0], "the latest are kept, the others made again"


async def test_no_answer_is_older_than_one_before_it_whatever_happens_meanwhile() -> None:
    """Random changes, told late and in order, over three processes that ask at random."""
    world = World()
    caches = [world.process() for _ in range(3)]
    told = [0, 0, 0]
    log: list[int] = []
    numbers = iter(range(1_000_000))

    def dice(n: int) -> int:
        return (next(numbers) * 2_654_435_761 >> 7) % n

    async def writer() -> None:
        for _ in range(300):
            log.append(world.database.change())
            await asyncio.sleep(0)

    async def teller(which: int) -> None:
        while told[which] < 300:
            for _ in range(dice(6)):
                await asyncio.sleep(0)
            for by in log[told[which] :]:
                caches[which].changed(["story:1"], by)
            told[which] = len(log)

    async def reader(which: int) -> None:
        last = -1
        for _ in range(400):
            known = log[told[which] - 1] if told[which] else 0
            answer = await caches[which].answer(KEY, world.database.fill)
            value = int(answer.entry.body)
            assert value >= last, "older than one given before"
            assert value >= known - 99, "older than a change that the process had been told"
            last = value

    work: list[Awaitable[None]] = [writer(), *(teller(n) for n in range(3)), *(reader(n % 3) for n in range(12))]
    await asyncio.gather(*work)


def test_an_entry_comes_out_as_it_went_in() -> None:
    entry = Entry.of(Filled(Kind.PAGE, "Straße".encode() * 100, 2**40, ("story:1", "reference")), 12.5, 0.0)
    assert Entry.unpacked(entry.packed(), 10_000) == entry
    assert Entry.unpacked(entry.packed(), 100) is None, "larger than any answer may be"


def test_an_entry_that_is_not_whole_does_not_come_out() -> None:
    packed = Entry.of(Filled(Kind.PAGE, bytes(range(256)), 2**40, ("story:1",)), 12.5, 0.0).packed()
    for at in (*range(packed.index(b"\n") + 1), packed.index(b"\n") + 20):
        for bit in range(8):
            damaged = packed[:at] + bytes([packed[at] ^ 1 << bit]) + packed[at + 1 :]
            assert Entry.unpacked(damaged, 10_000) is None, damaged
    assert Entry.unpacked(packed[:-1], 10_000) is None


async def shared(cache: ResponseCache) -> Answer | None:
    """What another process keeps; None too where nobody was asked."""
    told: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
    return await told if cache.ask_shared(KEY, told.set_result) else None


async def test_what_another_process_keeps_is_had_without_leading_while_it_is_true() -> None:
    world = World()
    one, other = world.process(), world.process()
    assert await shared(other) is None
    await world.ask(one)
    found = await shared(other)
    assert found
    assert (found.entry.body, found.source, found.stale) == (b"0", Source.SHARED, False)
    assert isinstance(world.shared, Memory)
    assert not world.shared.leading
    assert other.at_hand(KEY), "from now on it is here"
    third = world.process()
    third.changed(("story:1",), world.database.change())
    assert await shared(third) is None


async def test_what_another_process_keeps_is_not_given_where_it_is_older_than_what_was_given() -> None:
    world = World()
    one, other = world.process(), world.process(room=0)
    await world.ask(one)
    assert isinstance(world.shared, Memory)
    old = dict(world.shared.kept)
    assert await shared(other)
    world.shared.kept.clear()
    world.database.change()
    assert (await world.ask(other))[0] == b"1"
    world.shared.kept.update(old)
    assert await shared(other) is None


async def test_who_looks_for_what_another_process_keeps_gets_what_came_here_meanwhile() -> None:
    world = World()
    one, other = world.process(), world.process()
    await world.ask(one)
    assert isinstance(world.shared, Memory)
    world.shared.gate = asyncio.Event()
    looking = asyncio.create_task(shared(other))
    await settled()
    world.shared.kept.clear()
    world.database.change()
    assert (await world.ask(other))[0] == b"1"
    world.shared.gate.set()
    found = await looking
    assert found
    assert found.entry.body == b"1"


async def test_nothing_of_a_fetch_stays_until_python_looks_for_it() -> None:
    async def fetch() -> Any:
        await asyncio.sleep(0)
        raise Unavailable("away")

    landed: list[object] = []
    flight = Flight(fetch(), landed.append)
    gc.disable()
    try:
        with pytest.raises(Unavailable):
            await flight.wait()
        await settled()
        assert landed.pop() is flight
        gone = weakref.ref(flight)
        del flight
        assert gone() is None
    finally:
        gc.enable()
