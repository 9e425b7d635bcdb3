"""`python -m bench.rolling`: every process is restarted in turn, and some killed, behind a proxy and under load.

A restart is what Kubernetes does: the process is no endpoint any more, a while later it is told to end (SIGTERM), and
another is started, which gets requests when it is ready. Who subscribes comes again with the last cursor.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
import orjson

from bench.balancing import Backend, Balancer, balancing
from bench.chaos.judging import Outcome
from bench.chaos.load import Load, Missed
from bench.chaos.parts import Service
from bench.chaos.stage import staged
from bench.driving import Unusable

PRE_STOP = 0.5
"""Seconds for which a process goes on answering when it gets no new requests any more."""
IN_WITHIN = 30.0
ANSWERED = {Outcome.SERVED.value, Outcome.STALE.value}
READERS = 2
"""Sets of readers; each asks the proxy."""


@dataclass
class Asked:
    """The proxy as readers ask it. Behind it no process is known to be the same as before."""

    url: str
    name: str = "proxy"
    _asked: int = 0

    @property
    def starts(self) -> int:
        self._asked += 1
        return self._asked


@dataclass(frozen=True, slots=True)
class Rolled:
    """What became of requests while processes were restarted one after the other.

    For `retried` of them a second process was asked; subscribers came again, elsewhere, `connections` times.
    """

    what: str
    restarts: int
    seconds: float
    outcomes: dict[str, int]
    retried: int
    connections: int
    missed: Missed = field(default_factory=Missed)
    reasons: list[str] = field(default_factory=list[str])

    @property
    def is_well(self) -> bool:
        """Whether every request was answered, and nobody missed a change."""
        return not self.outcomes.keys() - ANSWERED and self.missed == Missed()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--times", default=20, show_default=True, help="How often all processes are restarted, one by one.")
@click.option("--kills", default=20, show_default=True, help="How often one is killed, and started again.")
@click.option("--processes", default=4, show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write all as JSON to this file too.")
def main(times: int, kills: int, processes: int, output: Path | None) -> None:
    """Restart processes under load. Ends with 1 where any request failed, or a subscriber missed a change."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started and mounted goes
    rolled: list[Rolled] = []
    try:
        asyncio.run(_measure(times, kills, processes, rolled))
    except Unusable as reason:
        sys.exit(str(reason))
    if output:
        output.write_bytes(orjson.dumps([asdict(each) for each in rolled], option=orjson.OPT_INDENT_2) + b"\n")
    sys.exit(not all(each.is_well for each in rolled))


def as_text(rolled: Rolled) -> str:
    """The figures in words."""
    outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(rolled.outcomes.items()))
    told = (
        f"{rolled.what}: {rolled.restarts} in {rolled.seconds:.0f} s; of {sum(rolled.outcomes.values()):,} requests"
        f" {outcomes}; {rolled.retried:,} asked of a second process by the proxy; subscriptions came again"
        f" {rolled.connections:,} times: {rolled.missed.untold} changes missed, {rolled.missed.twice} told twice"
    )
    return "\n".join([told, *(f"    {reason}" for reason in rolled.reasons)])


async def _measure(times: int, kills: int, processes: int, rolled: list[Rolled]) -> None:
    async with staged(processes) as stage, balancing([service.url for service in stage.services]) as balancer:
        pairs = list(zip(stage.services, balancer.backends, strict=True))
        for _, backend in pairs:
            await until_in(backend)
        load = Load([Asked(balancer.url) for _ in range(READERS)], stage.postgres.dsn)
        restarts = [restarting(*pair) for _ in range(times) for pair in pairs]
        killings = [_killing(*random.choice(pairs)) for _ in range(kills)]
        async with load.running():
            await asyncio.sleep(2)
            for what, steps in (("rolling restarts", restarts), ("processes killed", killings)):
                if steps:
                    rolled.append(await while_done(what, steps, load, balancer))
                    print(as_text(rolled[-1]), flush=True)


async def while_done(what: str, steps: list[Callable[[], Awaitable[None]]], load: Load, balancer: Balancer) -> Rolled:
    """What became of requests while the steps were done, one after the other."""
    began, retried = time.monotonic(), balancer.retried
    connections = sum(follower.connections for follower in load.followers)
    for number, step in enumerate(steps, 1):
        await step()
        if number % 4 == 0:
            print(f"{time.monotonic() - began:7.1f} s  {what}: {number} of {len(steps)}", file=sys.stderr, flush=True)
    ended = time.monotonic()
    missed = await load.missed()
    seen = [each for each in load.seen if began <= each.asked < ended]
    reasons = Counter(f"{each.outcome.value}: {each.why}" for each in seen if each.outcome.value not in ANSWERED)
    return Rolled(
        what,
        len(steps),
        ended - began,
        dict(Counter(each.outcome.value for each in seen)),
        balancer.retried - retried,
        sum(follower.connections for follower in load.followers) - connections,
        missed,
        [f"{count} x {reason}" for reason, count in reasons.most_common(5)],
    )


def restarting(service: Service, backend: Backend) -> Callable[[], Awaitable[None]]:
    """A step: the process is taken out, told to end, and another takes its place."""

    async def restart() -> None:
        backend.taken_out = True
        await asyncio.sleep(PRE_STOP)
        await service.stop()
        await service.start()
        backend.taken_out = False
        await until_in(backend)

    return restart


def _killing(service: Service, backend: Backend) -> Callable[[], Awaitable[None]]:
    async def kill() -> None:
        await service.kill()
        await asyncio.sleep(PRE_STOP)
        await service.start()
        await until_in(backend)

    return kill


async def until_in(backend: Backend) -> None:
    """Returns when requests are led there."""
    async with asyncio.timeout(IN_WITHIN):
        while not backend.serves:
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
