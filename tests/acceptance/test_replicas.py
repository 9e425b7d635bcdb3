"""The service over a primary and a streaming replica that lags, by HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from service.db.migrations import migrate
from tests.acceptance.conftest import Serve
from tests.acceptance.test_websocket import STORY
from tests.clusters import SOON, Cluster, clusters

pytestmark = pytest.mark.own_engines


STORIES = 20
LAG = 4.0
SOON_TOLD = 2.0
"""Seconds after which a process has certainly been told of a change: far less than the replica lags."""

MORE = f"""
insert into stories (id, key, slug, title) select n, n, n, 'S000000' from generate_series(101, {100 + STORIES}) n;
insert into articles (outlet_id, story_id, published_at, url, title)
select 1, n, now(), n, 'A' from generate_series(101, {100 + STORIES}) n;
"""
READ = "select coalesce(sum(seq_scan + idx_scan), 0)::bigint from pg_stat_user_tables where relname = 'stories'"


@pytest.fixture
def servers() -> Iterator[list[Cluster]]:
    """A primary that runs, and one that is to become its replica."""
    with clusters(2) as made:
        yield made


@dataclass
class Written:
    """What was committed, and when: by story the number in its title, and all numbers with their times."""

    last: dict[int, int] = field(default_factory=dict[int, int])
    log: list[tuple[float, int, int]] = field(default_factory=list[tuple[float, int, int]])

    def sure(self, story: int, at: float) -> int:
        """The least number that an answer must have that was asked for then."""
        return max((number for when, of, number in self.log if of == story and when <= at - SOON_TOLD), default=0)


async def write(primary: Cluster, written: Written, enough: asyncio.Event) -> None:
    """Changes one story after the other, all the time."""
    async with primary.connected() as conn:
        number = 0
        while not enough.is_set():
            number += 1
            story = 101 + number % (STORIES // 2)
            await conn.execute("update stories set title = $2 where id = $1", story, f"S{number:06}")
            written.log.append((time.monotonic(), story, number))
            await asyncio.sleep(0.02)


async def title(client: httpx.AsyncClient, story: int) -> int:
    """The number in a story's title."""
    query = f'{{ story(by: {{id: "story_{story}"}}) {{ title }} }}'
    answer = await client.get("/graphql", params={"query": query})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["data"]["story"]["title"][1:])


async def read(client: httpx.AsyncClient, written: Written, first: int, enough: asyncio.Event) -> int:
    """Reads every story again and again; how often. No answer is older than what was told, nor than one before it."""
    seen = dict.fromkeys(range(101, 101 + STORIES), 0)
    reads = 0
    while not enough.is_set():
        for offset in range(STORIES):
            story = 101 + (first + offset) % STORIES
            asked = time.monotonic()
            number = await title(client, story)
            assert number >= seen[story], "older than one that was given before"
            assert number >= written.sure(story, asked), "older than a change that was told before"
            seen[story] = number
            reads += 1
    return reads


async def reads_of(server: Cluster) -> int:
    """How often stories were read there."""
    return int(await server.ask(READ))


async def prepare(primary: Cluster, replica: Cluster) -> None:
    await migrate(primary.dsn())
    async with primary.connected() as conn:
        await conn.execute(STORY)
        await conn.execute(MORE)
    await asyncio.to_thread(replica.copy, primary)
    await replica.caught_up(primary)


async def until_fit(client: httpx.AsyncClient) -> None:
    """Until the replica is fit to be read."""
    async with asyncio.timeout(SOON):
        while (await client.get("/readyz")).json()["checks"]["replica:lag"][0]["status"] != "pass":
            await asyncio.sleep(0.05)


@pytest.fixture
async def client(serve: Serve, servers: list[Cluster]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service over a primary and a replica that is fit to be read."""
    primary, replica = servers
    await prepare(primary, replica)
    async with serve(primary.dsn(), replica_urls=replica.dsn(), allowances="off", cache_bytes=10_000) as client:
        await until_fit(client)
        yield client


async def test_no_answer_is_older_than_the_change_that_purged_it_though_the_replica_lags(
    client: httpx.AsyncClient, servers: list[Cluster]
) -> None:
    primary, replica = servers
    await replica.set("recovery_min_apply_delay", f"{LAG}s")
    before = await reads_of(replica)
    written, enough = Written(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(write(primary, written, enough))
        readers = [group.create_task(read(client, written, number, enough)) for number in range(3)]
        await asyncio.sleep(LAG + 4)
        lag = (await client.get("/readyz")).json()["checks"]["replica:lag"][0]
        enough.set()
    assert sum(reader.result() for reader in readers) > 500
    assert LAG - 1 < lag["observedValue"] < 10
    assert lag["status"] == "pass"
    await asyncio.sleep(1.5)  # a process of Postgres' tells what it has read when it is idle for a while
    assert await reads_of(replica) > before


async def test_a_replica_that_dies_and_comes_back_costs_no_request_and_is_read_again(
    client: httpx.AsyncClient, servers: list[Cluster]
) -> None:
    primary, replica = servers
    written, enough = Written(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(write(primary, written, enough))
        for number in range(3):
            group.create_task(read(client, written, number, enough))
        for end in (replica.kill, replica.stop):
            await asyncio.sleep(1)
            await asyncio.to_thread(end)
            await asyncio.sleep(1.5)
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (200, "warn")
            (check,) = answer.json()["checks"]["replica:lag"]
            assert check["output"] == "It cannot be reached."
            await asyncio.to_thread(replica.start)
            await until_fit(client)
            before = await reads_of(replica)
            async with asyncio.timeout(SOON):
                while await reads_of(replica) == before:
                    await asyncio.sleep(0.1)
        enough.set()


async def test_what_only_the_primary_has_yet_is_found(serve: Serve, servers: list[Cluster]) -> None:
    primary, replica = servers
    await prepare(primary, replica)
    async with serve(primary.dsn(), replica_urls=replica.dsn()) as client:
        await until_fit(client)
        await replica.ask("select pg_wal_replay_pause()")
        async with primary.connected() as conn:
            await conn.execute(MORE.replace("101", "501").replace(f"{100 + STORIES}", "501"))
        assert await title(client, 501) == 0


async def test_replicas_are_refused_without_a_cache(serve: Serve) -> None:
    with pytest.raises(Exception, match="REPLICA_URLS: replicas cannot be read without a cache"):
        async with serve("postgresql://127.0.0.1:1/none", replica_urls="postgresql://127.0.0.1:1/none", cache_bytes=0):
            pass
