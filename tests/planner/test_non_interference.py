"""Two databases that differ in nothing but withheld data give callers who may not see it the same bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from graphql import build_schema

from schema import schema, sdl
from service.errors import ApiError
from service.planner import Allowed, Planner
from tests.databases import database, settled
from tests.reference.comparison import LIMITS
from tests.reference.operations import FEATURES, Generator, Operation
from tests.reference.rules import CATEGORIES, LEVELS
from tests.reference.tiny_world import TinyWorld
from tests.reference.world import read_world

pytestmark = pytest.mark.any_engine

A_TEST = 60
Rows = list[tuple[Any, ...]]
LEAST = tuple((feature, "vantage") for feature in FEATURES)


def _other(value: str | None, values: Sequence[str]) -> str:
    return values[(values.index(value) + 2) % len(values)] if value else values[0]


def _factuality_changed(rows: Rows) -> Rows:
    levels = list(LEVELS)
    return [(*row[:3], _other(row[3], levels), *row[4:]) for row in rows]


def _factuality_gone(rows: Rows) -> Rows:
    # What an agency said of bias is open, and so is that it said something.
    return [(*row[:3], None if row[2] else row[3], *row[4:]) for row in rows]


def _owners_changed(rows: Rows) -> Rows:
    return [(*row[:2], f"Other {row[2]}", _other(row[3], list(CATEGORIES))) for row in rows]


def _perspectives_changed(rows: Rows) -> Rows:
    return [(*row[:2], f"budget council {row[2][::-1]}") for row in rows]


def _gone(_rows: Rows) -> Rows:
    return []


CHANGED: Mapping[str, tuple[str, Callable[[Rows], Rows], Callable[[Rows], Rows]]] = {
    "FACTUALITY": ("ratings", _factuality_changed, _factuality_gone),
    "OWNERSHIP": ("owners", _owners_changed, _gone),
    "PERSPECTIVES": ("perspectives", _perspectives_changed, _gone),
}
WITHHELD = [*((feature,) for feature in CHANGED), tuple(CHANGED)]


@dataclass
class Twins:
    """The tiny world, and how others are made of it."""

    plain: asyncpg.Connection[Any]
    changed: asyncpg.Connection[Any]
    gone: asyncpg.Connection[Any]
    rewritten: asyncpg.Connection[Any]
    generator: Generator

    @property
    def others(self) -> list[asyncpg.Connection[Any]]:
        return [self.changed, self.gone, self.rewritten]


async def _written(server: str, template: str, stack: AsyncExitStack, world: TinyWorld) -> asyncpg.Connection[Any]:
    dsn = await stack.enter_async_context(database(server, template))
    conn = await asyncpg.connect(dsn, server_settings={"timezone": "UTC", "jit": "off"})
    stack.push_async_callback(conn.close)
    await world.insert(conn)
    return conn


def _world(features: tuple[str, ...], *, gone: bool) -> TinyWorld:
    world = TinyWorld()
    for feature in features:
        table, changed, without = CHANGED[feature]
        columns, rows = world.tables[table]
        world.tables[table] = columns, (without if gone else changed)(rows)
    return world


async def _rewrite(conn: asyncpg.Connection[Any], features: tuple[str, ...]) -> None:
    """The same changes made one by one in a database that is in use, so that its rows lie otherwise."""
    dated = await conn.fetch("select id, updated_at, computed_at from stories")
    statements = {
        "FACTUALITY": "update ratings set factuality = 'VERY_LOW'",
        "OWNERSHIP": "update owners set name = 'Rewritten', category = 'OTHER'",
        "PERSPECTIVES": "update perspectives set summary = 'budget'",
    }
    for feature in features:
        await conn.execute(statements[feature])
    # That something has changed, and when, is told to all.
    await conn.executemany("update stories set updated_at = $2, computed_at = $3 where id = $1", [*map(tuple, dated)])
    await conn.execute("delete from changes")
    await conn.execute("analyze")


@asynccontextmanager
async def _twins(server: str, template: str, features: tuple[str, ...]) -> AsyncGenerator[Twins]:
    async with AsyncExitStack() as stack:
        plain, rewritten = [await _written(server, template, stack, TinyWorld()) for _ in range(2)]
        changed, gone = [await _written(server, template, stack, _world(features, gone=each)) for each in (False, True)]
        await _rewrite(rewritten, features)
        generator = Generator(build_schema(sdl()), await read_world(plain))
        yield Twins(plain, changed, gone, rewritten, generator)


async def _answer(
    planner: Planner, conn: asyncpg.Connection[Any], operation: Operation, features: frozenset[str], **cursors: Any
) -> bytes:
    try:
        planned = planner.document(operation.text).operation(operation.name)
        allowed = Allowed(features, least_tiers=LEAST)
        call = planner.plan(planned, {**operation.variables, **cursors}, allowed)
        record = await conn.fetchrow(call.statement, *call.parameters) if call.statement else None
    except (ApiError, asyncpg.PostgresError) as refusal:
        return f"{type(refusal).__name__}: {refusal}".encode()
    return call.response(None if record is None else tuple(record), None)


async def _whole_answer(
    planner: Planner, conn: asyncpg.Connection[Any], operation: Operation, features: frozenset[str]
) -> bytes:
    """The answer, with the cursors that the same database gave."""
    cursors: dict[str, Any] = {}
    for name, source in operation.cursors.items():
        given = (await _answer(planner, conn, source, features)).split(b'"cursor":')
        cursors[name] = given[1].split(b'"')[1].decode() if len(given) > 1 and given[1][:1] == b'"' else None
    return await _answer(planner, conn, operation, features, **cursors)


@pytest.mark.parametrize("withheld", WITHHELD, ids="+".join)
async def test_generated_operations_are_answered_by_the_same_bytes(
    server_dsn: str, template: str, withheld: tuple[str, ...]
) -> None:
    planner = Planner(schema, LIMITS, dated=False)
    less = frozenset(FEATURES) - frozenset(withheld)
    told_apart = 0
    async with _twins(server_dsn, template, withheld) as twins:
        for seed in range(A_TEST):
            operation = twins.generator.operation(seed)
            expected = await _whole_answer(planner, twins.plain, operation, less)
            for other in twins.others:
                assert await _whole_answer(planner, other, operation, less) == expected, (seed, operation.text)
            seen = await _whole_answer(planner, twins.plain, operation, frozenset(FEATURES))
            told_apart += seen != await _whole_answer(planner, twins.changed, operation, frozenset(FEATURES))
    assert told_apart > 0, "who may see it is told apart, so this test can fail"


FEED = """{ changes { changes { kind storyId mergedIntoId story {
    title perspectives { __typename } updatedAt
    coverage { outletCount factuality { __typename } ownership { __typename } }
    articles { nodes { title outlet { name ratings { agency bias } factuality { __typename } } } }
} } } }"""


async def test_the_same_changes_are_told_in_the_same_words(server_dsn: str, template: str) -> None:
    planner = Planner(schema, LIMITS, dated=False)
    withheld = tuple(CHANGED)
    operation = Operation(FEED)
    async with _twins(server_dsn, template, withheld) as twins:
        answers: list[bytes] = []
        for conn in (twins.plain, *twins.others):
            # One by one: those of one statement are told in the order in which they lie, which means nothing.
            for story in await conn.fetch("select id from stories where id % 3 = 0 order by id"):
                await conn.execute("update stories set title = 'Changed' where id = $1", story["id"])
            await conn.execute("update stories set updated_at = '2026-05-01'")
            await settled(conn)
            answers.append(await _answer(planner, conn, operation, frozenset()))
    assert b'"UPDATED"' in answers[0]
    assert len(set(answers)) == 1
