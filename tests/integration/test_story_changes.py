"""What subscribers are told: every change once, in order, whenever they come and whatever they filter by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from schema import schema
from service.db.changes import ChangeFeed
from service.db.pool import Database
from service.errors import BadUserInput, CursorExpired, Unavailable
from service.http.changes import StoryChanges
from service.planner import Allowed, Planner, Subscription
from service.settings import Settings

DOCUMENT = """
subscription($id: ID, $filter: StoryFilter, $after: String) {
  told: storyChanged(id: $id, filter: $filter, after: $after) { cursor kind storyId mergedIntoId story { id title } }
}
"""
WORLD = """
insert into outlets (id, domain, slug, name, country)
values (1, 'a.example', 'a', 'A', 'US'), (2, 'b.example', 'b', 'B', 'DE');
insert into topics (id, slug, name) values (1, 'politics', 'Politics');
insert into stories (id, key, slug, title) select n, n, n, 'T' from generate_series(1, 9) n;
insert into story_topics values (1, 1, 1), (2, 1, 1);
insert into articles (outlet_id, story_id, published_at, url, title)
select 1, n, now(), n, 'T' from generate_series(1, 8) n;
"""
LAST = "select change_cursor(xid, seq) from changes order by xid desc, seq desc limit 1"
ARTICLE = "insert into articles (outlet_id, story_id, published_at, url, title) values (2, $1, now(), $2, 'T')"


@dataclass
class World:
    """A database with its feed, and who follows."""

    conn: asyncpg.Connection[asyncpg.Record]
    database: Database
    changes: StoryChanges
    planner: Planner
    statements: list[str]

    def subscription(self, **variables: Any) -> Subscription:
        return Subscription(self.planner.plan(self.planner.document(DOCUMENT).operation(), variables, Allowed()))

    @asynccontextmanager
    async def follow(self, **variables: Any) -> AsyncGenerator[Follower]:
        async with aclosing(self.changes.follow(self.subscription(**variables))) as changes:
            yield Follower(changes)

    async def retitle(self, *stories: int) -> None:
        for story in stories:
            await self.conn.execute("update stories set title = title || '.' where id = $1", story)


@dataclass
class Follower:
    changes: AsyncGenerator[tuple[str, bytes]]

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            cursor, response = await anext(self.changes)
        told = orjson.loads(response)["data"]["told"]
        assert told["cursor"] == cursor
        return told

    async def stories(self, most: int) -> list[str]:
        return [(await self.next())["storyId"].removeprefix("story_") for _ in range(most)]


@pytest.fixture
async def world(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        conn = await asyncpg.connect(empty_database)
        stack.push_async_callback(conn.close)
        await conn.execute(WORLD)
        database = await stack.enter_async_context(Database(empty_database, Settings()))
        statements: list[str] = []
        fetch = database.fetch_row

        async def counted(statement: str, *rest: Any, **named: Any) -> Any:
            statements.append(statement)
            return await fetch(statement, *rest, **named)

        monkeypatch.setattr(database, "fetch_row", counted)
        changes = StoryChanges(database)
        await stack.enter_async_context(ChangeFeed(empty_database, [changes], timedelta(days=1)))
        async with asyncio.timeout(30):
            while changes.head is None or changes.head != await conn.fetchval(LAST):
                await asyncio.sleep(0.01)
        yield World(conn, database, changes, Planner(schema), statements)


async def waiting(follower: Follower) -> asyncio.Task[list[str]]:
    """A follower that has begun, and waits for its first change."""
    task = asyncio.create_task(follower.stories(1))
    await asyncio.sleep(0.2)
    assert not task.done()
    return task


async def test_a_change_reaches_who_follows_all_and_who_follows_that_story(world: World) -> None:
    async with world.follow() as everything, world.follow(id="story_2") as second:
        tasks = [await waiting(everything), await waiting(second)]
        await world.retitle(1, 2)
        assert await asyncio.gather(*tasks) == [["1"], ["2"]]
        assert await everything.stories(1) == ["2"]


async def test_a_filter_is_asked_of_the_story_as_it_is_now(world: World) -> None:
    async with (
        world.follow(filter={"topics": ["politics"]}) as politics,
        world.follow(filter={"countries": ["DE"]}) as de,
    ):
        tasks = [await waiting(politics), await waiting(de)]
        await world.retitle(3, 2)
        await world.conn.execute(ARTICLE, 3, "https://new")
        assert await asyncio.gather(*tasks) == [["2"], ["3"]]


async def test_who_follows_a_filter_hears_of_what_ended(world: World) -> None:
    async with world.follow(filter={"topics": ["politics"]}) as politics:
        task = await waiting(politics)
        await world.conn.execute("delete from articles where story_id = 5")
        assert await task == ["5"]
        async with world.conn.transaction():
            await world.conn.execute("update articles set story_id = 7 where story_id = 6")
            await world.conn.execute("update stories set merged_into = 7 where id = 6")
        merged = await politics.next()
        assert (merged["kind"], merged["storyId"], merged["mergedIntoId"]) == ("MERGED", "story_6", "story_7")
        assert merged["story"]["id"] == "story_7"


async def test_a_removed_story_is_null_and_an_old_id_follows_its_merge(world: World) -> None:
    async with world.follow(id="story_6") as sixth, world.follow(id="story_5") as fifth:
        ending, removing = await waiting(sixth), asyncio.create_task(fifth.next())
        async with world.conn.transaction():
            await world.conn.execute("update articles set story_id = 7 where story_id = 6")
            await world.conn.execute("update stories set merged_into = 7 where id = 6")
        await world.conn.execute("delete from articles where story_id = 5")
        await ending
        removed = await removing
        assert (removed["kind"], removed["story"]) == ("REMOVED", None)
        await world.retitle(7)
        told = [await sixth.next() for _ in range(2)]
        assert {each["storyId"] for each in told} == {"story_7"}
        assert told[-1]["story"]["title"] == "T."


async def test_who_comes_back_is_told_what_it_missed_and_nothing_twice(world: World) -> None:
    async with world.follow() as follower:
        task = await waiting(follower)
        await world.retitle(1)
        await task
        await world.retitle(2)
        cursor = (await follower.next())["cursor"]
    await world.retitle(3, 4)
    async with world.follow(after=cursor) as again:
        await world.retitle(5)
        assert await again.stories(3) == ["3", "4", "5"]
        task = await waiting(again)
        await world.retitle(6)
        assert await task == ["6"]


async def test_a_long_replay_comes_whole_and_in_order(world: World) -> None:
    start = world.changes.head
    for turn in range(60):
        await world.retitle(turn % 8 + 1, (turn + 3) % 8 + 1, (turn + 5) % 8 + 1)
    expected = [str((turn + step) % 8 + 1) for turn in range(60) for step in (0, 3, 5)]
    async with world.follow(after=start) as follower:
        assert await follower.stories(180) == expected


async def test_many_who_follow_the_same_cost_one_statement_a_change(world: World) -> None:
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(world.follow(filter={"topics": ["politics"]})) for _ in range(50)]
        tasks = [asyncio.create_task(follower.stories(1)) for follower in followers]
        await asyncio.sleep(0.3)
        world.statements.clear()
        await world.retitle(1)
        assert await asyncio.gather(*tasks) == [["1"]] * 50
        assert len(world.statements) == 1


async def test_one_who_leaves_takes_nobody_along(world: World) -> None:
    async with world.follow() as one, world.follow() as other:
        tasks = [await waiting(one), await waiting(other)]
        await world.retitle(1)
        tasks[0].cancel()
        assert await tasks[1] == ["1"]


async def test_after_the_last_who_waited_has_left_others_may_follow(world: World) -> None:
    async with world.follow() as one, world.follow() as other:
        for follower in (one, other):
            leaving = await waiting(follower)
            leaving.cancel()
            await asyncio.wait((leaving,))
    async with world.follow() as late:
        hearing = await waiting(late)
        await world.retitle(1)
        assert await hearing == ["1"]


@pytest.mark.parametrize("variables", [{"after": "nonsense"}, {"id": "article_1"}, {"id": "x"}])
async def test_what_cannot_be_followed_is_refused_before_the_first_change(
    world: World, variables: dict[str, str]
) -> None:
    with pytest.raises(BadUserInput):
        async with world.follow(**variables) as follower:
            await follower.next()


async def test_a_cursor_too_old_says_so(world: World) -> None:
    cursor = await world.conn.fetchval("select change_cursor('3', 1)")
    await world.conn.execute("update changes_forgotten set xid = '4'")
    with pytest.raises(CursorExpired, match="headCursor"):
        async with world.follow(after=cursor) as follower:
            await follower.next()


async def test_before_the_feed_is_heard_nothing_can_be_followed_from_now_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.changes.PATIENCE", 0.1)
    deaf = StoryChanges(world.database)
    with pytest.raises(Unavailable):
        await anext(deaf.follow(world.subscription()))
