"""How processes bear load: the same requests by ever more connections, and by two processes in place of one.

Server, Postgres and wrk share one machine. Where that has no cores to spare, the processor time that servers take for a
request says more than the rate. Where two processes are compared with one, each is confined to one core with the wrk
that drives it: what they answer from memory they share nothing for.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import orjson
import psutil

from bench.driving import Pressed, Unusable, check_wrk, press
from bench.filling import filled_database
from bench.queries import QUERIES
from bench.servers import SERVICE, UNCACHED, started, used

CONNECTIONS = (1, 8, 64, 256, 512)
EACH = 64
"""Connections to each process where one and two are compared."""
WARM_UP = 2
HEAD = f"{'':18}{'answered/s':>12}{'refused/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'processor':>13}{'of the best':>13}"


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: a query of the benchmark, answered from memory or made each time."""

    name: str
    query: str
    settings: Mapping[str, str]


LOADS = (
    Load("q1 kept", "q1", {}),
    Load("q5 kept", "q5", {}),
    Load("q1 made", "q1", UNCACHED),
    Load("q5 made", "q5", UNCACHED),
    Load("q6 made", "q6", UNCACHED),
)


@dataclass(frozen=True, slots=True)
class Borne:
    """What was answered, and the microseconds of the servers' processor for each request."""

    run: Pressed
    processor: float


@dataclass(frozen=True, slots=True)
class Run:
    """A server, or several, and what is sent to each."""

    servers: Sequence[tuple[str, int]]
    bodies: Path
    seconds: int

    async def borne(self, connections: int, *, apart: bool = False) -> Borne:
        """Presses each server with so many connections at the same time; `apart` on a core of its own each."""
        await self._press(connections, WARM_UP, apart=apart)
        processes = [psutil.Process(pid) for _, pid in self.servers]
        before = sum(map(used, processes))
        runs = await self._press(connections, self.seconds, apart=apart)
        took = sum(map(used, processes)) - before
        run = Pressed(
            sum(each.answered for each in runs),
            sum(each.refused for each in runs),
            max(each.p50 for each in runs),
            max(each.p99 for each in runs),
        )
        return Borne(run, took / (run.answered + run.refused) / self.seconds * 1e6)

    async def _press(self, connections: int, seconds: int, *, apart: bool) -> list[Pressed]:
        pressing = [
            press(f"{url}/graphql", self.bodies, connections=connections, seconds=seconds, core=core if apart else None)
            for core, (url, _) in enumerate(self.servers)
        ]
        return await asyncio.gather(*pressing)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=5, show_default=True, help="How long each run is.")
@click.option("--rounds", default=3, show_default=True, help="How often each is done; medians are told.")
@click.option("--stories", default=2_000, show_default=True, help="Stories of the corpus.")
@click.option("--connections", multiple=True, type=int, default=CONNECTIONS, show_default=True)
@click.option("--load", "names", multiple=True, type=click.Choice([each.name for each in LOADS]), help="Only this.")
@click.option("--database", required=True, help="A Postgres that keeps the corpus, or where to make it.")
def main(
    *, seconds: int, rounds: int, stories: int, connections: tuple[int, ...], names: tuple[str, ...], database: str
) -> None:
    """Measure throughput by connections and by processes."""
    loads = [each for each in LOADS if each.name in names or not names]
    try:
        check_wrk()
        asyncio.run(_measure(database, stories, loads, connections, (seconds, rounds)))
    except Unusable as reason:
        sys.exit(str(reason))


async def _measure(
    server: str, stories: int, loads: Sequence[Load], connections: Sequence[int], effort: tuple[int, int]
) -> None:
    dsn = await filled_database(server, stories, lambda what: print(what, file=sys.stderr))
    seconds, rounds = effort
    print(HEAD)
    for load in loads:
        async with _bodies(load, dsn) as bodies, _servers(load, dsn, 1) as servers:
            run = Run(servers, bodies, seconds)
            by_number = {number: await _median(run, number, rounds) for number in connections}
            best = max(each.run.answered for each in by_number.values())
            for number, borne in by_number.items():
                print(_line(f"{load.name} {number:>4}", borne, best), flush=True)
        await _compare_processes(load, dsn, seconds, rounds)


async def _compare_processes(load: Load, dsn: str, seconds: int, rounds: int) -> None:
    """One process, and two that are not on each other's core."""
    if len(psutil.Process().cpu_affinity() or ()) < 2:
        return
    async with _bodies(load, dsn) as bodies, _servers(load, dsn, 2) as servers:
        for core, (_, pid) in enumerate(servers):
            psutil.Process(pid).cpu_affinity([core])
        one = await _median(Run(servers[:1], bodies, seconds), EACH, rounds, apart=True)
        two = await _median(Run(servers, bodies, seconds), EACH, rounds, apart=True)
    for name, borne in (("1 process", one), ("2 processes", two)):
        print(_line(f"{load.name} {name}", borne, one.run.answered), flush=True)


async def _median(run: Run, connections: int, rounds: int, *, apart: bool = False) -> Borne:
    runs = [await run.borne(connections, apart=apart) for _ in range(rounds)]
    return sorted(runs, key=lambda each: each.run.answered)[rounds // 2]


def _line(name: str, borne: Borne, best: float) -> str:
    run = borne.run
    return (
        f"{name:18}{run.answered:12,.0f}{run.refused:11,.0f}{run.p50:9.1f}{run.p99:9.1f}"
        f"{borne.processor:10.1f} µs{run.answered / best:13.2f}"
    )


@asynccontextmanager
async def _bodies(load: Load, dsn: str) -> AsyncGenerator[Path]:
    """A file of requests, one a line."""
    query = next(each for each in QUERIES if each.name == load.query)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bodies")
        requests = ({"query": query.operation, "variables": each} for each in await query.variables(dsn))
        file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in requests))
        yield file


@asynccontextmanager
async def _servers(load: Load, dsn: str, number: int) -> AsyncGenerator[list[tuple[str, int]]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(started(SERVICE, dsn, "/readyz", load.settings)) for _ in range(number)]


if __name__ == "__main__":
    main()
