"""Writes what a load comes to: in batches, each one transaction, one load's batch at a time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any

import asyncpg

from service.db.queries import named_statements
from service.load.events import BatchWritten, WritingBegan
from service.load.resolving import CIRCLE, Connection, close_circles
from service.load.resolving import STATEMENTS as RESOLVING
from service.load.tally import Tally

LOCK = 0x9A7A110A  # any number; the same for every load, and not the migrators'
ATTEMPTS = 10
STATEMENTS = named_statements((files("service.load") / "writing.sql").read_text(encoding="utf-8"))

OVERTAKEN = "another load removed the story meanwhile; load the line again"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How things of a type are written. Of the keys that the statements return, those of the first are created."""

    type: str
    size: int
    """So many in a batch; 0 for all at once."""
    creating: tuple[str, ...]
    changing: tuple[str, ...]


TOPICS = _Kind("topic", 0, ("insert_topics",), ("update_topics",))
PLACES = _Kind("place", 0, ("insert_places",), ("update_places",))
OUTLETS = _Kind(
    "outlet",
    2_000,
    ("insert_outlets",),
    ("update_outlets", "delete_ratings", "write_ratings", "delete_owners", "write_owners"),
)
STORIES = _Kind(
    "story",
    5_000,
    ("insert_stories", "match_stories", "count_created_stories"),
    (
        "update_stories",
        "delete_perspectives",
        "write_perspectives",
        "delete_story_topics",
        "write_story_topics",
        "delete_story_places",
        "write_story_places",
    ),
)
FATES = 200
ARTICLES = 20_000
"""So many in a batch."""


@dataclass(slots=True)
class _Outcome:
    """What a transaction did, by type of line; booked once it has committed."""

    created: Counter[str] = field(default_factory=Counter[str])
    updated: Counter[str] = field(default_factory=Counter[str])
    overtaken: list[int] = field(default_factory=list[int])
    circles: list[int] = field(default_factory=list[int])


class Writer:
    """Writes the net effect that resolving has left in the session's own tables."""

    def __init__(self, conn: Connection, tally: Tally) -> None:
        self._conn = conn
        self._tally = tally
        self._done = 0
        self._total = 0

    async def write(self) -> None:
        """All of it. What is new comes before what refers to it; a story's end before the articles that outlive it."""
        await self._conn.execute(STATEMENTS["create_batches"])
        work = (await self._conn.fetch(STATEMENTS["count_work"]))[0]
        self._total = sum(work.values())
        self._tally.observer(WritingBegan(self._total))
        await self._in_transaction(self._write_topics)
        await self._in_transaction(lambda: self._write_kind(PLACES))
        for kind, count in ((OUTLETS, work["outlets"]), (STORIES, work["stories"])):
            await self._in_batches(count, kind.size, partial(self._write_kind, kind))
        await self._conn.execute(STATEMENTS["name_stories"])
        await self._in_batches(work["fates"], FATES, self._write_fates)
        await self._in_batches(work["articles"], ARTICLES, self._write_articles)

    async def _in_batches(self, count: int, size: int, write: Callable[[int, int], Awaitable[_Outcome]]) -> None:
        for first in range(1, count + 1, size):
            last = min(first + size - 1, count)
            await self._in_transaction(partial(write, first, last))
            self._done += last - first + 1
            self._tally.observer(BatchWritten(self._done, self._total))

    async def _in_transaction(self, write: Callable[[], Awaitable[_Outcome]]) -> None:
        """Whoever writes and is no load does not take our lock, so one of us may have to try again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._conn.transaction():
                    await self._conn.execute(STATEMENTS["lock_loads"], LOCK)
                    outcome = await write()
            except asyncpg.TransactionRollbackError:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0, 0.1 * attempt))  # noqa: S311 - only keeps two writers apart
            else:
                self._book(outcome)
                return

    def _book(self, outcome: _Outcome) -> None:
        for kind in outcome.created.keys() | outcome.updated.keys():
            self._tally.count(kind, created=outcome.created[kind], updated=outcome.updated[kind])
        for line in outcome.circles:
            self._tally.refuse_accepted(line, "parent", CIRCLE, "topic")
        for line in outcome.overtaken:
            self._tally.refuse_accepted(line, "story", OVERTAKEN, "article")

    async def _write_topics(self) -> _Outcome:
        # Another load may have moved topics since, so that a circle closes only now.
        circles = await close_circles(self._conn)
        await self._conn.execute(RESOLVING["fold_topics"])
        outcome = await self._write_kind(TOPICS)
        outcome.circles = circles
        return outcome

    async def _write_kind(self, kind: _Kind, *places: int) -> _Outcome:
        created = {key for name in kind.creating for key in await self._keys(name, *places)}
        changed = {key for name in kind.changing for key in await self._keys(name, *places)}
        return _Outcome(Counter({kind.type: len(created)}), Counter({kind.type: len(changed - created)}))

    async def _write_fates(self, first: int, last: int) -> _Outcome:
        await self._keys("match_fates", first, last)
        merged = await self._keys("merge_stories")
        # Articles that go elsewhere than their story have the negated place of its fate.
        outcome = await self._write_articles(-last, -first)
        await self._keys("move_articles")
        await self._keys("delete_story_articles")
        removed = await self._keys("remove_stories")
        for name in ("remove_perspectives", "remove_story_topics", "remove_story_places"):
            await self._keys(name)
        outcome.updated["merge"] += len(merged)
        outcome.updated["remove"] += len(removed)
        return outcome

    async def _write_articles(self, first: int, last: int) -> _Outcome:
        await self._keys("match_articles", first, last)
        removed = await self._keys("delete_articles")
        created = await self._keys("insert_articles")
        updated = await self._keys("update_articles")
        return _Outcome(
            Counter(article=len(created)),
            Counter(article=len(updated), remove=sum(removed)),
            overtaken=await self._keys("refuse_overtaken"),
        )

    async def _keys(self, name: str, *places: int) -> list[Any]:
        """The first column of what a statement returns; `places` go to those that choose the batch."""
        statement = STATEMENTS[name]
        return [row[0] for row in await self._conn.fetch(statement, *(places if "$1" in statement else ()))]
