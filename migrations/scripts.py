"""Runs the plain SQL that a migration consists of."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import op

FOLDER = Path(__file__).parent / "sql"


def execute(*names: str) -> None:
    """Runs scripts of migrations/sql/ in the migration's transaction.

    A prepared statement holds one command and a script holds many, so the driver's simple protocol takes it.
    """
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    for name in names:
        script = (FOLDER / name).read_text(encoding="utf-8")

        async def run(driver: asyncpg.Connection, script: str = script) -> None:
            await driver.execute(script)

        connection.run_async(run)
