"""The primary dies, its replica is promoted, and the same process goes on with it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg
import httpx
import pytest

from bench.line import Line
from service.db.migrations import migrate
from tests.acceptance.conftest import Serve
from tests.acceptance.test_server_sent_events import opened
from tests.acceptance.test_websocket import STORY
from tests.clusters import SOON, Cluster, clusters
from tests.redis_servers import URL, needs_redis, own_prefix

pytestmark = pytest.mark.own_engines


RECOVERY = 5.0
"""Seconds after the promotion by which the new primary's news are told."""
SOON_TOLD = 2.0
STORIES = (1, 2, 3)
GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
FOLLOW = "subscription { storyChanged { story { title } } }"


@pytest.fixture
def servers() -> Iterator[list[Cluster]]:
    """A primary that runs, and one that is to become its replica."""
    with clusters(2) as made:
        yield made


def either(servers: list[Cluster]) -> str:
    """The URL of whichever of them is the primary."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"


@dataclass
class News:
    """What was committed, and what was answered. Titles are numbers that only grow."""

    committed: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    answers: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    refused: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    told: list[int] = field(default_factory=list[int])
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def sure(self, at: float) -> int:
        """The least number that is true then: of a commit that was some time before."""
        return max((number for when, number in self.committed if when <= at - SOON_TOLD), default=0)


async def write(dsn: str, news: News) -> None:
    """Gives all stories the next number, all the time, on whichever server takes it."""
    number = 0
    while not news.enough.is_set():
        with suppress(*GONE):
            conn = await asyncpg.connect(dsn, timeout=2)
            try:
                while not news.enough.is_set():
                    number += 1
                    await conn.execute("update stories set title = $1", f"{number:06}", timeout=5)
                    news.committed.append((time.monotonic(), number))
                    await asyncio.sleep(0.05)
            finally:
                conn.terminate()
        await asyncio.sleep(0.05)


async def read(client: httpx.AsyncClient, story: int, news: News) -> None:
    """Reads a story all the time; no answer is older than one before it, nor, unless it says so, than what is true."""
    query, last = f'{{ story(by: {{id: "story_{story}"}}) {{ title }} }}', 0
    while not news.enough.is_set():
        asked = time.monotonic()
        response = await client.post("/graphql", json={"query": query})
        now = time.monotonic()
        if response.status_code != 200:
            assert response.status_code in {503, 504}, response.text
            news.refused.append((now, response.status_code))
        else:
            number = int(response.json()["data"]["story"]["title"])
            assert number >= last
            last = number
            if "ttl=-1" not in response.headers.get("cache-status", ""):
                assert number >= news.sure(asked)
            news.answers.append((now, number))
        await asyncio.sleep(0.01)


async def follow(client: httpx.AsyncClient, news: News) -> None:
    async with opened(client, FOLLOW, post=True) as stream:
        while not news.enough.is_set():
            event = await stream.next()
            if event and event["event"] == "next":
                told = json.loads(event["data"])["data"]["storyChanged"]["story"]["title"]
                news.told.append(int(told))


async def prepare(primary: Cluster, replica: Cluster) -> None:
    """The replica follows, and no commit is seen before it has it: nothing is lost with the primary."""
    await migrate(primary.dsn())
    async with primary.connected() as conn:
        await conn.execute(STORY)
        await conn.execute("update stories set title = '0'")
    await asyncio.to_thread(replica.copy, primary)
    await primary.set("synchronous_standby_names", "*")
    async with asyncio.timeout(SOON):
        while await primary.ask("select count(*) from pg_stat_replication where sync_state = 'sync'") == "0":
            await asyncio.sleep(0.05)
    # As whatever promotes it would: what is a primary then waits for nobody.
    async with replica.connected() as conn:
        await conn.execute("alter system set synchronous_standby_names = ''")


@pytest.mark.parametrize("reads_replicas", [False, True], ids=["primary-alone", "with-replicas"])
async def test_the_service_goes_on_with_a_promoted_replica(
    serve: Serve, servers: list[Cluster], *, reads_replicas: bool
) -> None:
    primary, replica = servers
    await prepare(primary, replica)
    dsn, news = either(servers), News()
    replicas = ",".join(server.dsn() for server in servers) if reads_replicas else ""
    settings = {"replica_urls": replicas, "allowances": "off", "heartbeat": 0.5}
    async with serve(dsn, **settings) as client, asyncio.TaskGroup() as group:
        tasks = [group.create_task(write(dsn, news)), group.create_task(follow(client, news))]
        tasks += [group.create_task(read(client, story, news)) for story in STORIES]
        await asyncio.sleep(3)
        assert news.told
        await asyncio.to_thread(primary.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(replica.promote)
        before = max(number for _, number in news.committed)
        async with asyncio.timeout(RECOVERY):
            while not (news.answers[-1][1] > before and news.told[-1] > before):
                await asyncio.sleep(0.01)
        recovered = time.monotonic()
        await asyncio.sleep(SOON_TOLD + 1)
        news.enough.set()
        assert (await client.get("/readyz")).status_code == 200
        assert not [at for at, _ in news.refused if at > recovered]
        if reads_replicas:
            assert not news.refused
    assert news.told == sorted(news.told)


async def write_more(server: Cluster, times: int) -> None:
    """Other transactions, whose ids are given to others in another history."""
    async with server.connected() as conn:
        for number in range(times):
            await conn.execute("update stories set title = $1 where id = 2", f"{number}")


@needs_redis
@pytest.mark.parametrize(("lost", "new"), [(1, 50), (50, 1)], ids=["it-went-further", "it-did-not-come-so-far"])
async def test_what_was_lost_with_the_primary_is_not_served(
    serve: Serve, servers: list[Cluster], lost: int, new: int
) -> None:
    """What the process has kept, in Redis too, is of transactions that are others' where the replica went on."""
    primary, replica = servers
    await migrate(primary.dsn())
    async with primary.connected() as conn:
        await conn.execute(STORY)
    await asyncio.to_thread(replica.copy, primary)
    await replica.caught_up(primary)
    line = Line("127.0.0.1", primary.port)
    await line.open()
    query = {"query": '{ story(by: {id: "story_1"}) { title } }'}

    async def title(client: httpx.AsyncClient) -> str:
        response = await client.post("/graphql", json=query)
        return response.json()["data"]["story"]["title"] if response.status_code == 200 else ""

    async def until(client: httpx.AsyncClient, expected: str) -> None:
        async with asyncio.timeout(SOON):
            while await title(client) != expected:
                await asyncio.sleep(0.02)

    async with own_prefix() as prefix, serve(primary.dsn(line.port), redis_url=URL, redis_prefix=prefix) as client:
        await until(client, "T")
        await asyncio.to_thread(replica.stop)
        await write_more(primary, lost)
        async with primary.connected() as conn:
            await conn.execute("update stories set title = 'lost' where id = 1")
        await until(client, "lost")
        await line.cut()
        await asyncio.to_thread(primary.kill)
        await asyncio.to_thread(replica.start)
        await asyncio.to_thread(replica.promote)
        await write_more(replica, new)
        line.target = replica.port
        await line.open()
        async with asyncio.timeout(SOON):
            while (await client.get("/readyz")).json()["status"] != "pass":
                await asyncio.sleep(0.02)
        assert [await title(client) for _ in range(10)] == ["T"] * 10
    await line.cut()
