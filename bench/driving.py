"""Drives a server with wrk and reads what wrk measured. Knows nothing of what is asked."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

CONNECTIONS = 16
THREADS = 1
"""One sends more than any server here answers, and leaves the second core to the servers."""
ANSWERS_WITHIN = 30
"""Seconds: the slowest that is measured takes several for 16 of the widest answers at once."""
SCRIPT = Path(__file__).parent / "driving.lua"
MISSING = "The benchmark needs wrk, which is not here. On Debian: apt install wrk; on macOS: brew install wrk."


class Unusable(Exception):
    """A run that means nothing: something was missing, or requests failed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Pressed:
    """One run with many connections: requests a second that were answered and refused; milliseconds of both."""

    answered: float
    refused: float
    p50: float
    p99: float


def check_wrk() -> None:
    """Raises Unusable where wrk is missing."""
    if shutil.which("wrk") is None:
        raise Unusable(MISSING)


async def drive(url: str, bodies: Path, *, warm_up: int, seconds: int, key: str = "") -> Measured:
    """Sends the bodies, one a line, over and over: for `warm_up` seconds unmeasured, then for `seconds`."""
    if warm_up:
        await _wrk(url, bodies, warm_up, key)
    result = await _wrk(url, bodies, seconds, key)
    failed = {kind: count for kind, count in result["errors"].items() if count}
    if failed:
        raise Unusable(f"{url} failed under load: {failed} of {result['requests']:,} requests")
    return Measured(result["requests"] / result["seconds"], result["p50"], result["p99"])


async def press(url: str, bodies: Path, *, connections: int, seconds: int, core: int | None = None) -> Pressed:
    """Sends the bodies by so many connections, from one core where that is given. A status from 400 on is a refusal."""
    result = await _wrk(url, bodies, seconds, "", connections, () if core is None else ("taskset", "-c", str(core)))
    refused = result["errors"].pop("status")
    if lost := sum(result["errors"].values()):
        raise Unusable(f"{url} gave no answer to {lost} of {result['requests']:,} requests: {result['errors']}")
    per_second = 1 / result["seconds"]
    return Pressed((result["requests"] - refused) * per_second, refused * per_second, result["p50"], result["p99"])


async def attack(url: str, bodies: Path, *, connections: int, seconds: int) -> None:
    """Sends the bodies as fast as they are answered, whatever the answers are."""
    await _wrk(url, bodies, seconds, "", connections)


async def pace(url: str, bodies: Path, *, connections: int, seconds: int, pause: float) -> tuple[Measured, int]:
    """Sends the bodies by so many connections, each of which pauses for milliseconds before each; what failed too."""
    result = await _wrk(url, bodies, seconds, "", connections, pause=pause)
    failed = sum(result["errors"].values())
    return Measured(result["requests"] / result["seconds"], result["p50"], result["p99"]), failed


async def _wrk(  # noqa: PLR0917 - what wrk is told, in its order
    url: str,
    bodies: Path,
    seconds: int,
    key: str,
    connections: int = CONNECTIONS,
    confined: tuple[str, ...] = (),
    pause: float | None = None,
) -> dict[str, Any]:
    told = (bodies, key) if pause is None else (bodies, key, str(pause))
    process = await asyncio.create_subprocess_exec(
        *confined, "wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", f"--timeout={ANSWERS_WITHIN}s",
        "-s", SCRIPT, url, "--", *told,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise Unusable(f"wrk ended with {process.returncode}: {output.decode()}")
    return orjson.loads(output.splitlines()[-1])
