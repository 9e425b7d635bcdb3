"""Reads from replicas: which of them are read, and what becomes of reads when one cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from service.db.batching import Batches
from service.db.changes import ChangeFeed
from service.db.migrations import migrate
from service.db.pool import Database
from service.db.replicas import DIVERGED, FOREIGN, PRIMARY, TAKES_WRITES, UNREACHABLE, Replicas
from service.doctor import examine_replicas
from service.errors import OperationTimeout, Unavailable
from service.events import Event, ReplicaLeft, ReplicaTaken
from service.settings import Settings
from tests.clusters import SOON, Cluster, clusters
from tests.integration.test_change_feed import STORIES, retitle

pytestmark = pytest.mark.own_engines


WHERE = "select inet_server_port()"


@pytest.fixture
def servers() -> Iterator[list[Cluster]]:
    """A primary that runs, and two that are to be its replicas."""
    with clusters(3) as made:
        yield made


@pytest.fixture
async def primary(servers: list[Cluster]) -> Cluster:
    await migrate(servers[0].dsn())
    async with servers[0].connected() as conn:
        await conn.execute(STORIES)
    return servers[0]


@pytest.fixture
async def replica(servers: list[Cluster], primary: Cluster) -> Cluster:
    await asyncio.to_thread(servers[1].copy, primary)
    return servers[1]


@dataclass
class Reading:
    """Replicas as the service has them, and what they tell."""

    replicas: Replicas
    events: list[Event] = field(default_factory=list[Event])

    async def port(self) -> int:
        """Of the server that answers a read now."""
        row = await self.replicas.fetch_row(WHERE, ())
        assert row is not None
        return row[0]

    async def until(self, holds: Callable[[int], bool]) -> None:
        """Reads until a read is answered by such a server; none may fail."""
        async with asyncio.timeout(SOON):
            while not holds(await self.port()):
                await asyncio.sleep(0.01)

    @property
    def reasons(self) -> list[str]:
        return [replica.reason for replica in self.replicas]

    @property
    def told(self) -> list[str]:
        """What was told of replicas: why each was left, empty where it was taken."""
        told = (event for event in self.events if isinstance(event, ReplicaLeft | ReplicaTaken))
        return [event.reason if isinstance(event, ReplicaLeft) else "" for event in told]


@asynccontextmanager
async def reading(primary: Cluster, *replicas: Cluster, **settings: Any) -> AsyncGenerator[Reading]:
    urls = ",".join(replica.dsn() for replica in replicas)
    chosen = Settings(replica_urls=urls, **settings)  # pyright: ignore[reportArgumentType]  # as in a variable
    events: list[Event] = []
    database = Database(primary.dsn(), chosen, events.append)
    tried = Replicas(Batches(database, chosen), chosen, events.append)
    async with database, tried, ChangeFeed(primary.dsn(), [tried], timedelta(days=7)):
        yield Reading(tried, events)


async def test_reads_go_to_replicas_in_turn(servers: list[Cluster], primary: Cluster, replica: Cluster) -> None:
    another = servers[2]
    await asyncio.to_thread(another.copy, primary)
    async with reading(primary, replica, another) as now:
        await now.until(lambda port: port == replica.port)
        await now.until(lambda port: port == another.port)
        assert sorted([await now.port() for _ in range(10)]) == sorted([replica.port, another.port] * 5)
        assert now.told == ["", ""]


async def test_one_that_lags_is_left_and_read_again_when_it_does_not(primary: Cluster, replica: Cluster) -> None:
    async with reading(primary, replica, replica_lag_seconds=2) as now:
        await now.until(lambda port: port == replica.port)
        await replica.ask("select pg_wal_replay_pause()")
        await change(primary)
        await now.until(lambda port: port == primary.port)
        await now.until(lambda _: any(now.reasons))
        (seen,) = now.replicas
        assert seen.lag
        assert seen.lag > 2
        await replica.ask("select pg_wal_replay_resume()")
        await now.until(lambda port: port == replica.port)
        assert now.told == ["", "It is more than 2 s behind.", ""]


async def test_one_is_read_though_nothing_happens_for_longer_than_it_may_lag(
    primary: Cluster, replica: Cluster
) -> None:
    async with reading(primary, replica, replica_lag_seconds=4) as now:
        await now.until(lambda port: port == replica.port)
        for _ in range(60):
            await asyncio.sleep(0.1)
            assert await now.port() == replica.port


@pytest.mark.parametrize("end", [Cluster.kill, Cluster.stop], ids=["killed", "stopped"])
async def test_one_that_dies_under_reads_fails_none_and_is_read_again(
    primary: Cluster, replica: Cluster, end: Callable[[Cluster], None]
) -> None:
    async with reading(primary, replica) as now:
        await now.until(lambda port: port == replica.port)
        slow = [asyncio.create_task(now.replicas.fetch_row(f"{WHERE} from pg_sleep(2)", ())) for _ in range(4)]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(end, replica)
        await now.until(lambda port: port == primary.port)
        for row in await asyncio.gather(*slow):
            assert row
            assert row[0] == primary.port
        await now.until(lambda _: now.reasons == [UNREACHABLE])
        await asyncio.to_thread(replica.start)
        await now.until(lambda port: port == replica.port)
        assert now.told == ["", UNREACHABLE, ""]


async def test_one_that_hangs_holds_nobody_up_for_as_long_as_an_operation_may_take(
    primary: Cluster, replica: Cluster
) -> None:
    async with reading(primary, replica) as now:
        await now.until(lambda port: port == replica.port)
        replica.pause()
        assert await now.port() == primary.port
        assert now.reasons == [UNREACHABLE]
        replica.resume()
        await now.until(lambda port: port == replica.port)


async def test_one_that_is_promoted_is_left(primary: Cluster, replica: Cluster) -> None:
    async with reading(primary, replica) as now:
        await now.until(lambda port: port == replica.port)
        await asyncio.to_thread(replica.promote)
        await now.until(lambda port: port == primary.port)
        assert now.told == ["", TAKES_WRITES]


async def test_the_primary_among_the_replicas_is_known_as_that(primary: Cluster, replica: Cluster) -> None:
    async with reading(primary, primary, replica) as now:
        await now.until(lambda port: port == replica.port)
        assert now.reasons == [PRIMARY, ""]
        assert {await now.port() for _ in range(4)} == {replica.port}
        assert now.told == [""]
    found, _ = await examine_replicas(primary.dsn(), [primary.dsn(), replica.dsn()], 10)
    assert found.well


async def test_one_of_another_database_is_left(primary: Cluster) -> None:
    with clusters(2) as (other, foreign):
        await migrate(other.dsn())
        await asyncio.to_thread(foreign.copy, other)
        async with reading(primary, foreign) as now:
            await now.until(lambda _: now.reasons == [FOREIGN])
            assert await now.port() == primary.port


async def test_one_that_went_on_where_the_new_primary_did_not_is_left(
    servers: list[Cluster], primary: Cluster, replica: Cluster
) -> None:
    """What it has of the old primary is lost to the new one, and its transaction ids are of others there."""
    ahead = servers[2]
    await asyncio.to_thread(ahead.copy, primary)
    await replica.caught_up(primary)
    await asyncio.to_thread(replica.stop)
    await change(primary)
    await ahead.caught_up(primary)
    await asyncio.to_thread(primary.stop)
    await asyncio.to_thread(replica.start)
    await asyncio.to_thread(replica.promote)
    await ahead.set("primary_conninfo", f"host=127.0.0.1 port={replica.port} user=postgres")
    await change(replica)
    async with reading(replica, ahead) as now:
        await now.until(lambda _: now.reasons == [DIVERGED])
        for _ in range(10):
            await change(replica)
        await asyncio.sleep(1.5)
        assert now.reasons == [DIVERGED]
        assert await now.port() == replica.port


async def test_what_is_taken_away_from_under_a_read_is_read_from_the_primary(
    primary: Cluster, replica: Cluster
) -> None:
    await replica.set("max_standby_streaming_delay", "0")
    async with reading(primary, replica) as now:
        await now.until(lambda port: port == replica.port)
        statement = "select inet_server_port(), count(*) from stories, pg_sleep(1.5)"
        slow = asyncio.create_task(now.replicas.fetch_row(statement, ()))
        await asyncio.sleep(0.3)
        async with primary.connected() as conn:
            await conn.execute("delete from articles where story_id = 50")
            await conn.execute("delete from stories where id = 50")
            await conn.execute("vacuum stories")
        row = await slow
        assert row
        assert row[0] == primary.port
        assert not any(now.reasons)


async def test_while_the_primary_is_away_a_replica_answers_until_it_may_be_too_old(
    primary: Cluster, replica: Cluster
) -> None:
    async with reading(primary, replica, replica_lag_seconds=3) as now:
        await now.until(lambda port: port == replica.port)
        await asyncio.to_thread(primary.stop)
        assert [await now.port() for _ in range(20)] == [replica.port] * 20
        await asyncio.sleep(4)
        with pytest.raises(Unavailable):
            await now.port()
        await asyncio.to_thread(primary.start)
        async with asyncio.timeout(SOON):
            while await port_or_none(now) != replica.port:
                await asyncio.sleep(0.05)


async def test_an_operation_that_takes_too_long_on_a_replica_is_not_begun_anew(
    primary: Cluster, replica: Cluster
) -> None:
    async with reading(primary, replica, operation_timeout=1.0) as now:
        await now.until(lambda port: port == replica.port)
        began = asyncio.get_running_loop().time()
        with pytest.raises(OperationTimeout):
            await now.replicas.fetch_row("select pg_sleep(10)", ())
        assert asyncio.get_running_loop().time() - began < 2


async def test_the_doctor_looks_at_replicas(primary: Cluster, replica: Cluster) -> None:
    nobody = "postgresql://postgres@127.0.0.1:1/postgres"
    fit, away = await examine_replicas(primary.dsn(), [replica.dsn(), nobody], 10)
    assert fit.well, fit.told
    assert not away.well
    assert "cannot be reached" in away.told
    await replica.ask("select pg_wal_replay_pause()")
    await change(primary)
    (behind,) = await examine_replicas(primary.dsn(), [replica.dsn()], 0.5)
    assert not behind.well
    assert "more than 0.5 s behind" in behind.told
    await replica.ask("select pg_wal_replay_resume()")
    await asyncio.to_thread(replica.promote)
    (promoted,) = await examine_replicas(primary.dsn(), [replica.dsn()], 10)
    assert not promoted.well
    assert TAKES_WRITES in promoted.told


async def change(server: Cluster) -> None:
    async with server.connected() as conn:
        await conn.execute(retitle(1))


async def port_or_none(now: Reading) -> int | None:
    try:
        return await now.port()
    except (Unavailable, asyncpg.PostgresError):
        return None
