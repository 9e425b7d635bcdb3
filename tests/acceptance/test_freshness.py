"""What is kept is true: through changes, in several processes, and while a Postgres or a Redis goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import httpx
import pytest

from bench.line import Line
from service.db.pool import Database
from service.redis import SharedRedis
from tests.acceptance.conftest import Serve
from tests.acceptance.test_websocket import STORY
from tests.databases import line_to_postgres
from tests.redis_servers import URL, needs_redis, own_prefix

PAGE = 'query {{ story(by: {{id: "story_{0}"}}) {{ title articles {{ nodes {{ title }} }} }} }}'


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORY)
    yield conn
    await conn.close()


async def read(client: httpx.AsyncClient, story: int = 1) -> tuple[str, str]:
    """The title of the story, and where its page came from."""
    response = await client.get("/graphql", params={"query": PAGE.format(story)})
    assert response.status_code == 200, response.text
    return response.json()["data"]["story"]["title"], response.headers["cache-status"].removeprefix("parallax; ")


async def until(holds: Callable[[], Any], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.01)


def is_kept(client: httpx.AsyncClient, *where: str) -> Callable[[], Any]:
    async def kept() -> bool:
        return (await read(client))[1] in [f"hit; detail={each}" for each in where]

    return kept


async def test_a_page_is_kept_until_its_story_changes_and_no_longer(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    async with serve(empty_database) as client:
        await until(is_kept(client, "memory"))
        assert await read(client, 2) is not None
        for number in range(20):
            title = f"T{number:02}"
            await conn.execute("update stories set title = $1 where id = 1", title)
            titles: list[str] = []
            async with asyncio.timeout(5):
                while not titles or titles[-1] != title:
                    titles.append((await read(client))[0])
            assert titles == sorted(titles)
            await until(is_kept(client, "memory"))
            assert (await read(client))[0] == title
        assert (await read(client, 2))[1] == "hit; detail=memory", "other stories' pages stay"


async def test_what_a_story_refers_to_changes_its_page_too(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    query = '{ story(by: {id: "story_1"}) { firstArticle { outlet { name bias } } } }'

    async with serve(empty_database) as client:

        async def outlet() -> dict[str, Any]:
            answer = (await client.get("/graphql", params={"query": query})).json()
            return answer["data"]["story"]["firstArticle"]["outlet"]

        assert await outlet() == {"name": "A", "bias": None}
        await until(is_kept(client, "memory"))
        await conn.execute(
            "update outlets set name = 'B'; insert into ratings (outlet_id, agency, bias) values (1, 'X', 'LEFT')"
        )
        expected = {"name": "B", "bias": "LEFT"}
        async with asyncio.timeout(5):
            while await outlet() != expected:
                pass


async def title_over_a_connection_of_its_own(client: httpx.AsyncClient, story: int) -> bytes:
    """As `read`, by a client that costs so little that a thousand fit in a test."""
    at = client.base_url
    reader, writer = await asyncio.open_connection(at.host, at.port)
    writer.write(f"GET /graphql?query={quote(PAGE.format(story))} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.split(b'"title":', 1)[1].split(b",", 1)[0]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that answer operations, which the pools of all processes of the test are given."""
    asked: list[str] = []
    fetch = Database.fetch_row

    async def counted(self: Database, statement: str, *rest: Any, **named: Any) -> Any:
        if "to_json" in statement:
            asked.append(statement)
        return await fetch(self, statement, *rest, **named)

    monkeypatch.setattr(Database, "fetch_row", counted)
    # Here one loop serves all processes and a thousand clients, and is late for that reason alone.
    monkeypatch.setattr("service.db.changes.PATIENCE", 30)
    monkeypatch.setattr("service.redis.PATIENCE", 5)
    monkeypatch.setattr("service.cache.response.LEAD", 2)
    return asked


async def ask_a_thousand_times_for_a_cold_page(
    clients: list[httpx.AsyncClient], conn: asyncpg.Connection[Any], statements: list[str]
) -> None:
    async with conn.transaction():
        await conn.execute("lock table articles in access exclusive mode")
        statements.clear()
        turns = (clients[number % len(clients)] for number in range(1_000))
        asking = [asyncio.create_task(title_over_a_connection_of_its_own(client, 3)) for client in turns]
        async with asyncio.timeout(20):
            while not statements:
                await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        assert len(statements) == 1
        assert not any(task.done() for task in asking)
    assert set(await asyncio.gather(*asking)) == {b'"T"'}
    assert len(statements) == 1


