"""Runs migrations for alembic over asyncpg, on the data source that `service.db.migrations` passes along."""

from __future__ import annotations

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# A migration that cannot have its lock soon gives up rather than hold up every query that queues behind it.
SESSION = {
    "application_name": "parallax migrate",
    "timezone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "30min",
}


def run(connection: Connection) -> None:
    """Runs the steps that alembic chose, each in a transaction of its own."""
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Connects, runs, and disconnects."""
    dsn: str = context.config.attributes["dsn"]
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn, server_settings=SESSION), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
