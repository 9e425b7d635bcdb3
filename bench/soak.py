"""`python -m bench.soak`: a part of what two processes can do, for long, while news are loaded; then a recount.

Finds first how much they can do; then asks at that share, and has `parallax load` run every few seconds with the next
articles of a stream. Watches memory, errors and times, and compares every figure in the end with one counted anew.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import click
import orjson

from bench.chaos.parts import Part, Postgres, Redis, Service
from bench.corpus import Corpus
from bench.driving import Unusable, check_wrk, drive, pace
from bench.queries import QUERIES
from bench.servers import ROOT, SETTINGS
from bench.stream import Line, lines
from service.db.migrations import migrate
from service.load import load
from tests.integration.recount import recount

T = TypeVar("T")

OUTLETS = 500
PROCESSES = 2
CONNECTIONS = 64
"""For each process, each with a pause between requests."""
CAPACITY_SECONDS = 10
ROUND = 20
"""Seconds after which the pace is set anew, and a line is printed."""
LOAD_EVERY = 10.0
SAMPLE_EVERY = 5.0
ASKED = {"q1": 300, "q2": 30, "q3": 30, "q4": 100, "q5": 300}
"""How often each query of the benchmark is among the requests that are gone through again and again."""
GROWTH = 0.1
"""The part by which memory may be larger in the last quarter than in the second."""


@dataclass
class Soaked:
    """What came of it. Memory by process: bytes, each `SAMPLE_EVERY` seconds."""

    minutes: float
    capacity: float = 0.0
    rates: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])
    requests: int = 0
    failed: int = 0
    loaded: int = 0
    loads_failed: int = 0
    memory: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    differences: list[str] = field(default_factory=list[str])

    def growth(self, name: str) -> float:
        """The part by which the memory of a process was larger in the last quarter of the time than in the second."""
        samples = self.memory[name]
        quarter = max(1, len(samples) // 4)
        second, last = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
        return (sum(last) / len(last)) / (sum(second) / len(second)) - 1

    @property
    def is_well(self) -> bool:
        """Whether nothing failed, every figure agrees, and no process of the service has grown."""
        grown = [name for name in self.memory if name.startswith("service") and self.growth(name) > GROWTH]
        return not (self.failed or self.loads_failed or self.differences or grown)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--share", default=0.7, show_default=True, help="Of what can be done, what is asked.")
@click.option("--articles", default=20, show_default=True, help="Articles that are loaded each second.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write all as JSON to this file too.")
def main(minutes: float, share: float, articles: int, output: Path | None) -> None:
    """Ask for long, while news are loaded. Ends with 1 where anything failed, disagrees or has grown."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started goes
    try:
        check_wrk()
        soaked = asyncio.run(_measure(minutes, share, articles))
    except Unusable as reason:
        sys.exit(str(reason))
    print(as_text(soaked))
    if output:
        output.write_bytes(orjson.dumps(asdict(soaked), option=orjson.OPT_INDENT_2) + b"\n")
    sys.exit(not soaked.is_well)


def as_text(soaked: Soaked) -> str:
    """The figures in words."""
    rate = sum(soaked.rates) / len(soaked.rates)
    asked = (
        f"{soaked.minutes:g} minutes at {rate:,.0f} requests/s, {rate / soaked.capacity:.0%} of {soaked.capacity:,.0f}:"
        f" {soaked.requests:,} requests, {soaked.failed:,} failed; p99 {max(soaked.p99):.0f} ms in the worst {ROUND} s,"
        f" {sorted(soaked.p99)[len(soaked.p99) // 2]:.0f} ms in the median"
    )
    loaded = (
        f"{soaked.loaded:,} articles loaded, {soaked.loads_failed} loads failed;"
        f" {len(soaked.differences)} figures that a recount has otherwise"
    )
    told = [asked, loaded]
    for name, samples in soaked.memory.items():
        first, last = samples[0] / 1e6, samples[-1] / 1e6
        told.append(
            f"memory of {name}: {first:,.0f} MB at first, {max(samples) / 1e6:,.0f} at most, {last:,.0f} in the end;"
            f" last quarter to second: {soaked.growth(name):+.1%}"
        )
    return "\n".join([*told, *soaked.differences[:20]])


