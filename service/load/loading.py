"""The journey of a load: read, resolve, write."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
import orjson

from service.events import Observer, ignore
from service.load.events import ReadingEnded, Summary
from service.load.files import File, Source, in_memory, open_files
from service.load.resolving import resolve
from service.load.staging import stage
from service.load.tally import LoadRefused, Tally
from service.load.writing import Writer

SESSION = {
    "application_name": "parallax load",
    "timezone": "UTC",
    "jit": "off",
    # A batch takes as long as it takes.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "temp_buffers": "64MB",
    "work_mem": "64MB",
}


async def load(dsn: str, files: Sequence[Source], *, strict: bool = False, observer: Observer = ignore) -> Summary:
    """Loads files as one, in order; what became of their lines. Memory is bounded, whatever their size.

    A wrong line is told to the observer and costs nothing but itself; with `strict` the first one ends the load, and
    nothing has changed. Raises Unreadable where a file is not there, and what asyncpg raises where the database is not.
    """
    with open_files(files) as opened:
        return await _load(dsn, opened, strict=strict, observer=observer)


async def load_lines(
    dsn: str, lines: Iterable[Mapping[str, object]], *, strict: bool = False, observer: Observer = ignore
) -> Summary:
    """Loads lines that a program makes."""
    made = in_memory("lines", (orjson.dumps(line) for line in lines))
    return await _load(dsn, [made], strict=strict, observer=observer)


async def _load(dsn: str, files: Sequence[File], *, strict: bool, observer: Observer) -> Summary:
    tally = Tally(observer, strict=strict)
    try:
        async with _session(dsn) as conn:
            await stage(conn, files, tally)
            observer(ReadingEnded(tally.lines))
            await resolve(conn, tally)
            # From here on nothing is refused but what other loads have overtaken.
            tally.strict = False
            await Writer(conn, tally).write()
    except LoadRefused:
        return tally.summary(completed=False)
    return tally.summary(completed=True)


@asynccontextmanager
async def _session(dsn: str) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    """A connection of the load's own: what it reads into ends with its session."""
    conn = await asyncpg.connect(dsn, server_settings=SESSION, command_timeout=None)
    try:
        yield conn
    finally:
        await conn.close()
