"""How reads from Postgres succeed and fail."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import pytest

from service.db.pool import APPLICATION_NAME, UNHEARD, Database, Session
from service.db.queries import QUERIES
from service.errors import BadUserInput, Internal, OperationTimeout, Unavailable
from service.events import ConnectionLost, ConnectionRefused, Event, StatementFailed
from service.settings import Settings
from tests.databases import line_to_postgres

RAISE = "do $$ begin raise exception 'the cursor is of another list' using errcode = '{}'; end $$"


@pytest.fixture
async def other(empty_database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that looks on from outside."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


async def test_a_session_is_set_up_by_the_connection_itself(empty_database: str) -> None:
    settings = Settings(operation_timeout=2.5)
    async with Database(empty_database, settings) as database:
        names = ("timezone", "jit", "statement_timeout", "application_name", "default_transaction_read_only")
        shown = ", ".join(f"current_setting('{name}')" for name in names)
        row = await database.fetch_row(f"select {shown}")
    assert row is not None
    assert list(row) == ["UTC", "off", "2500ms", APPLICATION_NAME, "on"]


async def test_a_read_costs_one_round_trip(empty_database: str, other: asyncpg.Connection[asyncpg.Record]) -> None:
    async with Database(empty_database, Settings(pool_size=1)) as database:
        for _ in range(2):
            await database.fetch_row("select 'the only statement'")
        last = await other.fetchval(
            "select query from pg_stat_activity where application_name = $1 and datname = current_database()",
            APPLICATION_NAME,
        )
    assert last == "select 'the only statement'"


async def test_a_statement_that_writes_is_refused(empty_database: str) -> None:
    async with Database(empty_database, Settings()) as database:
        with pytest.raises(Internal):
            await database.fetch_row("delete from stories")


async def test_no_row_is_none(empty_database: str) -> None:
    async with Database(empty_database, Settings()) as database:
        assert await database.fetch_row("select where false") is None


async def test_named_statements_run(empty_database: str) -> None:
    """Those of the pool; test_change_feed.py has those of the feed, which take parameters."""
    async with Database(empty_database, Settings()) as database:
        for statement in QUERIES.values():
            if "$1" not in statement:
                assert await database.fetch_row(statement) is not None


async def test_connections_that_died_idle_are_replaced(
    empty_database: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with Database(empty_database, Settings(pool_size=3)) as database:
        for _ in range(5):
            rows = await asyncio.gather(*(database.fetch_row("select 1 from pg_sleep(0.01)") for _ in range(3)))
            assert [list(row or ()) for row in rows] == [[1]] * 3
            assert await _terminate(other) > 0


async def test_a_read_whose_connection_dies_is_tried_again(
    empty_database: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    events: list[Event] = []
    async with Database(empty_database, Settings(), events.append) as database:
        reading = asyncio.create_task(database.fetch_row("select 7 from pg_sleep(0.3)"))
        await _until_active(other)
        await _terminate(other)
        assert list(await reading or ()) == [7]
    assert [type(event) for event in events] == [ConnectionLost]


async def test_a_read_whose_second_connection_dies_too_is_unavailable(
    empty_database: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with Database(empty_database, Settings()) as database:
        reading = asyncio.create_task(database.fetch_row("select 7 from pg_sleep(3)"))
        first = await _until_active(other)
        await _terminate(other)
        await _until_active(other, besides=first)
        await _terminate(other)
        with pytest.raises(Unavailable):
            await reading
        assert await database.fetch_row("select 1") is not None


@pytest.mark.parametrize("dsn", ["postgresql://x@127.0.0.1:1/x", "postgresql://x@/x?host=/nowhere"])
async def test_a_server_that_is_not_there_is_unavailable(dsn: str) -> None:
    events: list[Event] = []
    async with Database(dsn, Settings(), events.append) as database:
        with pytest.raises(Unavailable) as caught:
            await database.fetch_row("select 1")
    assert "127.0.0.1" not in caught.value.message
    assert [type(event) for event in events] == [ConnectionRefused]


async def test_a_database_that_is_not_there_is_unavailable(empty_database: str) -> None:
    async with Database(empty_database.replace("/parallax_test_", "/no_parallax_test_"), Settings()) as database:
        with pytest.raises(Unavailable) as caught:
            await database.fetch_row("select 1")
    assert "no_parallax" not in caught.value.message


async def test_when_no_connection_comes_free_it_is_unavailable(empty_database: str) -> None:
    async with Database(empty_database, Settings(pool_size=1, operation_timeout=0.3)) as database:
        slow, waiting = await asyncio.gather(
            database.fetch_row("select pg_sleep(10)"), database.fetch_row("select 1"), return_exceptions=True
        )
        assert isinstance(slow, OperationTimeout)
        assert isinstance(waiting, Unavailable)
        assert "came free" in waiting.message
        assert await database.fetch_row("select 1") is not None


async def test_a_statement_that_runs_too_long_is_a_timeout(empty_database: str) -> None:
    async with Database(empty_database, Settings(operation_timeout=0.2)) as database:
        with pytest.raises(OperationTimeout):
            await database.fetch_row("select pg_sleep(10)")
        assert await database.fetch_row("select 1") is not None


async def test_whoever_is_cancelled_cancels_the_statement(
    empty_database: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with Database(empty_database, Settings(pool_size=1)) as database:
        reading = asyncio.create_task(database.fetch_row("select pg_sleep(4)"))
        await _until_active(other)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        async with asyncio.timeout(2):  # it sleeps for longer than that, if nobody cancels it
            while await _active(other) is not None:
                await asyncio.sleep(0.01)
        assert await database.fetch_row("select 1") is not None


async def test_an_error_that_is_meant_for_the_caller_is_told(empty_database: str) -> None:
    async with Database(empty_database, Settings()) as database:
        with pytest.raises(BadUserInput) as caught:
            await database.fetch_row(RAISE.format("PLX01"))
    assert caught.value.message == "the cursor is of another list"


@pytest.mark.parametrize(
    ("statement", "parameters", "sqlstate"),
    [
        (RAISE.format("P0001"), (), "P0001"),
        ("select 1 / $1::integer", (0,), "22012"),
        ("select $1::integer", ("x",), "22000"),
        ("select $1::text", ("\0",), "22021"),
        ("select nothing", (), "42703"),
    ],
)
async def test_other_errors_are_internal_and_observed_without_the_values(
    empty_database: str, statement: str, parameters: tuple[object, ...], sqlstate: str
) -> None:
    events: list[Event] = []
    async with Database(empty_database, Settings(), events.append) as database:
        with pytest.raises(Internal) as caught:
            await database.fetch_row(statement, parameters)
    assert caught.value.message == "Something went wrong on our side."
    assert events == [StatementFailed(sqlstate, statement)]


async def _active(other: asyncpg.Connection[asyncpg.Record], besides: int = 0) -> int | None:
    """The process that runs a statement of the pool's."""
    pid: int | None = await other.fetchval(
        "select pid from pg_stat_activity "
        "where application_name = $1 and datname = current_database() and state = 'active' and pid <> $2",
        APPLICATION_NAME,
        besides,
    )
    return pid


async def _until_active(other: asyncpg.Connection[asyncpg.Record], besides: int = 0) -> int:
    async with asyncio.timeout(5):
        while (pid := await _active(other, besides)) is None:
            await asyncio.sleep(0.01)
    return pid


async def _terminate(other: asyncpg.Connection[asyncpg.Record]) -> int:
    count: int = await other.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity "
        "where application_name = $1 and datname = current_database()",
        APPLICATION_NAME,
    )
    return count


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other options")
async def test_a_connection_on_which_nobody_acknowledges_anything_does_not_last(empty_database: str) -> None:
    async with line_to_postgres(empty_database) as (_, dsn):
        conn = await asyncpg.connect(dsn, connection_class=Session)
        reached_by = cast("Any", conn)._transport.get_extra_info("socket")
        assert reached_by.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD * 1_000
        assert reached_by.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        await conn.close()
