"""The network between the services and Postgres or Redis is slow, gone for a while, or has lost its connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager

from bench.chaos.fault import Around, Fault
from bench.chaos.stage import Stage
from bench.chaos.tasks import repeated
from bench.line import Line

DELAY = 0.2

Chosen = Callable[[Stage], Line]


def faults() -> Generator[Fault]:
    """Each way of failing, of each line."""
    lines: dict[str, Chosen] = {
        "postgres": lambda stage: stage.to_postgres,
        "redis": lambda stage: stage.to_redis,
    }
    for name, line in lines.items():
        to = name.capitalize()
        yield Fault(f"{name}-slow", f"{to} answers {DELAY * 1e3:.0f} ms late", _slow(line))
        yield Fault(f"{name}-gone", f"nothing passes to or from {to}, and nothing is lost", _gone(line))
        yield Fault(f"{name}-hangs", f"all that is said to and by {to} is lost, and connections stay open", _hung(line))
        yield Fault(f"{name}-refused", f"connections to {to} are ended, and new ones refused", _refused(line))
        yield Fault(f"{name}-reset", f"connections to {to} are reset each second", _reset(line))
        yield Fault(f"{name}-half-open", f"connections to {to} are lost, and the services not told", _half_open(line))


def _slow(line: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        line(stage).lag = DELAY
        yield
        line(stage).lag = 0

    return happens


def _gone(line: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        line(stage).hold()
        yield
        line(stage).pass_on()

    return happens


def _hung(line: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        line(stage).hang()
        yield
        # What was said is lost, so no connection of before is any good: a router would say so.
        line(stage).reset()
        line(stage).silent = False

    return happens


def _refused(line: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        await line(stage).cut()
        yield
        await line(stage).open()

    return happens


def _reset(line: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        async with repeated(line(stage).reset, 1.0):
            yield

    return happens


def _half_open(line: Chosen) -> Around:
    """What is lost is back at once: what counts comes afterwards, when nobody has been told."""

    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        yield
        line(stage).lose()

    return happens
