"""The worlds that are asked about, and those who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.db.pool import Database
from service.settings import Settings
from tests.databases import database
from tests.planner import small_world
from tests.planner.asking import Asking
from tests.reference.comparison import Comparison, comparison
from tests.reference.tiny_world import TinyWorld


@pytest.fixture(scope="session")
async def small_database(server_dsn: str, template: str) -> AsyncIterator[Database]:
    """The small world, for reading only: tests share it."""
    async with database(server_dsn, template) as dsn:
        await small_world.fill(dsn)
        async with Database(dsn, Settings(pool_size=4)) as small:
            yield small


@pytest.fixture
def ask(small_database: Database) -> Asking:
    """One who asks for the small world, with a planner that remembers nothing yet."""
    return Asking(small_database)


@pytest.fixture(scope="session")
async def tiny_database(server_dsn: str, template: str) -> AsyncIterator[str]:
    """The DSN of a database that holds the tiny world, for reading only."""
    async with database(server_dsn, template) as dsn:
        conn = await asyncpg.connect(dsn)
        try:
            await TinyWorld().insert(conn)
        finally:
            await conn.close()
        yield dsn


@pytest.fixture(scope="session")
async def tiny(tiny_database: str) -> AsyncIterator[Comparison]:
    """Both ways to an answer over the tiny world."""
    async with comparison(tiny_database) as made:
        yield made


@pytest.fixture(scope="session")
async def demo(demo_database: str) -> AsyncIterator[Comparison]:
    """Both ways to an answer over the demo world."""
    async with comparison(demo_database) as made:
        yield made
