"""A part is killed, paused or stopped in order; whoever minds it starts it again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager

from bench.chaos.fault import Around, Fault
from bench.chaos.parts import Part
from bench.chaos.stage import Stage

Chosen = Callable[[Stage], Part]


def faults() -> Generator[Fault]:
    """Each way of ending, of each part."""
    parts: dict[str, Chosen] = {
        "postgres": lambda stage: stage.postgres,
        "redis": lambda stage: stage.redis,
        "service": lambda stage: stage.services[0],
    }
    shown = {"postgres": "Postgres", "redis": "Redis", "service": "one service process"}
    for name, part in parts.items():
        yield Fault(f"{name}-kill", f"kill -9 of {shown[name]}, then a start", _killed(part))
        yield Fault(f"{name}-pause", f"SIGSTOP of {shown[name]}, then SIGCONT", _paused(part))
        yield Fault(f"{name}-stop", f"orderly stop of {shown[name]}, then a start", _stopped(part))
    yield Fault("postgres-backend-kill", "kill -9 of one backend: Postgres restarts by itself", _backend_killed)


def _killed(part: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        await part(stage).kill()
        yield
        await part(stage).start()

    return happens


def _paused(part: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        part(stage).pause()
        yield
        part(stage).resume()

    return happens


def _stopped(part: Chosen) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        await part(stage).stop()
        yield
        await part(stage).start()

    return happens


@asynccontextmanager
async def _backend_killed(stage: Stage) -> AsyncGenerator[None]:
    backends = [each for each in stage.postgres.members() if "postgres: postgres" in " ".join(each.cmdline())]
    backends[0].kill()
    while not await stage.postgres.answers():
        pass
    yield