async def test_a_thousand_who_ask_for_a_cold_page_cost_one_statement(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any], statements: list[str]
) -> None:
    async with serve(empty_database, allowances="off") as client:
        await until(is_kept(client, "memory"))
        await ask_a_thousand_times_for_a_cold_page([client], conn, statements)


@needs_redis
async def test_a_thousand_who_ask_several_processes_for_a_cold_page_cost_one_statement(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any], statements: list[str]
) -> None:
    async with own_prefix() as prefix, AsyncExitStack() as stack:
        shared = {"redis_url": URL, "redis_prefix": prefix, "allowances": "off"}
        clients = [await stack.enter_async_context(serve(empty_database, **shared)) for _ in range(4)]
        for client in clients:
            await until(is_kept(client, "memory", "redis"))
        await ask_a_thousand_times_for_a_cold_page(clients, conn, statements)


async def test_while_postgres_is_away_what_is_kept_goes_on_and_afterwards_all_is_fresh(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    async with line_to_postgres(empty_database) as (line, dsn), serve(dsn, operation_timeout=2) as client:
        await until(is_kept(client, "memory"))
        await line.cut()

        async def is_stale() -> bool:
            return (await read(client))[1].endswith("ttl=-1")

        await until(is_stale)
        assert (await read(client))[0] == "T"
        response = await client.get("/graphql", params={"query": PAGE.format(2)})
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        await conn.execute("update stories set title = 'U' where id = 1")
        await line.open()

        async def is_fresh() -> bool:
            return (await read(client))[0] == "U"

        await until(is_fresh)
        await until(is_kept(client, "memory"))
        assert (await read(client, 2))[0] == "T"
        await conn.execute("update stories set title = 'V' where id = 1")
        async with asyncio.timeout(5):
            while (await read(client))[0] != "V":
                pass


@needs_redis
async def test_processes_share_pages_and_each_knows_when_they_are_old(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    async with own_prefix() as prefix:
        shared = {"redis_url": URL, "redis_prefix": prefix}
        async with serve(empty_database, **shared) as one, serve(empty_database, **shared) as other:
            await until(is_kept(one, "memory"))
            await until(is_kept(other, "redis", "memory"))
            for number in range(10):
                title = f"T{number}"
                await conn.execute("update stories set title = $1 where id = 1", title)
                for client in (one, other):
                    async with asyncio.timeout(5):
                        while (await read(client))[0] != title:
                            pass
            # Kept again, as soon as no transaction that is open beside it could still change what it was made of.
            await until(is_kept(one, "memory"))
            await until(is_kept(other, "redis", "memory"))
            assert {(await read(client))[0] for client in (one, other)} == {"T9"}


@needs_redis
async def test_a_redis_that_is_emptied_under_load_fails_no_request(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    async with own_prefix() as prefix, SharedRedis(URL) as redis, AsyncExitStack() as stack:
        shared = {"redis_url": URL, "redis_prefix": prefix}
        clients = [await stack.enter_async_context(serve(empty_database, **shared)) for _ in range(2)]
        for number in range(30):
            await conn.execute("update stories set title = $1 where id = 1", f"T{number}")
            for client in clients:
                await read(client)
            for key in await redis.run("KEYS", f"{prefix}*"):
                await redis.run("DEL", key)
        for client in clients:
            async with asyncio.timeout(5):
                while (await read(client))[0] != "T29":
                    pass


@needs_redis
async def test_a_redis_that_hangs_or_goes_fails_no_request(
    serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    url = urlsplit(URL)
    line = Line(url.hostname or "", url.port or 6379)
    await line.open()
    async with own_prefix() as prefix:
        redis_url = f"redis://127.0.0.1:{line.port}{url.path}"
        async with serve(empty_database, redis_url=redis_url, redis_prefix=prefix) as client:
            await until(is_kept(client, "memory"))
            loop = asyncio.get_running_loop()
            for fail in ("hang", "cut"):
                line.hang() if fail == "hang" else await line.cut()
                times: list[float] = []
                for number in range(30):
                    await conn.execute("update stories set title = $1 where id = 1", f"{fail} {number}")
                    began = loop.time()
                    await read(client)
                    times.append(loop.time() - began)
                assert sorted(times)[-3] < 0.5, "one call pays for the failure, the others do not wait"
                async with asyncio.timeout(5):
                    while (await read(client))[0] != f"{fail} 29":
                        pass
                if fail == "hang":
                    await line.cut()
                    await line.open()
            await line.open()
            await until(is_kept(client, "memory"))
    await line.cut()
