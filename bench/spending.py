"""What each answer takes of the processor: of its server, of Postgres, and of all else, wrk and the kernel among it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import click
import psutil

from bench.driving import Unusable, check_wrk, drive
from bench.filling import filled_database
from bench.peers.node import node_peers
from bench.queries import QUERIES, Query
from bench.querying import Effort, asking_for, variables_of
from bench.servers import started, used
from bench.targets import BARE, SERVED, Target

STORIES = 100_000
NAMES = click.Choice([query.name for query in QUERIES], case_sensitive=False)
HEAD = f"{'':24}{'answers/s':>10}{'server':>10}{'Postgres':>10}{'all else':>10}{'idle':>10}"


@dataclass(frozen=True, slots=True)
class Spent:
    """Answers a second, and microseconds of the processor for each of them; `idle` is what no core did."""

    rate: float
    server: float
    postgres: float
    rest: float
    idle: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stories", default=STORIES, show_default=True, help="Stories of the corpus.")
@click.option("--seconds", default=5, show_default=True, help="How long each query runs.")
@click.option("--query", "names", multiple=True, type=NAMES, help="All six where none is given.")
@click.option("--database", required=True, help="A Postgres here that keeps the corpus, or where to make it.")
def main(stories: int, seconds: int, names: tuple[str, ...], database: str) -> None:
    """Measure what answers of service, floor and peers on Node.js take, made anew each time."""
    chosen = [query for query in QUERIES if not names or query.name in names]
    try:
        check_wrk()
        asyncio.run(_measure(database, stories, chosen, Effort(warm_up=2, seconds=seconds)))
    except Unusable as reason:
        sys.exit(str(reason))


async def _measure(server: str, stories: int, queries: list[Query], effort: Effort) -> None:
    def tell(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    dsn = await filled_database(server, stories, tell)
    targets = [SERVED, BARE, *node_peers(tell)]
    print(HEAD)
    for query in queries:
        variables = await variables_of(query, dsn)
        for target in targets:
            spent = await _spent(dsn, query, variables, target, effort)
            times = (spent.server, spent.postgres, spent.rest, spent.idle)
            print(f"{query.name} {target.name:21}{spent.rate:10,.0f}{''.join(f'{each:7,.0f} µs' for each in times)}")


async def _spent(dsn: str, query: Query, variables: list[dict[str, Any]], target: Target, effort: Effort) -> Spent:
    async with started(target.command, dsn, "/livez", target.settings) as (base, pid):
        with tempfile.TemporaryDirectory() as folder:
            asking = asking_for(target, query, variables, base, Path(folder))
            await drive(asking.url, asking.bodies, warm_up=0, seconds=effort.warm_up)
            server = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            postgres = await _backends(dsn)
            before = _all(server), _all(postgres), psutil.cpu_times()
            measured = await drive(asking.url, asking.bodies, warm_up=0, seconds=effort.seconds)
            after = _all(server), _all(postgres), psutil.cpu_times()
    each = 1e6 / (measured.rate * effort.seconds)
    by_server, by_postgres = after[0] - before[0], after[1] - before[1]
    idle = after[2].idle + after[2].iowait - before[2].idle - before[2].iowait
    rest = sum(after[2]) - sum(before[2]) - idle - by_server - by_postgres
    return Spent(measured.rate, by_server * each, by_postgres * each, rest * each, idle * each)


async def _backends(dsn: str) -> list[psutil.Process]:
    """The processes of Postgres that serve this database's connections."""
    conn = await asyncpg.connect(dsn)
    try:
        serving = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        return [psutil.Process(row[0]) for row in await conn.fetch(serving)]
    except psutil.NoSuchProcess:
        raise Unusable("the Postgres is not on this machine: what it takes cannot be told") from None
    finally:
        await conn.close()


def _all(processes: list[psutil.Process]) -> float:
    return sum(used(each) for each in processes if each.is_running())


if __name__ == "__main__":
    main()
