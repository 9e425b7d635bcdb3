"""What runs out: room on Postgres' disk, connections to it, memory of Redis."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg

from bench.chaos.fault import Fault, NotRun
from bench.chaos.stage import Stage
from bench.chaos.tasks import redis_of, repeated
from service.db.pool import APPLICATION_NAME

TAKING = 4
"""Clients that take what connections there are."""
FILLING = "insert into chaos_filling select repeat(md5(random()::text), 100) from generate_series(1, 300)"
THROWN_OUT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1 || '%'"
GONE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def faults() -> Generator[Fault]:
    """Each thing that can run out."""
    yield Fault("postgres-disk-full", "Postgres' disk is full", _disk_full, _table_to_fill)
    yield Fault("postgres-locked", "statements wait for a lock, and hold all connections of the pools", _locked)
    yield Fault("postgres-connections", "Postgres has no connection left, and the services have lost theirs", _taken)
    yield Fault("redis-full", "Redis has no memory left, and refuses to keep more", _redis_full)


@asynccontextmanager
async def _table_to_fill(stage: Stage) -> AsyncGenerator[None]:
    await _run(stage, "create table if not exists chaos_filling (filling text)")
    yield
    await _run(stage, "drop table chaos_filling")


@asynccontextmanager
async def _disk_full(stage: Stage) -> AsyncGenerator[None]:
    """Whatever room there is, is taken; where Postgres ends of that, it is started again when there is room."""
    if stage.disk is None:
        raise NotRun("no small disk could be mounted for Postgres, which takes root")
    ballast = stage.disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(os.statvfs(stage.disk).f_bsize))

    async def fill() -> None:
        with suppress(*GONE):
            await _run(stage, FILLING)

    async with repeated(fill, 0.2):
        yield
    ballast.unlink()
    if not stage.postgres.alive:
        await stage.postgres.start()
    while not await stage.postgres.answers():
        await asyncio.sleep(0.02)


@asynccontextmanager
async def _locked(stage: Stage) -> AsyncGenerator[None]:
    conn = await asyncpg.connect(stage.postgres.dsn)
    try:
        async with conn.transaction():
            await conn.execute("lock table articles, outlets in access exclusive mode")
            yield
    finally:
        await conn.close()


@asynccontextmanager
async def _taken(stage: Stage) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        first = await asyncpg.connect(stage.postgres.dsn)
        stack.callback(first.terminate)

        async def take() -> None:
            with suppress(*GONE):
                while True:
                    stack.callback((await asyncpg.connect(stage.postgres.dsn, timeout=2)).terminate)

        await take()
        await first.fetch(THROWN_OUT, APPLICATION_NAME)
        await asyncio.gather(*(take() for _ in range(TAKING)))
        async with repeated(take, 0.1):
            yield
    # Postgres needs a moment to see that so many have gone.
    while not await stage.postgres.answers():
        await asyncio.sleep(0.02)


@asynccontextmanager
async def _redis_full(stage: Stage) -> AsyncGenerator[None]:
    async with redis_of(stage) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", 1)
        yield
        await redis.config_set("maxmemory", 0)


async def _run(stage: Stage, statement: str) -> None:
    conn = await asyncpg.connect(stage.postgres.dsn, timeout=2)
    try:
        await conn.execute(statement)
    finally:
        conn.terminate()
