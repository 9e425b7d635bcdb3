"""Reads that wait for a connection go together, and are each answered as if they had gone alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from service.db.batching import MOST, MOST_WEIGHT, Batches
from service.db.pool import Database
from service.errors import BadUserInput, Internal, OperationTimeout, Unavailable
from service.settings import Settings

ALONE = "select $1::text as shown, $2::bigint * 2 as doubled"
TOGETHER = (
    "select calls.v1::text as shown, calls.v2::bigint * 2 as doubled"
    " from unnest($1::text[], $2::bigint[]) with ordinality calls (v1, v2, number) order by calls.number"
)
HELD = "select 1 from pg_sleep(0.3)"


class Watched(Database):
    """Notes what is read."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.read: list[tuple[str, Sequence[Any]]] = []

    async def fetch_row(self, statement: str, parameters: Sequence[Any] = (), **rest: Any) -> Any:
        self.read.append((statement, parameters))
        return await super().fetch_row(statement, parameters, **rest)

    async def fetch_rows(self, statement: str, parameters: Sequence[Any]) -> Any:
        self.read.append((statement, parameters))
        return await super().fetch_rows(statement, parameters)


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[Watched]:
    async with Watched(empty_database, SETTINGS) as database:
        yield database


SETTINGS = Settings(pool_size=1, operation_timeout=2)


async def asked(batches: Batches, number: int, **rest: Any) -> tuple[Any, ...]:
    row = await batches.fetch_row(ALONE, (f"n{number}", number), together=TOGETHER, **rest)
    assert row is not None
    return tuple(row)


async def held(batches: Batches) -> asyncio.Task[Any]:
    """A read that has the only connection for a while."""
    task = asyncio.create_task(batches.fetch_row(HELD, ()))
    await asyncio.sleep(0.05)
    return task


