"""Starts the servers that are measured, each a process of its own on a free port of loopback, and ends them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from bench.driving import Unusable
from service.access.keeping import Keeping, NewKey, TierChange

ROOT = Path(__file__).parents[1]
SERVICE = (sys.executable, "-m", "service", "serve")
FLOOR = (sys.executable, "-m", "bench.floor.app")
STARTS_WITHIN = 30.0
SETTINGS = {
    "PARALLAX_KEY_PEPPER": "a pepper for benchmarks only",
    "PARALLAX_ALLOWANCES": "off",
    "PARALLAX_MANAGEMENT_PORT": "0",
}
"""One client asks more than any is allowed: what allowances cost is measured by itself."""
COUNTED = {"PARALLAX_ALLOWANCES": "enforce"}
UNCACHED = {"PARALLAX_CACHE_BYTES": "0", "PARALLAX_POOL_SIZE": str(2 * (os.cpu_count() or 1))}
"""Every answer is made anew: the floor keeps none either. Two connections for each core, as docs/settings.md advises;
the floor does as well with the 16 that it has."""


async def key_without_end(dsn: str) -> str:
    """A key of the tier vantage, whose allowance no benchmark can spend."""
    keeping = Keeping(dsn, "bench")
    await keeping.put_tier("vantage", TierChange(cost_per_minute=1_000_000_000))
    return await keeping.create(NewKey("benchmarks", "vantage"), SETTINGS["PARALLAX_KEY_PEPPER"].encode())


@asynccontextmanager
async def running(
    command: tuple[str, ...], dsn: str, ready_path: str, settings: Mapping[str, str] = UNCACHED
) -> AsyncGenerator[str]:
    """The base URL of a server that has begun to answer; it is told to stop when the caller is done."""
    async with started(command, dsn, ready_path, settings) as (url, _):
        yield url


@asynccontextmanager
async def started(
    command: tuple[str, ...], dsn: str, ready_path: str, settings: Mapping[str, str]
) -> AsyncGenerator[tuple[str, int]]:
    """The same, with the id of the process."""
    port = free_port()
    environment = {**os.environ, **SETTINGS, "PARALLAX_DATABASE_URL": dsn, "PARALLAX_PORT": str(port), **settings}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}"
        await _answers(process, base + ready_path)
        yield base, process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def used(process: psutil.Process) -> float:
    """Seconds of the processor that a process has taken."""
    times = process.cpu_times()
    return times.user + times.system


@asynccontextmanager
async def own_redis() -> AsyncGenerator[str | None]:
    """The URL of a Redis that keeps nothing on disk, for as long as it is used; None where the program is missing."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _accepts(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _accepts(port: int) -> None:
    async with asyncio.timeout(STARTS_WITHIN):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _answers(process: asyncio.subprocess.Process, url: str) -> None:
    """Waits until something, whatever its status, comes back."""
    async with httpx.AsyncClient() as client, asyncio.timeout(STARTS_WITHIN):
        while process.returncode is None:
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise Unusable(f"the server for {url} ended before it answered; run it by hand to see why")


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
