"""Brings a database up to date, one migrator at a time. `migrate` is a command, never a side effect of serving.

Alembic is imported by what runs migrations: with SQLAlchemy it takes a fifth of the time in which a server starts, and
30 MB of its memory, and who serves only asks whether any are pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parents[2] / "migrations"
LOCK = 0x9A7A11A5  # any number; the same for every migrator
POLL_SECONDS = 0.2


async def migrate(dsn: str, revision: str = "head") -> list[str]:
    """Upgrades to `revision`; the revisions that were run, in order (none where the database was up to date)."""
    from alembic import command

    async with _only_migrator(dsn):
        todo = await pending(dsn)
        await asyncio.to_thread(command.upgrade, _config(dsn), revision)
    return todo


async def downgrade(dsn: str, revision: str = "base") -> None:
    """Takes migrations back down to `revision`. Loses data: for tests and development."""
    from alembic import command

    async with _only_migrator(dsn):
        await asyncio.to_thread(command.downgrade, _config(dsn), revision)


def revisions() -> list[str]:
    """All revisions, oldest first: each is the number that its file begins with."""
    return sorted(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


async def pending(dsn: str) -> list[str]:
    """Revisions that the database lacks, oldest first."""
    known = revisions()
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        if await connection.fetchval("select to_regclass('alembic_version')") is None:
            return known
        current = await connection.fetchval("select version_num from alembic_version")
    finally:
        await connection.close()
    # A revision that is not known here is of newer code: old code runs on the new schema.
    return known[known.index(current) + 1 :] if current in known else [] if current else known


def _config(dsn: str) -> Config:
    from alembic.config import Config

    config = Config(attributes={"dsn": dsn})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("prepend_sys_path", str(FOLDER.parent).replace("%", "%%"))
    return config


@asynccontextmanager
async def _only_migrator(dsn: str) -> AsyncGenerator[None, None]:
    """Holds the advisory lock. It is polled, for a migrator that waits blocked holds up `create index concurrently`."""
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110 - Postgres tells nobody
            await asyncio.sleep(POLL_SECONDS)
        yield
    finally:
        await connection.close()
