"""What callers see of a database that is slow, broken or away."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from service.db.pool import APPLICATION_NAME
from service.events import CallerLeft, Event, RequestFailed
from tests.acceptance.conftest import Serve

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
QUERY = {"query": "{ stories(first: 1) { nodes { title } } }"}
FIRST = "query($first: Int) { stories(first: $first) { nodes { title } } }"
BOTH = pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])

SERVICES = "select pid from pg_stat_activity where application_name = $1 and datname = current_database()"


def asked(**parameters: str) -> bytes:
    """A request by GET."""
    return b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % httpx.URL("/graphql", params=parameters).raw_path


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def stories_locked(dsn: str) -> AsyncGenerator[None]:
    """Nobody else can read a story meanwhile."""
    async with connected(dsn) as connection, connection.transaction():
        await connection.execute("lock table stories in access exclusive mode")
        yield


@BOTH
async def test_without_a_database_it_is_unavailable(serve: Serve, accept: str) -> None:
    async with serve(AWAY) as client:
        response = await client.post("/graphql", json=QUERY, headers={"accept": accept})
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "UNAVAILABLE"
        assert "127.0.0.1" not in response.text
        assert "nobody" not in response.text


async def test_without_a_database_it_lives_but_is_not_ready(serve: Serve) -> None:
    async with serve(AWAY) as client:
        assert (await client.get("/livez")).status_code == 200
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/health+json"
        answer = response.json()
        assert answer["status"] == "fail"
        (check,) = answer["checks"]["postgres:responseTime"]
        assert check["status"] == "fail"
        assert "127.0.0.1" not in check["output"]


async def test_without_a_database_what_needs_none_is_answered(serve: Serve) -> None:
    async with serve(AWAY) as client:
        response = await client.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
        assert response.json()["data"]["__schema"] == {"queryType": {"name": "Query"}}


@BOTH
async def test_an_operation_that_takes_too_long_is_a_timeout(serve: Serve, empty_database: str, accept: str) -> None:
    async with serve(empty_database, operation_timeout=0.3) as client, stories_locked(empty_database):
        response = await client.post("/graphql", json=QUERY, headers={"accept": accept})
        assert response.status_code == 504
        assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"


@BOTH
async def test_a_statement_that_postgres_refuses_is_internal_and_tells_nothing(
    serve: Serve, empty_database: str, accept: str
) -> None:
    async with serve(empty_database) as client, connected(empty_database) as connection:
        await connection.execute("alter table stories rename to tales")
        response = await client.post("/graphql", json=QUERY, headers={"accept": accept})
        assert response.status_code == 500
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert "stories" not in error["message"]
        assert "relation" not in error["message"]


async def test_of_many_who_wait_for_what_fails_each_failure_is_told_by_itself(
    serve: Serve, empty_database: str
) -> None:
    """They share what is raised: its traceback must not grow by each of them, which is written down for each."""
    told: list[int] = []

    def observe(event: Event) -> None:
        if isinstance(event, RequestFailed) and event.error:
            told.append(len(traceback.extract_tb(event.error.__traceback__)))

    async with serve(empty_database, observe) as client, connected(empty_database) as connection:
        await client.post("/graphql", json={"query": FIRST, "variables": {"first": 1}})
        await connection.execute("alter table stories rename to tales")
        host, port = client.base_url.host, client.base_url.port
        callers = [await asyncio.open_connection(host, port) for _ in range(50)]
        for _, writer in callers:
            writer.write(asked(query=FIRST, variables='{"first": 2}'))
        for reader, writer in callers:
            assert b" 500 " in await reader.readline()
            writer.close()
    assert len(told) == 50
    assert max(told) < 40


async def test_connections_that_were_killed_are_not_noticed(serve: Serve, empty_database: str) -> None:
    async with serve(empty_database) as client, connected(empty_database) as connection:
        await asyncio.gather(*(client.post("/graphql", json=QUERY) for _ in range(8)))
        for _ in range(3):
            await connection.execute(f"select pg_terminate_backend(s.pid) from ({SERVICES}) s", APPLICATION_NAME)
            responses = await asyncio.gather(*(client.post("/graphql", json=QUERY) for _ in range(8)))
            assert [response.status_code for response in responses] == [200] * 8


async def test_a_caller_who_leaves_takes_the_statement_along(serve: Serve, empty_database: str) -> None:
    events: list[Event] = []
    async with (
        serve(empty_database, events.append) as client,
        stories_locked(empty_database),
        connected(empty_database) as connection,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/graphql", json=QUERY, timeout=0.3)
        active = f"select count(*) from ({SERVICES} and state = 'active') s"
        async with asyncio.timeout(3):
            while await connection.fetchval(active, APPLICATION_NAME):
                await asyncio.sleep(0.02)
            while not any(isinstance(event, CallerLeft) for event in events):
                await asyncio.sleep(0.02)


async def test_so_does_who_has_sent_another_request_before_the_answer(serve: Serve, empty_database: str) -> None:
    events: list[Event] = []
    async with serve(empty_database, events.append, cache_bytes=0) as client, connected(empty_database) as connection:
        await client.post("/graphql", json=QUERY)
        async with stories_locked(empty_database):
            _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(asked(**QUERY) * 2)
            active = f"select count(*) from ({SERVICES} and state = 'active') s"
            async with asyncio.timeout(3):
                while not await connection.fetchval(active, APPLICATION_NAME):
                    await asyncio.sleep(0.02)
                writer.close()
                while await connection.fetchval(active, APPLICATION_NAME):
                    await asyncio.sleep(0.02)
    assert sum(isinstance(event, CallerLeft) for event in events) == 1


async def test_a_request_that_runs_when_the_service_ends_is_answered(serve: Serve, empty_database: str) -> None:
    async with connected(empty_database) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("lock table stories in access exclusive mode")
        async with httpx.AsyncClient() as other:
            async with serve(empty_database) as client:
                asking = asyncio.create_task(other.post(client.base_url.join("/graphql"), json=QUERY))
                await asyncio.sleep(0.2)
                asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(transaction.rollback()))
            response = await asking
        assert response.json()["data"] == {"stories": {"nodes": []}}
