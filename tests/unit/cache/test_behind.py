"""Answers that are made of what may be older than what is known here, as a replica's are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from service.cache import Filled, Kind, Lifetimes, LocalCache, NothingShared, ResponseCache

KEY = b"key"
OTHER = b"other"


@dataclass
class Place:
    """Something to fill from, which has seen so much. `gate` holds a reading between snapshot and end."""

    value: int = 0
    as_of: int = 100
    kind: Kind = Kind.PAGE
    reads: int = 0
    gate: asyncio.Event | None = None

    async def fill(self) -> Filled:
        self.reads += 1
        seen = Filled(self.kind, b"%d" % self.value, self.as_of, ("story:1",) if self.kind is Kind.PAGE else ())
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        return seen


@dataclass
class World:
    """A primary, a replica, and a process that answers from both. `room` is for how much it keeps."""

    kind: Kind = Kind.PAGE
    room: int = 1_000_000
    seconds: float = 1_000.0
    primary: Place = field(init=False)
    replica: Place = field(init=False)
    cache: ResponseCache = field(init=False)

    def __post_init__(self) -> None:
        self.primary, self.replica = Place(kind=self.kind), Place(kind=self.kind)
        self.cache = ResponseCache(
            LocalCache(self.room), NothingShared(), Lifetimes(), max_body_bytes=1_000, now=lambda: self.seconds
        )
        self.cache.begin(0, "this")

    def change(self, *, told: bool = True) -> None:
        """Commits a change on the primary, which the process is told of or not yet; the replica does not have it."""
        self.primary.value += 1
        self.primary.as_of += 1
        if told:
            self.cache.changed(["story:1"], self.primary.as_of - 1)

    def follow(self) -> None:
        """The replica gets all that the primary has."""
        self.replica.value, self.replica.as_of = self.primary.value, self.primary.as_of

    async def ask(self) -> bytes:
        answer = await self.cache.answer(KEY, self.primary.fill, self.replica.fill)
        return answer.entry.body

    @property
    def reads(self) -> tuple[int, int]:
        """Of the primary, of the replica."""
        return self.primary.reads, self.replica.reads


async def test_what_a_replica_answers_is_kept_like_any_answer() -> None:
    world = World()
    assert [await world.ask() for _ in range(3)] == [b"0"] * 3
    assert world.reads == (0, 1)


async def test_what_a_change_made_untrue_is_made_anew_by_the_primary() -> None:
    world = World()
    await world.ask()
    world.change()
    assert [await world.ask() for _ in range(3)] == [b"1"] * 3
    assert world.reads == (1, 1)


async def test_a_fill_is_never_older_than_the_change_that_purged_though_nothing_is_kept_that_shows_it() -> None:
    world = World()
    world.change()
    assert await world.ask() == b"1"
    assert world.reads == (1, 1), "the replica was asked first, and its answer was too old"
    world.change()
    world.follow()
    world.cache.begin(world.primary.as_of - 1, "this")
    assert await world.ask() == b"2"
    assert world.reads == (1, 2)


async def test_a_change_that_overtakes_the_fill_of_a_replica_has_it_made_by_the_primary() -> None:
    world = World()
    gate = world.replica.gate = asyncio.Event()
    asked = asyncio.create_task(world.ask())
    await asyncio.sleep(0.01)
    world.change()
    gate.set()
    assert await asked == b"1"


async def test_no_answer_is_older_than_one_that_was_given_before_though_its_change_is_not_told_yet() -> None:
    world = World(room=0)
    world.change()
    assert await world.ask() == b"1"
    world.change(told=False)
    world.replica.value, world.replica.as_of = 0, 90
    assert await world.ask() == b"2"
    world.replica.value, world.replica.as_of = 1, world.primary.as_of
    assert await world.ask() == b"2", "of two that are as of the same transaction either may be the older"
    world.follow()
    assert await world.ask() == b"2"
    assert world.reads == (3, 4)


async def test_a_list_comes_no_older_than_it_was_given_from_whichever_replica() -> None:
    world = World(kind=Kind.LIST)
    world.replica.as_of, world.replica.value = 100, 7
    assert await world.ask() == b"7"
    world.seconds += 100
    world.primary.as_of, world.primary.value = 110, 8
    world.replica.as_of, world.replica.value = 95, 6
    assert await world.ask() == b"8"
    world.seconds += 100
    world.replica.as_of, world.replica.value = 120, 9
    assert await world.ask() == b"9"


async def test_what_was_on_its_way_when_a_new_history_began_is_not_kept() -> None:
    world = World()
    gate = world.replica.gate = asyncio.Event()
    world.replica.as_of, world.replica.value = 500, 99
    asked = asyncio.create_task(world.ask())
    await asyncio.sleep(0.01)
    world.cache.begin(100, "that")
    world.primary.as_of = 110
    gate.set()
    assert await asked == b"0"
    world.replica.gate = None
    assert await world.ask() == b"0"
