"""Whether callers who ask for more than their allowance get its refill, no more and no less, from several processes."""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import click

from bench.servers import own_redis
from service.access.limits import Allowances
from service.errors import RateLimited
from service.events import Event
from service.redis import RedisAway, SharedRedis, Word

COSTS = range(1, 11)
WINDOW = 60.0
"""Seconds from a bucket's first refusal for which is counted what it gives."""
LEAD = 3.0
"""Seconds until all processes have begun."""
BEYOND = 3.0
BEFORE = 0.1


@dataclass(frozen=True, slots=True)
class Asking:
    """What one process does: it asks for each account, with costs that make `times` its budget over all processes."""

    url: str
    prefix: str
    accounts: int
    per_minute: int
    times: float
    processes: int
    begins_at: float


@dataclass(slots=True)
class Came:
    """What came of it by account: when what was granted, and when the first was refused; and calls to Redis."""

    granted: list[list[tuple[float, int]]]
    first_refused: list[float]
    commands: int = 0
    away: int = 0
    requests: int = 0
    waits: list[float] = field(default_factory=list[float])


class Counting(SharedRedis):
    """Counts the commands, and those that were not answered."""

    commands = 0
    away = 0

    async def run(self, *command: Word) -> Any:
        self.commands += 1
        try:
            return await super().run(*command)
        except RedisAway:
            self.away += 1
            raise


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--processes", default=4, show_default=True)
@click.option("--accounts", default=10, show_default=True)
@click.option("--per-minute", default=6_000, show_default=True, help="What each account may spend.")
@click.option("--times", default=2.0, show_default=True, help="How many times its budget each account asks for.")
def main(processes: int, accounts: int, per_minute: int, times: float) -> None:
    """Measure what each of some accounts gets in the minute after its bucket was first empty."""
    asyncio.run(_measure(processes, accounts, per_minute, times))


async def _measure(processes: int, accounts: int, per_minute: int, times: float) -> None:
    async with own_redis() as url:
        if url is None:
            sys.exit("There is no redis-server.")
        prefix = f"bench-{secrets.token_hex(4)}"
        asking = Asking(url, prefix, accounts, per_minute, times, processes, time.monotonic() + LEAD)
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            loop = asyncio.get_running_loop()
            asked = [loop.run_in_executor(pool, ask, asking) for _ in range(processes)]
            await _empty(asking)
            came = await asyncio.gather(*asked)
    _tell(came, asking)


async def _empty(asking: Asking) -> None:
    """Spends all that the accounts have, just before the processes begin."""
    async with SharedRedis(asking.url) as redis:
        await asyncio.sleep(asking.begins_at - time.monotonic() - BEFORE)
        allowances = Allowances(redis, asking.prefix)
        for account in range(asking.accounts):
            await allowances.spend(f"key:{account}", asking.per_minute, asking.per_minute)


def ask(asking: Asking) -> Came:
    """Asks for all accounts until each has been empty for long enough."""
    return asyncio.run(_ask(asking))


async def _ask(asking: Asking) -> Came:
    def complain(event: Event) -> None:
        if event.level != "info":
            print(event, file=sys.stderr)

    async with Counting(asking.url, complain) as redis:
        allowances = Allowances(redis, asking.prefix)
        came = Came([[] for _ in range(asking.accounts)], [float("inf")] * asking.accounts)
        await asyncio.gather(*(_ask_for(account, asking, allowances, came) for account in range(asking.accounts)))
        came.commands, came.away = redis.commands, redis.away
        return came


async def _ask_for(account: int, asking: Asking, allowances: Allowances, came: Came) -> None:
    """Asks at random moments, on average as often as it takes."""
    per_second = asking.per_minute * asking.times / 60 / asking.processes
    due = asking.begins_at
    ends_at = due + WINDOW + BEYOND
    await asyncio.sleep(due - time.monotonic())
    while due < ends_at:
        cost = random.choice(COSTS)
        due += random.expovariate(per_second / cost)
        await asyncio.sleep(max(0, due - time.monotonic()))
        began = time.perf_counter()
        came.requests += 1
        try:
            await allowances.spend(f"key:{account}", asking.per_minute, cost)
        except RateLimited:
            came.first_refused[account] = min(came.first_refused[account], time.monotonic())
        else:
            came.granted[account].append((time.monotonic(), cost))
        came.waits.append(time.perf_counter() - began)


def _tell(came: Sequence[Came], asking: Asking) -> None:
    got: list[float] = []
    for account in range(asking.accounts):
        empty_at = min(each.first_refused[account] for each in came)
        within = (cost for each in came for at, cost in each.granted[account] if empty_at <= at < empty_at + WINDOW)
        got.append(sum(within) / asking.per_minute * 60 / WINDOW)
    requests = sum(each.requests for each in came)
    waits = sorted(wait for each in came for wait in each.waits)
    print(
        f"{asking.processes} processes, {asking.accounts} accounts of {asking.per_minute:,} a minute, asking for"
        f" {asking.times:g} times as much: in the {WINDOW:.0f} s after its bucket was first empty they got"
        f" {', '.join(f'{100 * each:.1f}' for each in sorted(got))} % of its refill; {requests:,} requests,"
        f" {sum(each.commands for each in came) / requests:.2f} calls to Redis for each,"
        f" {sum(each.away for each in came)} of them not answered; p50 {waits[len(waits) // 2] * 1e6:.0f} µs,"
        f" p99 {waits[len(waits) * 99 // 100] * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
