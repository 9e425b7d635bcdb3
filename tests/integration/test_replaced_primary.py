"""The change feed where the primary dies and its replica takes over, amid writers whose transactions overlap."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import asyncpg
import pytest

from bench.line import Line
from service.db.migrations import migrate
from tests.clusters import Cluster, clusters
from tests.databases import settled
from tests.integration.test_change_feed import SOON, STORIES, Conn, Heard, following, retitle, until

pytestmark = pytest.mark.own_engines


WRITERS = 6
GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@pytest.fixture
def servers() -> Iterator[list[Cluster]]:
    """A primary that runs, and one that is to become its replica."""
    with clusters(2) as made:
        yield made


@pytest.fixture
async def line(servers: list[Cluster]) -> AsyncIterator[Line]:
    line = Line("127.0.0.1", servers[0].port)
    await line.open()
    yield line
    await line.cut()


async def replicate(primary: Cluster, replica: Cluster) -> None:
    """Has the replica follow; from then on no commit returns, or is seen, before the replica has it."""
    await asyncio.to_thread(replica.copy, primary)
    conn = await asyncpg.connect(primary.dsn())
    await conn.execute("alter system set synchronous_standby_names = '*'")
    await conn.execute("select pg_reload_conf()")
    async with asyncio.timeout(SOON):
        while await conn.fetchval("select count(*) from pg_stat_replication where sync_state = 'sync'") == 0:
            await asyncio.sleep(0.05)
    await conn.close()


async def promote(replica: Cluster) -> Conn:
    """A connection to what is a primary from now on, and waits for no replica."""
    await asyncio.to_thread(replica.promote)
    conn = await asyncpg.connect(replica.dsn())
    await conn.execute("alter system reset synchronous_standby_names")
    await conn.execute("select pg_reload_conf()")
    return conn


async def changes_after(conn: Conn, cursor: str) -> list[tuple[str, int]]:
    """What the table says was changed since: transaction and story."""
    rows = await conn.fetch(
        "select c.xid::text as xid, c.story_id from changes c, change_position($1) p"
        " where (c.xid, c.seq) > (p.xid, p.seq) order by c.xid, c.seq",
        cursor,
    )
    return [(row["xid"], row["story_id"]) for row in rows]


async def write(dsn: str, number: int, enough: asyncio.Event) -> None:
    """Changes stories in transactions that overlap with others' and commit in any order; some never do."""
    dice = random.Random(number)
    while not enough.is_set():
        with suppress(*GONE):
            conn = await asyncpg.connect(dsn, timeout=2)
            try:
                while not enough.is_set():
                    transaction = conn.transaction()
                    await transaction.start()
                    await conn.execute(retitle(number * 8 + dice.randrange(8) + 1), timeout=5)
                    await asyncio.sleep(dice.random() * 0.05)
                    await (transaction.rollback() if dice.random() < 0.2 else transaction.commit())
            finally:
                conn.terminate()
        await asyncio.sleep(0.05)


async def poll(conn: Conn, cursor: str) -> tuple[str, list[tuple[str, int]]]:
    """The next few changes after a cursor, and the cursor after them."""
    rows = await conn.fetch(
        "select change_cursor(c.xid, c.seq) as cursor, c.xid::text as xid, c.story_id from change_feed($1, 5) f"
        " join changes c on (c.xid, c.seq) > (f.after_xid, f.after_seq) and (c.xid, c.seq) <= (f.end_xid, f.end_seq)"
        " order by c.xid, c.seq",
        cursor,
        timeout=5,
    )
    return rows[-1]["cursor"] if rows else cursor, [(row["xid"], row["story_id"]) for row in rows]


async def test_nothing_is_missed_when_a_replica_takes_the_place_of_the_primary(
    servers: list[Cluster], line: Line
) -> None:
    primary, replica = servers
    dsn = primary.dsn(line.port)
    await migrate(primary.dsn())
    conn = await asyncpg.connect(primary.dsn())
    await conn.execute(STORIES)
    await settled(conn)
    start: str = await conn.fetchval("select change_cursor(h.xid, h.seq) from change_head() h")
    await conn.close()
    await replicate(primary, replica)

    polled: list[tuple[str, int]] = []
    cursor, enough, read = start, asyncio.Event(), asyncio.Event()

    async def follow_by_polling() -> None:
        nonlocal cursor
        while not read.is_set():
            with suppress(*GONE):
                conn = await asyncpg.connect(dsn, timeout=2)
                try:
                    while not read.is_set():
                        cursor, some = await poll(conn, cursor)
                        polled.extend(some)
                        await asyncio.sleep(0.005)
                finally:
                    conn.terminate()
            await asyncio.sleep(0.05)

    async with following(dsn) as heard, asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(write(dsn, number, enough))
        group.create_task(follow_by_polling())
        await until(lambda: len(heard.stories) > 50 and len(polled) > 150)
        # A connection that breaks, a restart, and then the end of the primary.
        await line.cut()
        await line.open()
        await more(heard)
        await asyncio.to_thread(primary.stop)
        await asyncio.to_thread(primary.start)
        await more(heard)
        await asyncio.to_thread(primary.stop)
        await line.cut()
        conn = await promote(replica)
        line.target = replica.port
        await line.open()
        await more(heard)
        enough.set()
        await settled(conn)
        written = await changes_after(conn, start)
        await until(lambda: set(polled) >= set(written))
        read.set()
        await until(lambda: missed(written, heard_after_last_begin(heard)) == [])
        await conn.close()
    assert len(written) > 150
    assert_each_once(polled, written)


async def more(heard: Heard) -> None:
    """Until some more changes have been told."""
    before = len(heard.stories)
    await until(lambda: len(heard.stories) > before + 30)


def assert_each_once(polled: list[tuple[str, int]], written: list[tuple[str, int]]) -> None:
    assert [each for each in polled if each in written] == written, "each once, in the feed's order"
    # A primary that starts again shows commits that its replica was still to get when it died.
    assert len(polled) <= len(written) + 2 * WRITERS


def heard_after_last_begin(heard: Heard) -> tuple[int, Counter[tuple[int, int]]]:
    """From which transaction on all must have been told, and what was."""
    last = heard.beginnings[-1]
    return heard.looks[last].horizon, Counter(each for look in heard.looks[last:] for each in look.stories)


def missed(written: list[tuple[str, int]], told: tuple[int, Counter[tuple[int, int]]]) -> list[tuple[int, int]]:
    """What was written and not told exactly once, where it had to be told."""
    horizon, counted = told
    return [(int(xid), story) for xid, story in written if int(xid) >= horizon and counted[int(xid), story] != 1]
