"""The service through PgBouncer in transaction mode: the same answers as without, whatever goes on at once.

The name of each test tells which version it ran on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from bench.queries import QUERIES
from service.doctor import examine_feed
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import bearer
from tests.acceptance.test_websocket import STORY
from tests.access_keys import made_key
from tests.lacking import lacking
from tests.pgbouncer import AT_START, INI, PgBouncer, installed, pgbouncer

CASES = Path(__file__).parents[1] / "planner" / "cases"
FEATURES = "FACTUALITY,OWNERSHIP,PERSPECTIVES,HISTORY,EXPORT"
AT_ONCE = 32

PROGRAMS = installed()
NONE = pytest.param("", id="none")


@pytest.fixture(params=[*(pytest.param(PROGRAMS[version], id=version) for version in sorted(PROGRAMS))] or [NONE])
def program(request: pytest.FixtureRequest) -> str:
    return request.param or lacking("NOT TESTED: PgBouncer is not here (Debian: pgbouncer).")


@pytest.fixture
def pooler(program: str, server_dsn: str) -> Iterator[PgBouncer]:
    """One with fewer connections to Postgres than the service has to it."""
    with pgbouncer(program, server_dsn) as running:
        yield running


async def operations(dsn: str) -> list[dict[str, Any]]:
    """The queries of the benchmark for several stories and outlets, and those of the golden cases."""
    conn = await asyncpg.connect(dsn)
    stories = await conn.fetch("select slug from stories where article_count > 0 order by article_count desc limit 12")
    outlets = await conn.fetch("select slug from outlets order by article_count desc limit 12")
    await conn.close()
    slugs = {"q1": stories, "q4": outlets, "q5": stories}
    asked: list[dict[str, Any]] = [
        {"query": query.operation, "variables": {"slug": row["slug"]} if row else {}}
        for query in QUERIES
        for row in slugs.get(query.name, [None])
    ]
    return asked + [{"query": (case / "query.graphql").read_text()} for case in sorted(CASES.iterdir())]


async def ask(client: httpx.AsyncClient, asked: list[dict[str, Any]], room: asyncio.Semaphore) -> list[Any]:
    async def one(body: dict[str, Any]) -> Any:
        async with room:
            response = await client.post("/graphql", json=body)
        return response.status_code, orjson.loads(response.content)

    return await asyncio.gather(*map(one, asked))


@pytest.mark.parametrize("prepares", [True, False], ids=["prepared", "not-prepared"])
async def test_answers_are_those_without_it(
    serve: Serve, demo_database: str, pooler: PgBouncer, *, prepares: bool
) -> None:
    if prepares and not pooler.prepares:
        pytest.skip("PgBouncer before 1.21 gives a connection's prepared statements to others")
    settings: dict[str, Any] = {"allowances": "off", "cache_bytes": 0, "granted_features": FEATURES}
    asked = await operations(demo_database)
    room = asyncio.Semaphore(AT_ONCE)
    async with serve(demo_database, **settings) as client:
        expected = await ask(client, asked, room)
    assert {status for status, _ in expected} == {200}
    settings |= {"prepared_statements": prepares, "feed_database_url": demo_database}
    async with serve(pooler.dsn(demo_database), **settings) as client:
        for _ in range(5):
            for body, given, wanted in zip(asked, await ask(client, asked, room), expected, strict=True):
                assert given == wanted, body
        assert (await client.get("/readyz")).json()["status"] == "pass"


async def test_what_connections_are_set_to_is_as_without_it(empty_database: str, pooler: PgBouncer) -> None:
    conn = await asyncpg.connect(
        pooler.dsn(empty_database), statement_cache_size=0, server_settings={"timezone": "Asia/Tokyo"}
    )
    names = ("jit", "random_page_cost", "statement_timeout", "timezone")
    assert [await conn.fetchval(f"show {name}") for name in names] == ["off", "1.1", "5s", "Asia/Tokyo"]
    await conn.close()


def test_it_is_documented_as_it_is_tested() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text()
    assert f"connect_query='{AT_START}'" in page
    for line in ("pool_mode = transaction", *(line for line in INI.splitlines() if line.startswith("ignore_"))):
        assert line in page


async def test_keys_and_what_they_spend_go_through_it(serve: Serve, empty_database: str, pooler: PgBouncer) -> None:
    through = pooler.dsn(empty_database)
    key = await made_key(through)
    async with serve(through, prepared_statements=pooler.prepares, feed_database_url=empty_database) as client:
        query = {"query": "{ stories(first: 1) { nodes { title } } }"}
        for _ in range(5):
            assert (await client.post("/graphql", json=query, headers=bearer(key))).status_code == 200
    conn = await asyncpg.connect(empty_database)
    assert await conn.fetchval("select sum(request_count) from usage_days") == 5
    await conn.close()


async def test_changes_are_heard_of_past_it(serve: Serve, empty_database: str, pooler: PgBouncer) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORY)
    settings = {"prepared_statements": pooler.prepares, "feed_database_url": empty_database}
    async with serve(pooler.dsn(empty_database), **settings) as client:
        query = {"query": '{ story(by: {id: "story_1"}) { title } }'}
        for number in range(5):
            await conn.execute("update stories set title = $1 where id = 1", f"T{number}")
            async with asyncio.timeout(0.5):
                while (await client.post("/graphql", json=query)).json()["data"]["story"]["title"] != f"T{number}":
                    await asyncio.sleep(0.01)
    await conn.close()


async def test_what_is_cancelled_takes_nothing_from_others(
    serve: Serve, empty_database: str, pooler: PgBouncer
) -> None:
    conn = await asyncpg.connect(empty_database)
    settings: dict[str, Any] = {"prepared_statements": pooler.prepares, "feed_database_url": empty_database}
    through = pooler.dsn(empty_database)
    async with serve(through, operation_timeout=0.5, pool_size=4, cache_bytes=0, **settings) as client:
        query = {"query": "{ stories(first: 1) { nodes { title } } }"}
        async with conn.transaction():
            await conn.execute("lock table stories in access exclusive mode")
            late = await asyncio.gather(*(client.post("/graphql", json=query) for _ in range(8)))
        assert {response.status_code for response in late} <= {503, 504}
        async with asyncio.timeout(5):
            while (await client.post("/graphql", json=query)).status_code != 200:
                await asyncio.sleep(0.05)
        answers = await asyncio.gather(*(client.post("/graphql", json=query) for _ in range(40)))
        assert {response.status_code for response in answers} == {200}
    await conn.close()


async def test_the_doctor_tells_that_changes_are_not_heard_of_through_it(
    empty_database: str, pooler: PgBouncer
) -> None:
    assert (await examine_feed(empty_database)).well
    finding = await examine_feed(pooler.dsn(empty_database))
    assert not finding.well
    assert "set PARALLAX_FEED_DATABASE_URL" in finding.told
