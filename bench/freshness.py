"""How soon a change shows: from its commit to the first page, of any of several processes, that has it; under load.

Meanwhile one reader for each process watches that no page is older than one that the same process gave before. It rests
a little between reads: where two processes wake each other without pause on every core, Linux may let all others wait
for seconds (6.18 does), Postgres and Redis among them, and nothing is measured but that.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import click
import orjson

from bench.driving import Unusable, check_wrk
from bench.loading import empty_database
from bench.servers import SERVICE, running

PAGE = (
    "query($id: ID!) { story(by: {id: $id}) { id title coverage { outletCount bias { left { percent } right { percent }"
    " } } articles(first: 10) { nodes { title url outlet { name bias } } } timeline { start articleCount } } }"
)
STORIES = 100
ARTICLES = 20
WATCHING = Path(__file__).parent / "freshness.lua"
CORPUS = f"""
insert into outlets (domain, slug, name)
select 'o' || n || '.example', 'o' || n, 'Outlet ' || n from generate_series(1, 50) n;
insert into ratings (outlet_id, agency, bias)
select n, 'A', (enum_range(null::bias))[n % 7 + 1] from generate_series(1, 50) n;
insert into stories (key, slug, title) select n, n, 'Story 0' from generate_series(1, {STORIES}) n;
insert into articles (outlet_id, story_id, published_at, url, title)
select a * 7 % 50 + 1, s, now() - a * interval '1 hour', 'https://o.example/' || s || '/' || a, 'Article ' || a
from generate_series(1, {STORIES}) s, generate_series(1, {ARTICLES}) a;
"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from each commit to the first process' fresh page and to the last's; and what readers saw."""

    first: list[float]
    last: list[float]
    reads: int
    older: int


@dataclass(frozen=True, slots=True)
class Servers:
    """A Postgres to make a database on, a Redis, and how many processes are to serve from them."""

    database: str
    redis: str
    processes: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--changes", default=1_000, show_default=True)
@click.option("--processes", default=4, show_default=True)
@click.option("--pause", default=0.1, show_default=True, help="Seconds between changes.")
@click.option("--rest", default=1, show_default=True, help="Milliseconds between two reads of a reader.")
@click.option("--database", required=True, help="A Postgres to make a database on.")
@click.option("--redis", required=True, help="The Redis of the processes.")
def main(*, changes: int, processes: int, pause: float, rest: int, database: str, redis: str) -> None:
    """Measure how soon changes show, and whether any page is older than one before it."""
    try:
        check_wrk()
        measured = asyncio.run(measure_freshness(Servers(database, redis, processes), changes, pause, rest))
    except Unusable as reason:
        sys.exit(str(reason))
    print(as_text(measured))


def as_text(measured: Freshness) -> str:
    """The figures in words."""
    lines = [
        f"{name}: p50 {_part(values, 0.5):.1f} ms, p99 {_part(values, 0.99):.1f} ms, most {max(values) * 1e3:.1f} ms"
        for name, values in (("first fresh page", measured.first), ("fresh in all processes", measured.last))
    ]
    return "\n".join([*lines, f"{measured.reads:,} reads, {measured.older:,} of them older than one before"])


def _part(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] * 1e3


async def measure_freshness(servers: Servers, changes: int, pause: float, rest: int) -> Freshness:
    """Makes changes one after the other while every process is read from."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(empty_database(servers.database))
        conn = await asyncpg.connect(dsn)
        stack.push_async_callback(conn.close)
        await conn.execute(CORPUS)
        settings = {"PARALLAX_REDIS_URL": servers.redis, "PARALLAX_CACHE_BYTES": "64000000"}
        starting = (running(SERVICE, dsn, "/readyz", settings) for _ in range(servers.processes))
        urls = [await stack.enter_async_context(each) for each in starting]
        probes = [await stack.enter_async_context(probing(url)) for url in urls]
        watching = [await stack.enter_async_context(_watching(url, number, rest)) for number, url in enumerate(urls)]
        first: list[float] = []
        last: list[float] = []
        for number in range(1, changes + 1):
            times = await _change(conn, probes, number)
            first.append(min(times))
            last.append(max(times))
            await asyncio.sleep(pause)
        seen = [await _watched(process) for process in watching]
    return Freshness(first, last, sum(each["reads"] for each in seen), sum(each["older"] for each in seen))


async def _change(conn: asyncpg.Connection[asyncpg.Record], probes: list[Probe], number: int) -> list[float]:
    story = number % STORIES + 1
    await conn.execute("update stories set title = $1 where id = $2", f"Story {number}", story)
    committed = time.perf_counter()
    return await asyncio.gather(*(probe.until(story, number, committed) for probe in probes))


@dataclass(frozen=True, slots=True)
class Probe:
    """One connection to one process."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def until(self, story: int, number: int, began: float) -> float:
        """Seconds from then until the story's page has the change."""
        title = b'"title":"Story %d"' % number
        while title not in await self._page(story):
            if time.perf_counter() - began > 10:
                raise Unusable("a change did not show within 10 seconds")
        return time.perf_counter() - began

    async def _page(self, story: int) -> bytes:
        variables = quote(orjson.dumps({"id": f"story_{story}"}))
        path = f"/graphql?variables={variables}&query={quote(PAGE)}"
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        return await self.reader.readexactly(length)


@asynccontextmanager
async def probing(url: str) -> AsyncGenerator[Probe]:
    """A probe of the process at the URL."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        yield Probe(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def _watching(url: str, number: int, rest: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A reader that goes on until it is interrupted."""
    process = await asyncio.create_subprocess_exec(
        "wrk", "-t1", "-c1", "-d3600s", "-s", WATCHING, url, "--", str(STORIES), quote(PAGE), str(number), str(rest),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _watched(process: asyncio.subprocess.Process) -> dict[str, int]:
    process.send_signal(2)
    output, _ = await process.communicate()
    told = orjson.loads(output.splitlines()[-1])
    if told["broken"]:
        raise Unusable(f"a reader failed: {told}")
    return told


if __name__ == "__main__":
    main()