async def _measure(minutes: float, share: float, articles: int) -> Soaked:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", file=sys.stderr, flush=True)

    soaked = Soaked(minutes)
    async with _parts() as (folder, postgres, redis, services):
        batch = int(articles * LOAD_EVERY)
        first = batch * (int(minutes * 60 / LOAD_EVERY) + 2)
        stream = lines(Corpus(max(500, first // 9), outlets=OUTLETS))  # twice as many articles, and some
        tell("loading what is there at first")
        await load(postgres.dsn, [_written(folder / "first", _next(stream, first))])
        bodies = await _bodies(postgres.dsn, folder / "bodies")
        tell("finding what can be done")
        pause = await _find_capacity(soaked, services, bodies, share)
        tell(f"{soaked.capacity:,.0f} requests/s can be done, {share:.0%} of that will")
        loading = _load_on(soaked, folder, postgres.dsn, stream, batch)
        async with _meanwhile(loading, _sample(soaked, [*services, postgres, redis])):
            end = time.monotonic() + minutes * 60
            while (left := end - time.monotonic()) > 1:
                seconds = max(1, round(min(ROUND, left)))
                pause = await _ask(soaked, services, bodies, max(0.0, pause), seconds, soaked.capacity * share)
                memory = ", ".join(f"{name} {samples[-1] / 1e6:.0f} MB" for name, samples in soaked.memory.items())
                tell(f"{soaked.rates[-1]:,.0f}/s, p99 {soaked.p99[-1]:.0f} ms, {soaked.failed} failed; {memory}")
        tell("counting all anew")
        soaked.differences = await recount(postgres.dsn)
    return soaked


async def _find_capacity(soaked: Soaked, services: list[Service], bodies: Path, share: float) -> float:
    """Notes how much can be done; the milliseconds for which each connection is to pause for a share of that."""
    asking = (
        drive(each.url + "/graphql", bodies, warm_up=CAPACITY_SECONDS, seconds=CAPACITY_SECONDS) for each in services
    )
    results = await _all(asking)
    soaked.capacity = sum(each.rate for each in results)
    return _pause(soaked.capacity * share) - sum(each.p50 for each in results) / len(results)


@asynccontextmanager
async def _meanwhile(*work: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """What goes on without end while the block runs. Raises Unusable where it ended before."""
    tasks = [asyncio.create_task(each) for each in work]
    yield
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(result, asyncio.CancelledError):
            raise Unusable(f"a part of the soak ended before it was told to: {result!r}")


async def _ask(  # noqa: PLR0917 - what is asked, of whom, how
    soaked: Soaked, services: list[Service], bodies: Path, pause: float, seconds: int, wanted: float
) -> float:
    """Asks for so many seconds; the pause with which the rate would have been what is wanted."""
    asking = (
        pace(each.url + "/graphql", bodies, connections=CONNECTIONS, seconds=seconds, pause=pause) for each in services
    )
    results = await _all(asking)
    rate = sum(measured.rate for measured, _ in results)
    soaked.rates.append(rate)
    soaked.p99.append(max(measured.p99 for measured, _ in results))
    soaked.requests += round(rate * seconds)
    soaked.failed += sum(failed for _, failed in results)
    return pause + _pause(wanted) - _pause(max(1.0, rate))


def _pause(rate: float) -> float:
    """Milliseconds from one request of a connection to its next, at so many a second of all."""
    return 1e3 * PROCESSES * CONNECTIONS / rate


async def _load_on(soaked: Soaked, folder: Path, dsn: str, stream: Iterator[Line], batch: int) -> None:
    """Has `parallax load` run again and again, each time with the next lines."""
    environment = {**os.environ, **SETTINGS, "PARALLAX_DATABASE_URL": dsn}
    while True:
        began = time.monotonic()
        news = _next(stream, batch)
        command = [sys.executable, "-m", "service", "load", str(_written(folder / "next", news))]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            soaked.loads_failed += await process.wait() != 0
        finally:
            await process.wait()  # also where this is cancelled: what is counted anew must not change
        soaked.loaded += sum(line["type"] == "article" for line in news)
        await asyncio.sleep(max(0.0, began + LOAD_EVERY - time.monotonic()))


def _next(stream: Iterator[Line], articles: int) -> list[Line]:
    """The next lines, with so many articles among them."""
    taken: list[Line] = []
    while articles and (line := next(stream, None)):
        taken.append(line)
        articles -= line["type"] == "article"
    return taken


async def _sample(soaked: Soaked, parts: list[Part]) -> None:
    while True:
        for part in parts:
            resident = sum(each.memory_info().rss for each in part.members()[:1])
            soaked.memory.setdefault(part.name, []).append(resident)
        await asyncio.sleep(SAMPLE_EVERY)


async def _all(work: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*work))


def _written(file: Path, stream: list[Line]) -> Path:
    path = file.with_suffix(".ndjson")
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in stream))
    return path


async def _bodies(dsn: str, path: Path) -> Path:
    """The requests, mixed, one a line."""
    requests: list[bytes] = []
    for query in QUERIES:
        # In a stream that has just begun no story has many articles.
        early = replace(query, slugs=query.slugs.replace("article_count >= 24", "article_count > 0"))
        variables = await early.variables(dsn)
        for number in range(ASKED.get(query.name, 0)):
            body = {"query": query.operation, "variables": variables[number % len(variables)]}
            requests.append(orjson.dumps(body))
    random.Random(1).shuffle(requests)
    path.write_bytes(b"".join(request + b"\n" for request in requests))
    return path


@asynccontextmanager
async def _parts() -> AsyncGenerator[tuple[Path, Postgres, Redis, list[Service]]]:
    """A Postgres with nothing in it, a Redis and the processes, in a folder for as long as they run."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parallax-soak-", dir="/tmp")))
        folder.chmod(0o711)
        postgres, redis = Postgres(folder), Redis()
        await asyncio.to_thread(postgres.create)
        for part in (postgres, redis):
            await part.start()
            stack.push_async_callback(part.stop)
        await migrate(postgres.dsn)
        settings = {
            "PARALLAX_DATABASE_URL": postgres.dsn,
            "PARALLAX_REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "PARALLAX_ALLOWANCES": "measure",
        }
        services = [Service.of(f"service {number}", settings) for number in range(1, PROCESSES + 1)]
        for service in services:
            await service.start()
            stack.push_async_callback(service.stop)
        yield folder, postgres, redis, services


if __name__ == "__main__":
    main()
