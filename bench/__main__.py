"""`python -m bench`: makes the corpus where it is missing, measures loads, queries and hits, prints what came of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from bench.driving import Unusable, check_wrk
from bench.filling import filled_database
from bench.hits import Hits, measure_hits
from bench.loading import measure_loading
from bench.peers.node import node_peers
from bench.querying import Effort, measure_queries
from bench.refusals import as_text as refusals_as_text
from bench.refusals import measure_refusals
from bench.report import Machine, as_json, as_text
from bench.servers import own_redis
from bench.targets import BARE, SERVED, STRAWBERRY
from service.embedded.postgres import EmbeddedPostgres

STORIES = 100_000
LOADED = 11_000
"""Stories of the stream that is loaded: about 200,000 articles."""
QUICK = Effort(warm_up=1, seconds=2, rounds=1)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stories", default=STORIES, show_default=True, help="Stories of the corpus that is queried.")
@click.option("--loaded", default=LOADED, show_default=True, help="Stories of the stream that is loaded; 0 for none.")
@click.option("--quick", is_flag=True, help="A small corpus and short runs: whether it works, not how fast.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the figures as JSON to this file too.")
def main(stories: int, loaded: int, quick: bool, output: Path | None) -> None:  # noqa: FBT001 - click passes flags by name
    """Measure loading, querying and what is kept, each beside what it could be at best.

    The corpus is kept as a database of the server that PARALLAX_BENCH_DATABASE_URL names, by default an embedded one
    in .parallax/bench; answers in the Redis that PARALLAX_BENCH_REDIS_URL names, by default one that ends with the run.
    """
    if quick:
        stories, loaded = min(stories, 2_000), min(loaded, 500)
    try:
        check_wrk()
        with _server() as dsn:
            asyncio.run(_measure(dsn, stories, loaded, QUICK if quick else Effort(), output))
    except Unusable as reason:
        sys.exit(str(reason))


async def _measure(server_dsn: str, stories: int, loaded: int, effort: Effort, output: Path | None) -> None:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", file=sys.stderr, flush=True)

    dsn = await filled_database(server_dsn, stories, tell)
    machine = await Machine.here(dsn)
    loading = await measure_loading(server_dsn, loaded) if loaded else None
    tell("loading measured")
    targets = [SERVED, BARE, STRAWBERRY, *node_peers(tell)]
    results = await measure_queries(dsn, targets, effort, tell)
    hits = await _hits(server_dsn, effort, tell)
    refusals = await measure_refusals(server_dsn, effort.seconds)
    tell("refusals measured")
    print(as_text(machine, effort, loading, results, hits))
    print("", refusals_as_text(refusals), sep="\n")
    if output:
        output.write_bytes(as_json(machine, effort, loading, results, hits))


async def _hits(server_dsn: str, effort: Effort, tell: Callable[[str], None]) -> Hits | None:
    given = os.environ.get("PARALLAX_BENCH_REDIS_URL")
    async with nullcontext(given) if given else own_redis() as redis:
        if redis is None:
            tell("what is kept is not measured: no redis-server is here, and PARALLAX_BENCH_REDIS_URL names no Redis")
            return None
        hits = await measure_hits(server_dsn, redis, effort)
        tell("what is kept measured")
        return hits


@contextmanager
def _server() -> Generator[str]:
    given = os.environ.pop("PARALLAX_BENCH_DATABASE_URL", None)
    if given:
        yield given
    else:
        with EmbeddedPostgres(Path(".parallax", "bench")) as dsn:
            yield dsn


if __name__ == "__main__":
    main()
