"""Databases that tests make for themselves on the server of the run, and that go when the test has ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg

from bench.line import Line, lined
from tests.tablespaces import TABLESPACE

MakeDatabase = Callable[[], Awaitable[str]]


@asynccontextmanager
async def database(server_dsn: str, template: str = "template1", news: str = "") -> AsyncGenerator[str]:
    """The DSN of a new database, a copy of `template`, which nobody may be connected to; with news, as SQL.

    No open transaction holds the news back, so that pages of it are kept.
    """
    name = f"parallax_test_{uuid4().hex[:16]}"
    place = f"tablespace {os.environ[TABLESPACE]}" if TABLESPACE in os.environ else ""
    await _execute(server_dsn, f'create database {name} template "{template}" strategy file_copy {place}')
    try:
        dsn = urlsplit(server_dsn)._replace(path=f"/{name}").geturl()
        if news:
            await _fill(dsn, news)
        yield dsn
    finally:
        await _execute(server_dsn, f"drop database {name} with (force)")


@asynccontextmanager
async def line_to_postgres(dsn: str) -> AsyncGenerator[tuple[Line, str]]:
    """A line to the server of the DSN, and a DSN that leads through it."""
    url = urlsplit(dsn)
    folder = parse_qs(url.query).get("host", [""])[0]
    host, port = f"{folder}/.s.PGSQL.{url.port or 5432}" if folder else url.hostname or "", url.port or 5432
    async with lined(host, port) as line:
        who = f"{url.username or 'postgres'}:{url.password or ''}"
        yield line, f"postgresql://{who}@127.0.0.1:{line.port}{url.path}?sslmode=disable"


def name_of(dsn: str) -> str:
    """The name of the database that a DSN leads to."""
    return urlsplit(dsn).path.removeprefix("/")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _fill(dsn: str, news: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(news)
        await settled(connection)
    finally:
        await connection.close()


async def settled(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    """Until no open transaction, of whatever database of the server, holds changes back."""
    async with asyncio.timeout(60):
        while await conn.fetchval("select count(*) from changes where xid >= pg_snapshot_xmin(pg_current_snapshot())"):
            await asyncio.sleep(0.01)
