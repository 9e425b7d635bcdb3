"""The steady load: readers of each process, a writer, subscribers; and what became of all that they asked."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import asyncpg
import orjson

from bench.asking import Broken, Client, graphql_path, patiently
from bench.chaos.judging import Judge, Kind, Outcome, Question, Seen
from bench.driving import Unusable
from bench.following import Follower, by_events, by_socket
from bench.freshness import PAGE, STORIES
from bench.history import History

READERS = (Kind.PAGE, Kind.PAGE, Kind.LIST, Kind.RARE)
"""Of each process."""
REST = 0.03
WRITE_EVERY = 0.1
FOLLOWERS = (by_socket, by_socket, by_events, by_events)
CATCH_UP = 10.0
LIST = "{ stories(first: 20) { nodes { id title } } }"
HEAD = "{ changes(first: 0) { headCursor } }"
CHANGES = "query($after: String) { changes(after: $after, first: 100) { changes { cursor } endCursor hasMore } }"
WRITE = "update stories set title = 'Story ' || $1::int where id = $2 and substr(title, 7)::int < $1"
"""A write that was given up may still come to pass: never after a later one."""
GONE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True)
class Missed:
    """Changes that a subscriber was not told of, that one was told twice, and that were committed and are not fed."""

    untold: int = 0
    twice: int = 0
    lost: int = 0


class Asked(Protocol):
    """What answers at a URL: a process in one of its lives, which is told from the others by its number of starts."""

    @property
    def url(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def starts(self) -> int: ...


@dataclass
class Load:
    """What asks and writes, and what it has seen so far."""

    services: Sequence[Asked]
    dsn: str
    history: History = field(default_factory=History)
    seen: list[Seen] = field(default_factory=list[Seen])
    followers: list[Follower] = field(default_factory=list[Follower])

    def __post_init__(self) -> None:
        self._judge = Judge(self.history)
        self._cursor = ""
        self._polled = 0

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Asks and writes for as long as the block runs. Raises Unusable where that ends before."""
        await self._begin_history()
        urls = [service.url for service in self.services]
        head = orjson.loads((await patiently(urls[0], graphql_path(HEAD), CATCH_UP)).body)
        self._cursor = head["data"]["changes"]["headCursor"]
        self.followers = [
            Follower(listen, urls[number:] + urls[:number], self._cursor)
            for number, listen in zip(range(len(FOLLOWERS)), FOLLOWERS, strict=True)
        ]
        going = [asyncio.create_task(self._read(service, kind)) for service in self.services for kind in READERS]
        going += [asyncio.create_task(follower.run()) for follower in self.followers]
        going.append(asyncio.create_task(self._write()))
        try:
            yield
        finally:
            for task in going:
                task.cancel()
            for result in await asyncio.gather(*going, return_exceptions=True):
                if not isinstance(result, asyncio.CancelledError):
                    raise Unusable(f"the load ended before it was told to: {result!r}")

    async def _begin_history(self) -> None:
        conn = await asyncpg.connect(self.dsn)
        titles = await conn.fetch("select id, title from stories")
        await conn.close()
        initial = {row["id"]: int(row["title"].removeprefix("Story ")) for row in titles}
        self.history = History(initial, time.monotonic())
        self._judge = Judge(self.history)

    async def _read(self, service: Asked, kind: Kind) -> None:
        async with Client(service.url) as client:
            while True:
                story, path = _question(kind)
                asked, life = time.monotonic(), service.starts
                try:
                    reply = await client.get(path)
                except Broken as broken:
                    self.seen.append(Seen(asked, service.name, kind, Outcome.FAILED, str(broken)))
                else:
                    question = Question(service.name, life, kind, asked, time.monotonic(), story)
                    self.seen.append(self._judge.judge(question, reply))
                await asyncio.sleep(REST)

    async def _write(self) -> None:
        while True:
            with suppress(*GONE):
                conn = await asyncpg.connect(self.dsn, timeout=2)
                try:
                    await self._write_by(conn)
                finally:
                    conn.terminate()
            await asyncio.sleep(WRITE_EVERY)

    async def _write_by(self, conn: asyncpg.Connection[asyncpg.Record]) -> None:
        while True:
            story = self.history.attempts % STORIES + 1
            write = self.history.begin(story, time.monotonic())
            async with asyncio.timeout(2):
                done = await conn.execute(WRITE, write.number, story)
            if done == "UPDATE 1":
                self.history.commit(write, time.monotonic())
            await asyncio.sleep(WRITE_EVERY)

    async def missed(self) -> Missed:
        """What has gone amiss with changes since this was asked last; `changes` tells which there were.

        Subscribers are given `CATCH_UP` seconds to hear of them.
        """
        commits = self.history.commits
        new = set(await self._changes())
        self._polled += len(new)
        end = time.monotonic() + CATCH_UP
        while time.monotonic() < end and any(new.difference(follower.heard) for follower in self.followers):
            await asyncio.sleep(0.1)
        return Missed(
            untold=sum(len(new.difference(follower.heard)) for follower in self.followers),
            twice=sum(len(follower.heard) - len(set(follower.heard)) for follower in self.followers),
            lost=max(0, commits - self._polled),
        )

    async def _changes(self) -> list[str]:
        found: list[str] = []
        while True:
            path = graphql_path(CHANGES, {"after": self._cursor})
            page = orjson.loads((await patiently(self.services[0].url, path, CATCH_UP)).body)["data"]["changes"]
            found += [change["cursor"] for change in page["changes"]]
            self._cursor = page["endCursor"] or self._cursor
            if not page["hasMore"]:
                return found


def _question(kind: Kind) -> tuple[int | None, str]:
    if kind is Kind.LIST:
        return None, graphql_path(LIST)
    story = random.randint(1, STORIES)
    query = PAGE if kind is Kind.PAGE else PAGE.replace("id title", f"id a{random.getrandbits(60)}: id title")
    return story, graphql_path(query, {"id": f"story_{story}"})
