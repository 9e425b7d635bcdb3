"""What the six queries take as the data grows: one service after the other, each on a corpus of its own size."""

from __future__ import annotations

import asyncio
import sys
from statistics import median

import click

from bench.corpus import Corpus
from bench.driving import Measured, Unusable, check_wrk
from bench.filling import filled_database
from bench.queries import QUERIES
from bench.querying import Effort, measure_queries
from bench.targets import SERVED

STORIES = (5_400, 54_000, 540_000)
"""Those of about 0.1, 1 and 10 million articles."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stories", multiple=True, type=int, default=STORIES, show_default=True, help="Of each corpus.")
@click.option("--seconds", default=4, show_default=True, help="How long each query runs.")
@click.option("--rounds", default=3, show_default=True, help="How often, one corpus after the other; medians count.")
@click.option("--database", required=True, help="A Postgres that keeps the corpora, or where to make them.")
def main(stories: tuple[int, ...], seconds: int, rounds: int, database: str) -> None:
    """Measure the six queries on corpora of several sizes; that of ten million articles takes 19 GB and 45 minutes."""
    try:
        check_wrk()
        asyncio.run(_measure(database, stories, Effort(warm_up=3, seconds=seconds, rounds=1), rounds))
    except Unusable as reason:
        sys.exit(str(reason))


async def _measure(server: str, sizes: tuple[int, ...], effort: Effort, rounds: int) -> None:
    def tell(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    databases = {size: await filled_database(server, size, tell) for size in sizes}
    runs: dict[tuple[int, str], list[Measured]] = {}
    for _ in range(rounds):
        for size, dsn in databases.items():
            for result in await measure_queries(dsn, [SERVED], effort, tell):
                runs.setdefault((size, result.query.name), []).append(result.measured[SERVED.name])
    print("articles    " + "".join(f"{query.name + ' ms':>12}{'requests/s':>12}" for query in QUERIES))
    for size in sizes:
        told = [
            (median(r.p50 for r in runs[size, q.name]), median(r.rate for r in runs[size, q.name])) for q in QUERIES
        ]
        print(f"{Corpus(size).article_count:<12,}" + "".join(f"{p50:12.2f}{rate:12,.0f}" for p50, rate in told))


if __name__ == "__main__":
    main()
