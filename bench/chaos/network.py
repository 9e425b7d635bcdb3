"""The network between the services and Postgres or Redis is slow, gone for a while, or has lost its connections."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import psutil

from bench.chaos.fault import Around, Fault, NotRun
from bench.chaos.stage import Stage
from bench.chaos.tasks import repeated
from bench.line import Line

DELAY = 0.2
TABLE = "parallax_chaos"
"""Of nftables; no other than ours."""

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
        yield Fault(
            f"{name}-forgotten",
            f"the network forgets all connections to {to}",
            _forgotten(line),
            _rules,
        )


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


@asynccontextmanager
async def _rules(_stage: Stage) -> AsyncGenerator[None]:
    """A table of rules for packets, for as long as a fault and what comes after it."""
    _nft(f"add table inet {TABLE}; add chain inet {TABLE} passing {{ type filter hook output priority 0; }}")
    try:
        yield
    finally:
        _nft(f"delete table inet {TABLE}")


def _forgotten(line: Chosen) -> Around:
    """Drops what comes by the connections that there are, as a firewall that has started again; new ones are let pass.

    That is all: what counts comes afterwards.
    """

    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        yield
        here = line(stage).port
        ends = sorted({each.raddr.port for each in psutil.Process().net_connections("tcp") if _leads_to(each, here)})
        ports = ", ".join(map(str, ends))
        for way in (f"tcp sport {{ {ports} }} tcp dport {here}", f"tcp sport {here} tcp dport {{ {ports} }}"):
            _nft(f"add rule inet {TABLE} passing {way} drop")

    return happens


def _leads_to(connection: Any, port: int) -> bool:
    return bool(connection.laddr and connection.laddr.port == port and connection.raddr)


def _nft(commands: str) -> None:
    program = shutil.which("nft")
    if program is None:
        raise NotRun("nft is not here, by which packets are dropped. On Debian: apt install nftables")
    done = subprocess.run([program, commands], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotRun(f"packets cannot be dropped here: {done.stderr.strip()}")
