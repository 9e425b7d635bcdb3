"""What a process takes: seconds until it serves, and memory through a million requests of many kinds."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import click
import orjson
import psutil

from bench.driving import Unusable, check_wrk
from bench.filling import filled_database
from bench.servers import SERVICE, key_without_end, started, used

SCRIPT = Path(__file__).parent / "mixed.lua"
SAMPLES = 10
SLICE = 5
"""Seconds of wrk at a time, until enough was sent."""
BEHIND_A_PROXY = {"PARALLAX_TRUSTED_PROXIES": "127.0.0.0/8"}
"""Which tells that each request is of another caller: those of one whose requests make no sense take turns."""
IMPORT = (sys.executable, "-c", "import service.app, service.serving")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--requests", default=1_000_000, show_default=True, help="How many are sent.")
@click.option("--starts", default=5, show_default=True, help="How often a server is started; the median is told.")
@click.option("--stories", default=2_000, show_default=True, help="Stories of the corpus.")
@click.option("--database", required=True, help="A Postgres that keeps the corpus, or where to make it.")
def main(requests: int, starts: int, stories: int, database: str) -> None:
    """Measure start and memory."""
    try:
        check_wrk()
        asyncio.run(_measure(database, stories, starts, requests))
    except Unusable as reason:
        sys.exit(str(reason))


async def _measure(server: str, stories: int, starts: int, requests: int) -> None:
    dsn = await filled_database(server, stories, lambda what: print(what, file=sys.stderr))
    imports = [await _import_time() for _ in range(starts)]
    ready = [await _start_time(dsn) for _ in range(starts)]
    print(f"imported in {median(imports):.2f} s; ready after {median(ready):.2f} s", flush=True)
    key = await key_without_end(dsn)
    async with started(SERVICE, dsn, "/readyz", BEHIND_A_PROXY) as (url, pid):
        process = psutil.Process(pid)
        print(f"{'requests':>10}{'refused':>10}{'MB':>8}{'processor':>12}")
        print(f"{0:10,}{0:10,}{_megabytes(process):8.1f}")
        sent = refused = run = 0
        while sent < requests:
            goal, before, sent_before = min(requests, sent + requests // SAMPLES), used(process), sent
            while sent < goal:
                run += 1
                result = await _send(url, run, key)
                sent, refused = sent + result["requests"], refused + result["errors"]["status"]
            took = (used(process) - before) / (sent - sent_before) * 1e6
            print(f"{sent:10,}{refused:10,}{_megabytes(process):8.1f}{took:9.1f} µs", flush=True)


async def _import_time() -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*IMPORT, cwd=SCRIPT.parents[1])
    if await process.wait():
        raise Unusable("the service cannot be imported")
    return time.perf_counter() - began


async def _start_time(dsn: str) -> float:
    """Seconds from the start of the process until it has said that it is ready."""
    began = time.perf_counter()
    async with started(SERVICE, dsn, "/readyz", {}):
        return time.perf_counter() - began


def _megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6


async def _send(url: str, run: int, key: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "wrk", "-t1", "-c64", f"-d{SLICE}s", "--timeout=10s", "-s", SCRIPT, url, "--", str(run), key,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise Unusable(f"wrk ended with {process.returncode}: {output.decode()}")
    return orjson.loads(output.splitlines()[-1])


if __name__ == "__main__":
    main()