async def test_who_finds_a_connection_goes_at_once_and_alone(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    for number in range(3):
        assert await asked(batches, number) == (f"n{number}", 2 * number)
    assert [statement for statement, _ in database.read] == [ALONE] * 3


async def test_all_that_wait_for_one_plan_go_as_one_statement(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    first = await held(batches)
    rows = await asyncio.gather(*(asked(batches, number) for number in range(MOST)))
    assert rows == [(f"n{number}", 2 * number) for number in range(MOST)]
    await first
    assert [statement for statement, _ in database.read] == [HELD, TOGETHER]
    # The connection is free again.
    assert await asked(batches, 7) == ("n7", 14)
    assert database.read[-1][0] == ALONE


async def test_no_more_go_together_than_may_nor_those_who_weigh_much(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    await asyncio.gather(*(asked(batches, number) for number in range(2 * MOST + 1)))
    assert [len(parameters[0]) for statement, parameters in database.read if statement == TOGETHER] == [MOST, MOST]
    database.read.clear()
    await held(batches)
    await asyncio.gather(*(asked(batches, number, weight=MOST_WEIGHT // 2) for number in range(5)))
    assert [statement for statement, _ in database.read] == [HELD, TOGETHER, TOGETHER, ALONE]


async def test_plans_take_turns_and_what_cannot_go_together_goes_alone(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    other = TOGETHER.replace("* 2", "* 3")
    rows = await asyncio.gather(
        *(asked(batches, number) for number in range(MOST + 2)),
        batches.fetch_row("select 'alone'", ()),
        batches.fetch_row(ALONE, ("b", 5), together=other),
        batches.fetch_row(ALONE, ("c", 6), together=other),
    )
    assert [tuple(row or ()) for row in rows[-3:]] == [("alone",), ("b", 15), ("c", 18)]
    assert [statement for statement, _ in database.read] == [HELD, TOGETHER, "select 'alone'", other, TOGETHER]


async def test_an_error_of_one_touches_no_other(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    alone = "select 100 / $1::bigint"
    together = "select 100 / calls.v1::bigint from unnest($1::bigint[]) with ordinality calls (v1, number)"
    reads = [batches.fetch_row(alone, (number,), together=together) for number in (1, 0, 5)]
    first, bad, last = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(bad, Internal)
    assert isinstance(first, asyncpg.Record)
    assert isinstance(last, asyncpg.Record)
    assert (first[0], last[0]) == (100, 20)
    assert [statement for statement, _ in database.read].count(together) == 1
    assert await asked(batches, 1) == ("n1", 2)


async def test_those_whose_statement_failed_take_turns_with_others(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    alone = "select 100 / $1::bigint"
    together = "select 100 / calls.v1::bigint from unnest($1::bigint[]) with ordinality calls (v1, number)"
    await asyncio.gather(
        *(batches.fetch_row(alone, (number,), together=together) for number in (1, 0, 5)),
        batches.fetch_row("select 'other'", ()),
        return_exceptions=True,
    )
    assert [statement for statement, _ in database.read] == [HELD, together, alone, "select 'other'", alone, alone]


async def test_each_is_told_by_an_error_of_its_own(empty_database: str) -> None:
    async with Watched(empty_database, Settings(pool_size=1, operation_timeout=0.7)) as database:
        batches = Batches(database, Settings(pool_size=1, operation_timeout=5))
        await held(batches)
        together = "select calls.v1::text, pg_sleep(1) from unnest($1::text[]) with ordinality calls (v1, number)"
        reads = [batches.fetch_row("select $1::text", (each,), together=together) for each in "ab"]
        one, other = await asyncio.gather(*reads, return_exceptions=True)
        assert isinstance(one, OperationTimeout)
        assert isinstance(other, OperationTimeout)
        assert one is not other


async def test_a_value_that_cannot_be_sent_is_told_to_who_gave_it(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    reads = [batches.fetch_row(ALONE, values, together=TOGETHER) for values in (("a", 1), ("b", "no number"))]
    good, bad = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(bad, Internal | BadUserInput)
    assert isinstance(good, asyncpg.Record)
    assert tuple(good) == ("a", 2)


async def test_who_leaves_takes_nothing_from_the_others(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    tasks = [asyncio.create_task(asked(batches, number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [outcomes[n] for n in (0, 2, 3)] == [("n0", 0), ("n2", 4), ("n3", 6)]
    assert isinstance(outcomes[1], asyncio.CancelledError)


@pytest.mark.parametrize("leaving", [1, 2])
async def test_a_statement_is_given_up_when_the_last_has_left(
    database: Watched, empty_database: str, leaving: int
) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    slow = "select $1::text, pg_sleep(1.5)"
    together = "select calls.v1::text, pg_sleep(0.7) from unnest($1::text[]) with ordinality calls (v1, number)"
    tasks = [asyncio.create_task(batches.fetch_row(slow, (each,), together=together)) for each in "ab"]
    await asyncio.sleep(0.6)
    assert database.read[-1][0] == together
    for task in tasks[:leaving]:
        task.cancel()
    await asyncio.sleep(0.2)
    other = await asyncpg.connect(empty_database)
    running = await other.fetchval(
        "select count(*) from pg_stat_activity where query = $1 and state = 'active' and datname = current_database()",
        together,
    )
    await other.close()
    assert running == (leaving == 1)
    assert [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)].count(
        asyncio.CancelledError
    ) == leaving
    assert await asked(batches, 3) == ("n3", 6), "the connection is free again"


async def test_who_is_cancelled_as_a_connection_comes_gives_it_on(database: Watched) -> None:
    batches = Batches(database, SETTINGS)
    for _ in range(20):
        first = asyncio.create_task(batches.fetch_row("select 1", ()))
        await asyncio.sleep(0)
        second = asyncio.create_task(asked(batches, 2))
        third = asyncio.create_task(batches.fetch_row("select 3", ()))
        await asyncio.sleep(0)
        first.add_done_callback(lambda _, waiting=second: waiting.cancel())
        outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
        assert isinstance(outcomes[2], asyncpg.Record)
    async with asyncio.timeout(5):
        assert await asked(batches, 3) == ("n3", 6)


async def test_who_waits_too_long_is_told_what_for(empty_database: str) -> None:
    hurried = Settings(pool_size=1, operation_timeout=0.9)
    async with Watched(empty_database, Settings(pool_size=1, operation_timeout=5)) as database:
        batches = Batches(database, hurried)
        slow = asyncio.create_task(batches.fetch_row("select 1 from pg_sleep(1)", ()))
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable):
            await asked(batches, 1)
        await slow
        await held(batches)
        together = "select calls.v1::text, pg_sleep(1) from unnest($1::text[]) with ordinality calls (v1, number)"
        reads = [batches.fetch_row("select $1::text", (each,), together=together) for each in "ab"]
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        assert [type(each) for each in outcomes] == [OperationTimeout] * 2
        async with asyncio.timeout(5):
            assert await asked(batches, 1) == ("n1", 2)


async def test_who_would_begin_late_is_refused_and_who_began_has_the_time_that_is_left(empty_database: str) -> None:
    settings = Settings(pool_size=1, operation_timeout=2)
    async with Watched(empty_database, settings) as database:
        batches = Batches(database, settings)
        slow = asyncio.create_task(batches.fetch_row("select 1 from pg_sleep(0.9)", ()))
        await asyncio.sleep(0.05)
        next_one = asyncio.create_task(batches.fetch_row("select 2 from pg_sleep(0.9)", ()))
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await batches.fetch_row("select 3", ())
        assert 0.9 < asyncio.get_running_loop().time() - began < 1.5
        assert tuple(await slow or ()) == (1,)
        assert tuple(await next_one or ()) == (2,)
        assert [statement for statement, _ in database.read if "3" in statement] == []


async def test_a_connection_that_dies_costs_nobody_an_answer(database: Watched, empty_database: str) -> None:
    batches = Batches(database, SETTINGS)
    await held(batches)
    together = (
        "select calls.v1::text, pg_sleep(0.2) from unnest($1::text[]) with ordinality calls (v1, number)"
        " order by calls.number"
    )
    reads = [asyncio.create_task(batches.fetch_row("select $1::text", (each,), together=together)) for each in "abc"]
    await asyncio.sleep(0.45)
    other = await asyncpg.connect(empty_database)
    ended = await other.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and pid <> pg_backend_pid()", together
    )
    await other.close()
    assert len(ended) == 1
    rows = await asyncio.gather(*reads)
    assert [tuple(row or ()) for row in rows] == [("a",), ("b",), ("c",)]
