"""Databases that tests make for themselves on the server of the run, and that go when the test has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

MakeDatabase = Callable[[], Awaitable[str]]


@asynccontextmanager
async def database(server_dsn: str, template: str = "template1") -> AsyncGenerator[str]:
    """The DSN of a new database, a copy of `template`, which nobody may be connected to."""
    name = f"parallax_test_{uuid4().hex[:16]}"
    await _execute(server_dsn, f'create database {name} template "{template}"')
    try:
        yield urlsplit(server_dsn)._replace(path=f"/{name}").geturl()
    finally:
        await _execute(server_dsn, f"drop database {name} with (force)")


def name_of(dsn: str) -> str:
    """The name of the database that a DSN leads to."""
    return urlsplit(dsn).path.removeprefix("/")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def settled(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    """Until no open transaction, of whatever database of the server, holds changes back."""
    async with asyncio.timeout(60):
        while await conn.fetchval("select count(*) from changes where xid >= pg_snapshot_xmin(pg_current_snapshot())"):
            await asyncio.sleep(0.01)
