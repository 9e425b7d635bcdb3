"""Brings a database up to date, one migrator at a time. `migrate` is a command, never a side effect of serving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parents[2] / "migrations"
LOCK = 0x9A7A11A5  # any number; the same for every migrator
POLL_SECONDS = 0.2


async def migrate(dsn: str, revision: str = "head") -> list[str]:
    """Upgrades to `revision`; the revisions that were run, in order (none where the database was up to date)."""
    async with _only_migrator(dsn):
        todo = await pending(dsn)
        await asyncio.to_thread(command.upgrade, _config(dsn), revision)
    return todo


async def downgrade(dsn: str, revision: str = "base") -> None:
    """Takes migrations back down to `revision`. Loses data: for tests and development."""
    async with _only_migrator(dsn):
        await asyncio.to_thread(command.downgrade, _config(dsn), revision)


async def pending(dsn: str) -> list[str]:
    """Revisions that the database lacks, oldest first."""
    scripts = ScriptDirectory.from_config(_config(dsn))
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("select to_regclass('alembic_version')") is None:
            return known
        current = await connection.fetchval("select version_num from alembic_version")
    finally:
        await connection.close()
    # A revision that is not known here is of newer code: old code runs on the new schema.
    return known[known.index(current) + 1 :] if current in known else [] if current else known


def _config(dsn: str) -> Config:
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
