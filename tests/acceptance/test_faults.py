"""What callers see while parts fail under load: a few of the faults of `make chaos`, for a moment each."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from bench.balancing import balancing
from bench.chaos.__main__ import FAULTS
from bench.chaos.fault import measured
from bench.chaos.load import Load
from bench.chaos.stage import Stage, staged
from bench.freshness import CORPUS, PAGE
from bench.rolling import Asked, as_text, restarting, until_in, while_done
from service.db.changes import SILENCE
from tests.acceptance.program import serving
from tests.redis_servers import needs_redis_server

pytestmark = pytest.mark.own_engines


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(processes=2) as stage:
        yield stage


@needs_redis_server
@pytest.mark.parametrize("name", ["postgres-kill", "service-kill"])
async def test_no_answer_is_wrong_and_no_change_is_missed(stage: Stage, name: str) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    load = Load(stage.services, stage.postgres.dsn)
    async with load.running():
        result = await measured(fault, stage, load, seconds=1, after=1)
    assert not result.not_run
    assert result.during["served"] + result.after["served"]
    assert not result.wrong, result.reasons
    assert not any((result.missed.untold, result.missed.twice, result.missed.lost))


@needs_redis_server
async def test_a_rolling_restart_fails_no_request_and_hides_no_change(stage: Stage) -> None:
    async with balancing([service.url for service in stage.services]) as balancer:
        pairs = list(zip(stage.services, balancer.backends, strict=True))
        for _, backend in pairs:
            await until_in(backend)
        load = Load([Asked(balancer.url)], stage.postgres.dsn)
        async with load.running():
            result = await while_done("a rolling restart", [restarting(*pair) for pair in pairs], load, balancer)
    assert result.is_well, as_text(result)


async def test_a_process_that_was_paused_gives_nothing_old(empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(CORPUS)

    async def title(client: httpx.AsyncClient) -> tuple[str, str]:
        response = await client.get("/graphql", params={"query": PAGE, "variables": '{"id":"story_1"}'})
        return response.json()["data"]["story"]["title"], response.headers["cache-status"]

    with serving(DATABASE_URL=empty_database) as program:
        async with httpx.AsyncClient(base_url=program.url, timeout=30) as client, asyncio.timeout(60):
            while (await title(client))[1] != "parallax; hit; detail=memory":
                await asyncio.sleep(0.05)
            program.process.send_signal(signal.SIGSTOP)
            await conn.execute("update stories set title = 'Story 1' where id = 1")
            time.sleep(SILENCE)  # the client's connection is to be as it was
            asking = asyncio.create_task(title(client))
            await asyncio.sleep(0.2)
            program.process.send_signal(signal.SIGCONT)
            assert (await asking)[0] == "Story 1"
    await conn.close()
