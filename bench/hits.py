"""Answers that are kept, in the process and in Redis, beside a static body of the same size from the same server."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import click
import httpx
import orjson
import psutil

from bench.driving import Unusable, check_wrk, drive
from bench.freshness import CORPUS, PAGE, STORIES
from bench.loading import empty_database
from bench.querying import Effort
from bench.servers import COUNTED, SERVICE, key_without_end, started, used

STATIC = (sys.executable, "-m", "bench.floor.static")
NOTHING_HERE = {"PARALLAX_CACHE_BYTES": "2000"}
"""Too little for any answer: each comes from Redis."""


@dataclass(frozen=True, slots=True)
class Served:
    """Requests a second, and the microseconds of processor time that the server took for each."""

    rate: float
    processor: float


@dataclass(frozen=True, slots=True)
class Hits:
    """Bytes of a page, and what was served by where it comes from.

    That is to callers who are not counted; `keyed` is from memory too, to a caller with a key and an allowance.
    """

    size: int
    static: Served
    memory: Served
    redis: Served
    keyed: Served

    @property
    def ratios(self) -> dict[str, float]:
        """Hits of each level for one static answer; of a caller with a key, for one from memory without."""
        static, memory = self.static.rate, self.memory.rate
        return {"memory": memory / static, "redis": self.redis.rate / static, "keyed": self.keyed.rate / memory}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=8, show_default=True, help="How long each of three rounds runs.")
@click.option("--database", required=True, help="A Postgres to make a database on.")
@click.option("--redis", required=True, help="The Redis to keep answers in.")
def main(seconds: int, database: str, redis: str) -> None:
    """Measure what is kept beside a static body."""
    try:
        check_wrk()
        hits = asyncio.run(measure_hits(database, redis, Effort(seconds=seconds)))
    except Unusable as reason:
        sys.exit(str(reason))
    print(as_text(hits))


def as_text(hits: Hits) -> str:
    """The figures in words."""
    ratios = hits.ratios
    told = (
        ("a static body", hits.static, ""),
        ("from memory", hits.memory, f"{ratios['memory']:.2f} of static"),
        ("from Redis", hits.redis, f"{ratios['redis']:.2f} of static"),
        ("from memory, to a key with an allowance", hits.keyed, f"{ratios['keyed']:.2f} of memory without"),
    )
    lines = [f"{'kept pages of ' + format(hits.size, ',') + ' bytes':42} requests/s  processor"]
    lines += [f"{name:42} {each.rate:10,.0f} {each.processor:7.1f} µs  {ratio}".rstrip() for name, each, ratio in told]
    return "\n".join(lines)


async def measure_hits(server: str, redis: str, effort: Effort) -> Hits:
    """Fills the memory of one process and, for another that has no room, Redis; the medians of the rounds."""
    async with empty_database(server) as dsn:
        conn = await asyncpg.connect(dsn)
        await conn.execute(CORPUS)
        await conn.close()
        shared = {"PARALLAX_REDIS_URL": redis}
        bodies = [
            orjson.dumps({"query": PAGE, "variables": {"id": f"story_{number}"}}) for number in range(1, STORIES + 1)
        ]
        key = await key_without_end(dsn)
        async with started(SERVICE, dsn, "/readyz", shared) as memory:
            size = await _warm(memory[0], bodies, "memory")
            async with (
                started(SERVICE, dsn, "/readyz", {**shared, **NOTHING_HERE}) as far,
                started(SERVICE, dsn, "/readyz", {**shared, **COUNTED}) as keyed,
                started((*STATIC, str(size)), dsn, "/", {}) as static,
            ):
                await _warm(far[0], bodies, "redis")
                await _warm(keyed[0], bodies, "memory", key)
                servers = {"static": static, "memory": memory, "redis": far, "keyed": keyed}
                return Hits(size, **await _served(servers, bodies, effort, {"keyed": key}))


async def _warm(url: str, bodies: list[bytes], where: str, key: str = "") -> int:
    """Asks for each page twice; the median size. Raises Unusable unless the second comes from where it should."""
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    if key:
        headers["x-api-key"] = key
    sizes: list[int] = []
    came_from = ""
    async with httpx.AsyncClient(headers=headers) as client:
        for body in (*bodies, *bodies):
            answer = await client.post(f"{url}/graphql", content=body)
            sizes.append(len(answer.content))
            came_from = answer.headers["cache-status"]
    if where not in came_from:
        raise Unusable(f"a page came from elsewhere than {where}: {came_from}")
    return round(median(sizes))


async def _served(
    servers: dict[str, tuple[str, int]], bodies: list[bytes], effort: Effort, keys: dict[str, str]
) -> dict[str, Served]:
    rounds: dict[str, list[Served]] = {name: [] for name in servers}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bodies")
        file.write_bytes(b"\n".join(bodies) + b"\n")
        for _ in range(effort.rounds):
            for name, (url, pid) in servers.items():
                # Pages last for a minute: a round begins with those that are gone made anew.
                await drive(f"{url}/graphql", file, warm_up=0, seconds=effort.warm_up, key=keys.get(name, ""))
                process = psutil.Process(pid)
                before = used(process)
                measured = await drive(
                    f"{url}/graphql", file, warm_up=0, seconds=effort.seconds, key=keys.get(name, "")
                )
                requests = measured.rate * effort.seconds
                rounds[name].append(Served(measured.rate, (used(process) - before) / requests * 1e6))
    return {
        name: Served(median(run.rate for run in runs), median(run.processor for run in runs))
        for name, runs in rounds.items()
    }


if __name__ == "__main__":
    main()
