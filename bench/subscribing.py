"""Many subscribers on one process: whether all hear of each change, how soon, and what each costs in memory."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import click

from bench.driving import Unusable
from bench.following import by_events, by_socket
from bench.freshness import CORPUS, STORIES
from bench.loading import empty_database
from bench.servers import SERVICE, started

DOCUMENT = (
    "subscription { storyChanged { cursor kind story { id title coverage { outletCount bias { left { percent } } } } }"
    " }"
)
AT_ONCE = 50
"""Connections that are opened at the same time."""


@dataclass(frozen=True, slots=True)
class Subscribing:
    """Milliseconds from commit to each subscriber, sorted; changes that somebody missed; bytes for a subscriber."""

    delays: list[float]
    missed: int
    memory: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--subscribers", default=2_000, show_default=True)
@click.option("--changes", default=60, show_default=True)
@click.option("--transport", type=click.Choice(["websocket", "sse"]), default="websocket", show_default=True)
@click.option("--database", required=True, help="A Postgres to make a database on.")
def main(subscribers: int, changes: int, transport: str, database: str) -> None:
    """Measure how soon a change a second reaches many subscribers of one process."""
    try:
        measured = asyncio.run(measure_subscribing(database, subscribers, changes, transport))
    except Unusable as reason:
        sys.exit(str(reason))
    told = measured.delays
    p50, p99 = (told[min(len(told) - 1, int(part * len(told)))] for part in (0.5, 0.99))
    print(
        f"{subscribers:,} subscribers by {transport}, {changes} changes: {len(told):,} told, {measured.missed:,}"
        f" missed; p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {told[-1]:.0f} ms;"
        f" {measured.memory / 1e3:.1f} kB each"
    )


async def measure_subscribing(server: str, subscribers: int, changes: int, transport: str) -> Subscribing:
    """A change a second, after all have subscribed."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(empty_database(server))
        conn = await asyncpg.connect(dsn)
        stack.push_async_callback(conn.close)
        await conn.execute(CORPUS)
        url, pid = await stack.enter_async_context(started(SERVICE, dsn, "/readyz", {}))
        listen = by_socket if transport == "websocket" else by_events
        before = _resident(pid)
        listeners: list[AsyncGenerator[Any]] = []
        for start in range(0, subscribers, AT_ONCE):
            some = [listen(url, DOCUMENT) for _ in range(min(AT_ONCE, subscribers - start))]
            listeners += await asyncio.gather(*(stack.enter_async_context(each) for each in some))
        await asyncio.sleep(5)
        memory = (_resident(pid) - before) / subscribers
        delays: list[float] = []
        committed: dict[str, float] = {}
        hearing = [asyncio.create_task(_hear(listener, changes, committed, delays)) for listener in listeners]
        for number in range(changes):
            title = f"Change {number}"
            committed[title] = time.perf_counter()
            await conn.execute("update stories set title = $1 where id = $2", title, number % STORIES + 1)
            committed[title] = time.perf_counter()
            await asyncio.sleep(1)
        await asyncio.wait(hearing, timeout=10)
        for task in hearing:
            task.cancel()
        return Subscribing(sorted(delays), subscribers * changes - len(delays), memory)


async def _hear(changes: AsyncGenerator[Any], most: int, committed: dict[str, float], delays: list[float]) -> None:
    for number in range(most):
        told = (await anext(changes))["data"]["storyChanged"]["story"]["title"]
        if told != f"Change {number}":
            raise Unusable(f"heard {told}, not Change {number}")
        delays.append((time.perf_counter() - committed[told]) * 1e3)


def _resident(pid: int) -> int:
    """Bytes of memory of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


if __name__ == "__main__":
    main()
