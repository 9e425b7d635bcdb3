"""What callers see while Postgres or Redis is stopped, hangs or is emptied under load, before that, and afterwards.

Two processes on one Redis are read from while stories change. Of ten reads nine are of pages that are read all the
time, one is of a page that nobody has asked for. What `--stop` and `--start` do is up to the caller: both are commands.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import asyncpg
import click

from bench.driving import Unusable
from bench.freshness import CORPUS, PAGE, STORIES, Servers, probing
from bench.loading import empty_database
from bench.servers import SERVICE, running

READERS = 4
"""For each process."""
REST = 0.01
CHANGE_EVERY = 0.2
BEFORE, AFTER = 10.0, 15.0


@dataclass
class Phase:
    """What was answered in a phase: how often in which way, and the seconds that each took."""

    answers: Counter[str] = field(default_factory=Counter[str])
    seconds: list[float] = field(default_factory=list[float])

    def __str__(self) -> str:
        took = sorted(self.seconds)
        parts = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0))
        times = [f"{name} {took[min(len(took) - 1, int(part * len(took)))] * 1e3:.0f} ms" for name, part in parts]
        return ", ".join([*(f"{name} {count:,}" for name, count in sorted(self.answers.items())), *times])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stop", required=True, help="A command that has something fail.")
@click.option("--start", default="true", show_default=True, help="A command that ends that.")
@click.option("--seconds", default=60.0, show_default=True, help="Between both.")
@click.option("--database", required=True, help="A Postgres to make a database on.")
@click.option("--redis", required=True, help="The Redis of the processes.")
def main(stop: str, start: str, seconds: float, database: str, redis: str) -> None:
    """Measure what callers see while something fails."""
    try:
        for name, phase in asyncio.run(measure_failing(Servers(database, redis, 2), stop, start, seconds)).items():
            print(f"{name}: {phase}")
    except Unusable as reason:
        sys.exit(str(reason))


async def measure_failing(servers: Servers, stop: str, start: str, seconds: float) -> dict[str, Phase]:
    """What was answered in each phase; raises Unusable where not all is fresh in the end."""
    phases = {name: Phase() for name in ("before", "while it fails", "just after", "after")}
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(empty_database(servers.database))
        await _fill(dsn)
        settings = {"PARALLAX_REDIS_URL": servers.redis, "PARALLAX_CACHE_BYTES": "64000000"}
        starting = (running(SERVICE, dsn, "/readyz", settings) for _ in range(servers.processes))
        urls = [await stack.enter_async_context(each) for each in starting]
        phase = phases["before"]
        reading = [asyncio.create_task(_read(url, lambda: phase)) for url in urls for _ in range(READERS)]
        changing = asyncio.create_task(_change(dsn))
        await asyncio.sleep(BEFORE)
        phase = phases["while it fails"]
        await _run(stop)
        await asyncio.sleep(seconds)
        await _run(start)
        phase = phases["just after"]
        await asyncio.sleep(5)
        phase = phases["after"]
        await asyncio.sleep(AFTER)
        for task in (changing, *reading):
            task.cancel()
        for result in await asyncio.gather(changing, *reading, return_exceptions=True):
            if not isinstance(result, asyncio.CancelledError):
                raise Unusable(f"the load ended before it was told to: {result!r}")
        await _check_fresh(dsn, urls)
    return phases


async def _fill(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(CORPUS)
    await conn.close()


async def _run(command: str) -> None:
    process = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise Unusable(f"{command} failed")


async def _read(url: str, phase: Callable[[], Phase]) -> None:
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    while True:
        rare = random.random() < 0.1
        query = PAGE.replace("title coverage", f"a{random.getrandbits(60)}: title coverage") if rare else PAGE
        variables = f"%7B%22id%22%3A%22story_{random.randint(1, STORIES)}%22%7D"
        began = time.perf_counter()
        path = f"/graphql?variables={variables}&query={quote(query)}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]))
        phase().seconds.append(time.perf_counter() - began)
        status = head.split(b" ", 2)[1].decode()
        marked = " stale" if b"ttl=-1" in head else ""
        again = " with retry-after" if b"retry-after" in head else ""
        phase().answers[f"{'rare' if rare else 'common'} {status}{marked}{again}"] += 1
        await asyncio.sleep(REST)


async def _change(dsn: str) -> None:
    """Changes stories one after the other, whenever Postgres is there."""
    number = 0
    while True:
        try:
            conn = await asyncpg.connect(dsn, timeout=2)
            while True:
                number += 1
                await conn.execute(
                    "update stories set title = $1 where id = $2", f"Story {number}", number % STORIES + 1
                )
                await asyncio.sleep(CHANGE_EVERY)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(CHANGE_EVERY)


async def _check_fresh(dsn: str, urls: list[str]) -> None:
    """Whether every process has every story as the database has it, and hears of a change."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("update stories set title = 'Story ' || 1000000 + id")
    for url in urls:
        async with probing(url) as probe:
            for story in range(1, STORIES + 1):
                await probe.until(story, 1_000_000 + story, time.perf_counter())
    await conn.close()


if __name__ == "__main__":
    main()
