"""A migration while this code serves: what is added is not noticed, and code that needs it waits for it."""

from __future__ import annotations

import asyncio
import shutil
from itertools import count
from pathlib import Path

import asyncpg
import httpx
import pytest

from bench.freshness import CORPUS
from service.db import migrations
from service.db.migrations import migrate, pending
from tests.acceptance.conftest import Serve

LATER = """
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("alter table stories add column later text not null default 'later'")
    op.execute("alter table articles add column later bigint")
    op.execute("create index stories_later_idx on stories (later)")
    op.execute("create table later (story_id bigint references stories on delete cascade)")
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of code that is newer by one, which adds a column, an index and a table."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0003_later.py").write_text(LATER)
    return folder


async def test_what_a_migration_adds_is_not_noticed_by_code_that_runs_or_starts(
    serve: Serve, empty_database: str, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(CORPUS)
    await conn.close()
    statuses: list[int] = []

    async def ask(client: httpx.AsyncClient) -> None:
        for number in count():
            nodes = f"a{number % 7}: title articles(first: 2) {{ nodes {{ url outlet {{ name }} }} }}"
            query = f"{{ stories(first: 5) {{ nodes {{ {nodes} }} }} }}"
            response = await client.post("/graphql", json={"query": query})
            statuses.append(response.status_code)
            assert len(response.json()["data"]["stories"]["nodes"]) == 5

    async with serve(empty_database, cache_bytes=0, allowances="off") as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(4)]
        while len(statuses) < 50:
            await asyncio.sleep(0.01)
        with monkeypatch.context() as patched:
            patched.setattr(migrations, "FOLDER", newer)
            assert await pending(empty_database) == ["0003"], "newer code waits"
            assert await migrate(empty_database) == ["0003"]
            assert await pending(empty_database) == []
        assert await pending(empty_database) == [], "this code may start"
        seen = len(statuses)
        while len(statuses) < seen + 50:
            await asyncio.sleep(0.01)
        async with serve(empty_database, cache_bytes=0) as started:
            assert (await started.post("/graphql", json={"query": "{ stories(first: 1) { nodes { id } } }"})).is_success
        for task in asking:
            task.cancel()
        for result in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result
    assert set(statuses) == {200}
