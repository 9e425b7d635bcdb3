"""A place in memory for the databases of a run, on a server that keeps all others on disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from uuid import uuid4

import asyncpg

TABLESPACE = "PARALLAX_TEST_TABLESPACE"
"""Where databases of tests are made, if anywhere else than where the server keeps its own."""


def tablespace_in(folder: Path, server_dsn: str) -> str | None:
    """The name of a new tablespace in a folder, of a server on this machine; None where the server is none of ours."""
    return asyncio.run(_made(folder, server_dsn))


def drop_tablespace(name: str, server_dsn: str) -> None:
    """Drops the tablespace, with the databases that a killed run has left in it."""
    asyncio.run(_dropped(name, server_dsn))


async def _made(folder: Path, server_dsn: str) -> str | None:
    name, place = f"parallax_test_{uuid4().hex[:16]}", folder / "tablespace"
    connection = await asyncpg.connect(server_dsn)
    try:
        data = Path(await connection.fetchval("show data_directory"))
        if os.geteuid() or not data.is_dir():
            return None
        place.mkdir(mode=0o700)
        shutil.chown(place, data.stat().st_uid)
        await connection.execute(f"create tablespace {name} location '{place}'")
    except asyncpg.InsufficientPrivilegeError:
        return None
    finally:
        await connection.close()
    return name


async def _dropped(name: str, server_dsn: str) -> None:
    of = "select datname from pg_database d join pg_tablespace t on t.oid = d.dattablespace where spcname = $1"
    connection = await asyncpg.connect(server_dsn)
    try:
        for row in await connection.fetch(of, name):
            await connection.execute(f'drop database "{row[0]}" with (force)')
        await connection.execute(f"drop tablespace {name}")
    finally:
        await connection.close()
