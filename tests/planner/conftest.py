"""The small world, and one who asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.db.pool import Database
from service.settings import Settings
from tests.databases import database
from tests.planner import small_world
from tests.planner.asking import Asking


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
