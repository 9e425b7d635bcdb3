"""The service over a Redis Cluster of three masters, of which one dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from service.redis import PATIENCE, SharedRedis
from tests.acceptance.conftest import Serve
from tests.redis_servers import needs_redis_server, own_redis

pytestmark = pytest.mark.own_engines


STORIES = 60
SLOTS = 16_384
NEWS = f"""
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into stories (id, key, slug, title) select n, n, n, 'T' from generate_series(1, {STORIES}) n;
insert into articles (outlet_id, story_id, published_at, url, title)
select 1, n, now(), n, 'T' from generate_series(1, {STORIES}) n;
"""
SLACK = 0.03
"""Seconds that the clock of a busy test is off."""


@dataclass
class Nodes:
    """Masters of a cluster, each in a folder and at a port of its own."""

    folder: Path
    ports: list[int]
    running: AsyncExitStack
    sockets: list[Path] = field(default_factory=list[Path])

    async def start(self, number: int) -> None:
        place = self.folder / str(number)
        place.mkdir(exist_ok=True)
        options = {
            "port": str(self.ports[number]),
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-node-timeout": "1000",
            "cluster-require-full-coverage": "no",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.sockets.append(await self.running.enter_async_context(own_redis(place, *words)))

    async def ask(self, number: int, *command: str | int) -> bytes:
        async with SharedRedis(f"unix://{self.folder}/{number}/redis.sock") as node:
            return await node.run(*command)

    async def join(self) -> None:
        """Makes one cluster of them, each with a third of the slots."""
        share = SLOTS // len(self.ports) + 1
        for number in range(len(self.ports)):
            await self.ask(number, "CLUSTER", "ADDSLOTSRANGE", number * share, min((number + 1) * share, SLOTS) - 1)
        await self.until_whole()

    async def until_whole(self) -> None:
        for number in range(len(self.ports)):
            async with asyncio.timeout(20):
                while not await self._sees_all(number):
                    for port in self.ports:  # again and again, as a node that is slow to answer is forgotten
                        await self.ask(number, "CLUSTER", "MEET", "127.0.0.1", port)
                    await asyncio.sleep(0.5)

    async def _sees_all(self, number: int) -> bool:
        told = await self.ask(number, "CLUSTER", "INFO")
        return b"cluster_state:ok" in told and b"cluster_slots_ok:%d\r" % SLOTS in told

    async def kill(self, number: int) -> None:
        info = (await self.ask(number, "EVAL", "return redis.call('INFO', 'server')", 0)).decode()
        (pid,) = (int(line.partition(":")[2]) for line in info.splitlines() if line.startswith("process_id:"))
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def nodes(tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Nodes]:
    """Three masters of one cluster."""
    # Nodes speak to each other by a port that is 10,000 higher.
    ports = [next(each for each in iter(unused_tcp_port_factory, 0) if each < 55_000) for _ in range(3)]
    async with AsyncExitStack() as running:
        nodes = Nodes(tmp_path, ports, running)
        for number in range(3):
            await nodes.start(number)
        await nodes.join()
        yield nodes


@dataclass
class Calls:
    """How long calls of Redis took, less what the loop itself was late, as all of it is in one process here."""

    longest: float = 0.0
    count: int = 0
    late: float = 0.0

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.late = max(self.late, time.perf_counter() - began - 0.005)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    seen = Calls()
    run = SharedRedis.run

    async def timed(self: SharedRedis, *command: Any) -> Any:
        began = time.perf_counter()
        try:
            return await run(self, *command)
        finally:
            seen.count += 1
            seen.longest = max(seen.longest, time.perf_counter() - began)

    monkeypatch.setattr(SharedRedis, "run", timed)
    return seen


async def read(client: httpx.AsyncClient, story: int) -> str:
    """Where a story's page came from; it is there, and right."""
    query = f'{{ story(by: {{id: "story_{story}"}}) {{ title }} }}'
    response = await client.get("/graphql", params={"query": query})
    assert response.status_code == 200, response.text
    assert response.json()["data"] == {"story": {"title": "T"}}
    return response.headers["cache-status"].removeprefix("parallax; ")


async def read_on(client: httpx.AsyncClient, first: int, enough: asyncio.Event) -> int:
    reads = 0
    while not enough.is_set():
        await read(client, (first + reads) % STORIES + 1)
        reads += 1
    return reads


async def until_all_are_kept(client: httpx.AsyncClient) -> None:
    """Until every page comes from Redis, whichever node has it."""
    async with asyncio.timeout(30):
        while {await read(client, story) for story in range(1, STORIES + 1)} != {"hit; detail=redis"}:
            await asyncio.sleep(0.05)


@needs_redis_server
@pytest.mark.parametrize("killed", [0, 2], ids=["the-one-that-was-named", "another"])
async def test_a_master_that_dies_fails_no_request_and_holds_none_up(
    serve: Serve, empty_database: str, nodes: Nodes, calls: Calls, killed: int
) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(NEWS)
    await conn.close()
    # So little memory that answers come from Redis.
    settings = {"redis_url": f"redis+cluster://127.0.0.1:{nodes.ports[0]}", "cache_bytes": 2_000, "allowances": "off"}
    async with serve(empty_database, **settings) as client:
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(calls.watch())
            await until_all_are_kept(client)
            readers = [group.create_task(read_on(client, number * 7, enough)) for number in range(8)]
            await asyncio.sleep(0.5)
            await nodes.kill(killed)
            await asyncio.sleep(5)
            enough.set()
            await asyncio.wait(readers)
            watch.cancel()
        # All went on to the end, however slow the machine is: none waited for long.
        assert min(reader.result() for reader in readers) > 10
        assert calls.count > 100
        assert calls.longest < PATIENCE + calls.late + SLACK
        await nodes.start(killed)
        await nodes.until_whole()
        await until_all_are_kept(client)
