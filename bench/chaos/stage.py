"""All parts together: a Postgres, a Redis, service processes, and lines between them that can be cut."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.chaos.parts import Postgres, Redis, Service
from bench.freshness import CORPUS
from bench.line import Line, lined
from service.db.migrations import migrate

DISK = "400m"
"""Of the disk that Postgres has, where one can be mounted for it."""


@dataclass
class Stage:
    """What a fault may meet. The services reach Postgres and Redis by lines; whoever measures goes straight there."""

    postgres: Postgres
    redis: Redis
    services: list[Service]
    to_postgres: Line
    to_redis: Line
    disk: Path | None
    """Where Postgres' own small disk is mounted; None where none could be."""


@asynccontextmanager
async def staged(processes: int) -> AsyncGenerator[Stage]:
    """Starts all, with a few stories in the database; ends all."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parallax-chaos-", dir="/tmp")))
        folder.chmod(0o711)
        postgres, redis = Postgres(folder), Redis()
        disk = stack.enter_context(_small_disk(postgres.data))
        await asyncio.to_thread(postgres.create)
        for part in (postgres, redis):
            await part.start()
            stack.push_async_callback(part.stop)
        await migrate(postgres.dsn)
        conn = await asyncpg.connect(postgres.dsn)
        await conn.execute(CORPUS)
        await conn.close()
        to_postgres = await stack.enter_async_context(lined("127.0.0.1", postgres.port))
        to_redis = await stack.enter_async_context(lined("127.0.0.1", redis.port))
        settings = {
            "PARALLAX_DATABASE_URL": postgres.dsn.replace(f":{postgres.port}/", f":{to_postgres.port}/"),
            "PARALLAX_REDIS_URL": to_redis.url,
            # Counted as ever, but one client asks here for many.
            "PARALLAX_ALLOWANCES": "measure",
        }
        services = [Service.of(f"service {number}", settings) for number in range(1, processes + 1)]
        for service in services:
            await service.start()
            stack.push_async_callback(service.stop)
        yield Stage(postgres, redis, services, to_postgres, to_redis, disk)


@contextmanager
def _small_disk(place: Path) -> Generator[Path | None]:
    """A disk of `DISK` bytes in memory, mounted at the place, where whoever runs this may mount one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
