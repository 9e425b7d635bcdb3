from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from service.db.migrations import FOLDER, downgrade, migrate, pending, revisions
from tests.databases import database

CATALOG = {
    "relations": "select c.relname, c.relkind::text, c.reloptions::text from pg_class c where {ours}(c.relnamespace)",
    "columns": "select a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid), a.attnum"
    " from pg_attribute a join pg_class c on c.oid = a.attrelid"
    " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
    " where {ours}(c.relnamespace) and a.attnum > 0",
    "indexes": "select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisvalid"
    " from pg_index i join pg_class c on c.oid = i.indexrelid where {ours}(c.relnamespace)",
    "constraints": "select c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)"
    " from pg_constraint c where {ours}(c.connamespace)",
    "functions": "select p.oid::regprocedure::text, pg_get_functiondef(p.oid) from pg_proc p"
    " where {ours}(p.pronamespace)",
    "triggers": "select t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid) from pg_trigger t"
    " join pg_class c on c.oid = t.tgrelid where {ours}(c.relnamespace) and not t.tgisinternal",
    "types": "select t.typname, e.enumlabel, e.enumsortorder from pg_type t"
    " left join pg_enum e on e.enumtypid = t.oid where {ours}(t.typnamespace)",
}
OURS = "'public'::regnamespace = "


async def catalog(dsn: str) -> dict[str, list[str]]:
    """Everything that migrations make, by kind, as Postgres would write it out."""
    conn = await asyncpg.connect(dsn)
    try:
        return {
            kind: sorted(repr(tuple(row)) for row in await conn.fetch(query.replace("{ours}", OURS)))
            for kind, query in CATALOG.items()
        }
    finally:
        await conn.close()


@pytest.fixture
async def bare(server_dsn: str) -> AsyncIterator[str]:
    """The DSN of a database that was never migrated."""
    async with database(server_dsn) as dsn:
        yield dsn


def test_revisions_follow_each_other_in_the_order_of_their_numbers() -> None:
    scripts = ScriptDirectory(str(FOLDER))
    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]


async def test_up_down_and_up_again_leaves_the_same_schema(bare: str) -> None:
    nothing = await catalog(bare)
    await migrate(bare)
    up = await catalog(bare)
    assert all(len(up[kind]) > len(nothing[kind]) for kind in CATALOG)
    await downgrade(bare)
    down = await catalog(bare)
    assert {kind: [item for item in down[kind] if "alembic_version" not in item] for kind in CATALOG} == nothing
    await migrate(bare)
    assert await catalog(bare) == up


async def test_pending_tells_what_is_to_be_run(bare: str) -> None:
    everything = await pending(bare)
    assert everything
    assert everything == sorted(everything)
    assert await migrate(bare) == everything
    assert await pending(bare) == []
    assert await migrate(bare) == []
    await downgrade(bare)
    assert await pending(bare) == everything


async def test_a_revision_of_newer_code_leaves_nothing_to_do(bare: str) -> None:
    await migrate(bare)
    conn = await asyncpg.connect(bare)
    await conn.execute("update alembic_version set version_num = 'of newer code'")
    await conn.close()
    assert await pending(bare) == []


async def test_of_two_migrators_at_once_one_waits(bare: str) -> None:
    await asyncio.gather(*(migrate(bare) for _ in range(3)))
    assert await pending(bare) == []


async def test_a_migration_changes_nothing_of_what_is_stored(empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute("insert into outlets (domain, slug, name) values ('a.example', 'a', 'A')")
    await migrate(empty_database)
    assert await conn.fetchval("select count(*) from outlets") == 1
    await conn.close()
