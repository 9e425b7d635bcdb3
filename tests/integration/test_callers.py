"""Who is known by a key, for how long, and what that asks of Postgres."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from service.access import callers as module
from service.access.caller import Caller, Credentials
from service.access.callers import Callers
from service.access.keeping import Keeping, TierChange
from service.access.keys import new_key, prefix_of
from service.db.pool import Database
from service.db.queries import QUERIES
from service.errors import Unauthenticated, Unavailable
from service.events import AccessKnown, AccessUnknown, Event
from service.settings import Settings
from tests.access_keys import PEPPER, made_key
from tests.databases import name_of

HERE = "192.0.2.1"
SOON = 5.0
"""Seconds within which a change holds in every process."""


class Counting(Database):
    """Counts what it is asked, by the statement's name."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, Settings(pool_size=2))
        self.asked: Counter[str] = Counter()

    async def fetch_row(self, statement: str, parameters: Sequence[Any] = (), **rest: Any) -> asyncpg.Record | None:
        self.asked[next(name for name, text in QUERIES.items() if text == statement)] += 1
        return await super().fetch_row(statement, parameters, **rest)


@asynccontextmanager
async def process(dsn: str, **options: Any) -> AsyncGenerator[tuple[Callers, Counter[str]]]:
    """What one process knows of callers, and what it asked Postgres for."""
    async with Counting(dsn) as database, Callers(database, PEPPER.encode(), **options) as callers:
        yield callers, database.asked


def shown(key: str | None, origin: str | None = None, address: str = HERE) -> Credentials:
    return Credentials(key, origin, address)


async def becomes(what: Callable[[], Any], within: float = SOON) -> None:
    """Until it is so."""
    async with asyncio.timeout(within):
        while not what():
            await asyncio.sleep(0.02)


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[Any]:
    """A connection of whoever changes keys by hand."""
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known counts for half a second only."""
    monkeypatch.setattr(module, "BOUND", 0.5)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    monkeypatch.setattr(module, "POLL", 0.1)


@asynccontextmanager
async def away(server_dsn: str, dsn: str) -> AsyncGenerator[None]:
    """Nobody reaches the database for as long as the block runs."""
    name = name_of(dsn)
    admin = await asyncpg.connect(server_dsn)
    try:
        await admin.execute(f"alter database {name} with allow_connections false")
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        yield
    finally:
        await admin.execute(f"alter database {name} with allow_connections true")
        await admin.close()


async def test_who_has_a_key_is_known_by_it(empty_database: str) -> None:
    key = await made_key(empty_database, "premium")
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key))
    assert caller.key is not None
    assert (caller.key.prefix, caller.key.name, caller.tier.name) == (prefix_of(key), "of a test", "premium")
    assert caller.tier.features == {"FACTUALITY", "PERSPECTIVES"}
    assert caller.account == f"key:{caller.key.id}"


async def test_who_has_none_is_counted_by_address(empty_database: str) -> None:
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(None, address="2001:db8:1:2:3::4"))
    assert (caller.key, caller.tier.name, caller.account) == (None, "anonymous", "address:2001:db8:1:2::/64")


async def test_who_is_known_costs_no_question(empty_database: str) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, asked):
        assert callers.at_hand(shown(key)) is None
        caller = await callers.identify(shown(key))
        before = asked["access_key"]
        assert {callers.at_hand(shown(key)) for _ in range(100)} == {caller}
        assert callers.at_hand(shown(None)) is not None
        assert asked["access_key"] == before == 1


async def test_many_who_show_a_key_at_once_are_one_question(empty_database: str) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, asked):
        assert len({*await asyncio.gather(*(callers.identify(shown(key)) for _ in range(200)))}) == 1
        assert asked["access_key"] == 1


async def test_one_who_left_does_not_take_the_answer_from_the_others(empty_database: str) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, _):
        first, second = (asyncio.create_task(callers.identify(shown(key))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).tier.name == "free"


async def test_a_key_that_is_none_is_one_question_however_often_it_comes(empty_database: str) -> None:
    unknown = new_key()
    async with process(empty_database) as (callers, asked):
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                await callers.identify(shown(unknown))
        assert asked["access_key"] == 1


async def test_a_key_made_after_it_was_refused_is_good_at_once_or_soon(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = new_key()
    monkeypatch.setattr("service.access.keeping.new_key", lambda: unknown)
    async with process(empty_database) as (callers, _):
        with pytest.raises(Unauthenticated):
            await callers.identify(shown(unknown))
        await made_key(empty_database)
        await asyncio.sleep(2.5)
        assert (await callers.identify(shown(unknown))).tier.name == "free"


async def refusals(dsn: str, conn: Any) -> list[Credentials]:
    """All the reasons for which a key is refused."""
    good, revoked, expired = [await made_key(dsn) for _ in range(3)]
    await conn.execute("update api_keys set revoked_at = now() where prefix = $1", prefix_of(revoked))
    await conn.execute("update api_keys set expires_at = now() where prefix = $1", prefix_of(expired))
    not_yet = await made_key(dsn, not_before=datetime.now(UTC) + timedelta(hours=1))
    bound = await made_key(dsn, origins=("https://example.org",), networks=("198.51.100.0/24", "2001:db8::/32"))
    typo = good[:-1] + ("a" if good[-1] != "a" else "b")
    right = "https://example.org"
    return [
        *map(shown, ("", "nonsense", "x" * 100_000, "\ud800", typo, good + "\n", new_key(), revoked, expired, not_yet)),
        shown(bound, None, "198.51.100.1"),
        shown(bound, "https://example.org.evil.example", "198.51.100.1"),
        shown(bound, "null", "198.51.100.1"),
        shown(bound, right, "198.51.101.1"),
        shown(bound, right, "2001:db9::1"),
        shown(bound, right, ""),
        shown(bound, right, "nowhere"),
    ]


async def test_whatever_is_wrong_with_a_key_the_refusal_is_the_same(empty_database: str, conn: Any) -> None:
    given = await refusals(empty_database, conn)
    async with process(empty_database) as (callers, _):
        told: set[str] = set()
        for each in given:
            began = time.monotonic()
            with pytest.raises(Unauthenticated) as refused:
                await callers.identify(each)
            assert time.monotonic() - began >= module.REFUSAL - 0.002
            told.add(f"{refused.value!r} {refused.value.extensions} {refused.value.__cause__}")
            assert callers.at_hand(each) is None
    assert len(told) == 1


async def test_a_typing_error_asks_nobody(empty_database: str) -> None:
    key = new_key()
    async with process(empty_database) as (callers, asked):
        for wrong in (key[:-1] + "_", key.swapcase(), key[:-1], key.replace("plx_", "plx-")):
            with pytest.raises(Unauthenticated):
                await callers.identify(shown(wrong))
        assert asked["access_key"] == 0


async def test_a_key_made_with_another_pepper_is_none(empty_database: str) -> None:
    key = await made_key(empty_database)
    other = b"another pepper, as long"
    async with Database(empty_database, Settings()) as database, Callers(database, other) as callers:
        with pytest.raises(Unauthenticated):
            await callers.identify(shown(key))


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://example.org", "198.51.100.1"),
        ("https://example.org", "::ffff:198.51.100.1"),
        ("http://localhost:5173", "2001:db8:ffff::1"),
    ],
)
async def test_a_key_that_is_bound_is_good_where_it_is_bound_to(empty_database: str, origin: str, address: str) -> None:
    origins, networks = ("https://example.org", "http://localhost:5173"), ("198.51.100.0/24", "2001:db8::/32")
    key = await made_key(empty_database, origins=origins, networks=networks)
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key, origin, address))
        assert callers.at_hand(shown(key, origin, address)) is caller
        assert callers.at_hand(shown(key, "https://other.example", address)) is None


async def test_a_key_counts_from_its_beginning_to_its_end_and_no_longer(empty_database: str) -> None:
    begins = datetime.now(UTC) + timedelta(days=1)
    key = await made_key(empty_database, not_before=begins, expires_at=begins + timedelta(days=1))
    now = [0.0]
    async with process(empty_database, now=lambda: now[0]) as (callers, _):

        async def is_good(at: datetime) -> bool:
            now[0] = at.timestamp()
            try:
                caller = await callers.identify(shown(key))
            except Unauthenticated:
                assert callers.at_hand(shown(key)) is None
                return False
            return callers.at_hand(shown(key)) is caller

        moment, day = timedelta(microseconds=1), timedelta(days=1)
        assert [await is_good(at) for at in (begins - moment, begins, begins + day - moment, begins + day)] == [
            False,
            True,
            True,
            False,
        ]


@pytest.mark.usefixtures("hasty")
async def test_a_stream_ends_with_its_key_though_postgres_is_away(server_dsn: str, empty_database: str) -> None:
    key = await made_key(empty_database, expires_at=datetime.now(UTC) + timedelta(hours=1))
    now = [time.time()]
    async with process(empty_database, now=lambda: now[0]) as (callers, _):
        caller = await callers.identify(shown(key))
        async with away(server_dsn, empty_database):
            await becomes(lambda: callers.at_hand(shown(key)) is None)
            assert await callers.holds(caller)
            now[0] += 3_601
            assert not await callers.holds(caller)


@pytest.mark.parametrize(
    "change",
    [
        "update api_keys set revoked_at = now()",
        "update api_keys set expires_at = now()",
        "update api_keys set not_before = now() + interval '1 day'",
        "delete from api_keys",
        "update api_keys set digest = sha256(digest)",
    ],
)
async def test_a_key_that_is_taken_away_is_refused_soon_in_every_process(
    empty_database: str, conn: Any, change: str
) -> None:
    key = await made_key(empty_database)
    async with AsyncExitStack() as stack:
        processes = [(await stack.enter_async_context(process(empty_database)))[0] for _ in range(2)]
        known = [await callers.identify(shown(key)) for callers in processes]
        assert all([await callers.holds(caller) for callers, caller in zip(processes, known, strict=True)])
        await conn.execute(change)
        await becomes(lambda: all(callers.at_hand(shown(key)) is None for callers in processes))
        for callers, caller in zip(processes, known, strict=True):
            assert not await callers.holds(caller)
            with pytest.raises(Unauthenticated):
                await callers.identify(shown(key))


async def test_a_change_in_a_transaction_that_commits_late_is_not_missed(empty_database: str, conn: Any) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, _):
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute("update api_keys set revoked_at = now()")
        await asyncio.sleep(1.5)
        assert await callers.identify(shown(key))
        await transaction.commit()
        await becomes(lambda: callers.at_hand(shown(key)) is None)
        with pytest.raises(Unauthenticated):
            await callers.identify(shown(key))


async def test_a_key_that_is_bound_anew_ends_what_is_open(empty_database: str, conn: Any) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key))
        await conn.execute("update api_keys set networks = '{203.0.113.0/24}'")
        await becomes(lambda: callers.at_hand(shown(key)) is None)
        assert not await callers.holds(caller)


async def test_a_tier_that_is_changed_is_another_soon(empty_database: str) -> None:
    key = await made_key(empty_database, "premium")
    keeping = Keeping(empty_database)
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key))

        async def changed(**change: Any) -> Caller:
            before = callers.tiers
            await keeping.put_tier("premium", TierChange(**change))
            await becomes(lambda: callers.tiers is not before)
            return await callers.identify(shown(key))

        assert (await changed(cost_per_minute=123_456)).tier.cost_per_minute == 123_456
        assert await callers.holds(caller)
        await changed(features=frozenset({"FACTUALITY", "PERSPECTIVES", "HISTORY"}))
        assert await callers.holds(caller)
        assert callers.tiers.least_with("HISTORY") == "premium"
        await changed(features=frozenset({"FACTUALITY", "HISTORY"}))
        assert not await callers.holds(caller)


async def test_when_a_key_was_last_used_makes_nobody_ask_again(empty_database: str, conn: Any) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, asked):
        caller = await callers.identify(shown(key))
        await conn.execute("update api_keys set last_used_at = now()")
        looks = asked["access_generation"]
        await becomes(lambda: asked["access_generation"] >= looks + 2)
        assert callers.at_hand(shown(key)) is caller


async def test_so_many_are_remembered_and_no_more(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    keys = [await made_key(empty_database) for _ in range(12)]
    unknown = [new_key() for _ in range(30)]
    async with process(empty_database) as (callers, _):
        for key in keys:
            await callers.identify(shown(key))
        await asyncio.gather(*(callers.identify(shown(key)) for key in unknown), return_exceptions=True)
        held: list[Any] = [getattr(callers, f"_{name}") for name in ("callers", "none")]
        assert [len(each._values) for each in held] == [10, 10]


@pytest.mark.usefixtures("hasty")
async def test_while_postgres_is_away_keys_do_not_count_and_others_go_on(server_dsn: str, empty_database: str) -> None:
    key = await made_key(empty_database)
    told: list[Event] = []
    async with process(empty_database, observe=told.append) as (callers, _):
        caller = await callers.identify(shown(key))
        async with away(server_dsn, empty_database):
            await becomes(lambda: callers.at_hand(shown(key)) is None)
            for each in (key, new_key()):
                with pytest.raises(Unavailable):
                    await callers.identify(shown(each))
            assert (await callers.identify(shown(None))).tier.name == "anonymous"
            assert callers.at_hand(shown(None, address="192.0.2.77"))
            assert await callers.holds(caller)
        assert await callers.identify(shown(key))
        await becomes(lambda: isinstance(told[-1], AccessKnown))
    assert [type(event) for event in told] == [AccessKnown, AccessUnknown, AccessKnown]
    assert key not in repr(told)


@pytest.mark.usefixtures("hasty")
async def test_known_keys_may_be_let_count_while_postgres_is_away(server_dsn: str, empty_database: str) -> None:
    known, unseen = [await made_key(empty_database) for _ in range(2)]
    async with process(empty_database, away=60.0) as (callers, _):
        caller = await callers.identify(shown(known))
        async with away(server_dsn, empty_database):
            await asyncio.sleep(1.5)
            assert callers.at_hand(shown(known)) is caller
            with pytest.raises(Unavailable):
                await callers.identify(shown(unseen))


@pytest.mark.usefixtures("hasty")
async def test_a_process_that_began_while_postgres_was_away_knows_keys_when_it_is_back(
    server_dsn: str, empty_database: str
) -> None:
    key = await made_key(empty_database)
    async with AsyncExitStack() as stack:
        async with away(server_dsn, empty_database):
            callers, _ = await stack.enter_async_context(process(empty_database))
            with pytest.raises(Unavailable):
                await callers.identify(shown(key))
        assert (await callers.identify(shown(key))).tier.name == "free"


@pytest.mark.usefixtures("hasty")
async def test_tables_that_cannot_be_read_are_as_good_as_away(empty_database: str, conn: Any) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key))
        await conn.execute("alter table access_generation rename to elsewhere")
        await becomes(lambda: callers.at_hand(shown(key)) is None)
        with pytest.raises(Unavailable):
            await callers.identify(shown(key))
        assert await callers.holds(caller)
        await conn.execute("alter table elsewhere rename to access_generation")
        assert await callers.identify(shown(key))


async def test_nothing_that_can_be_shown_shows_a_key(empty_database: str) -> None:
    key = await made_key(empty_database)
    async with process(empty_database) as (callers, _):
        caller = await callers.identify(shown(key))
        texts = [repr(each) + str(each) for each in (shown(key), caller, caller.key, callers)]
        with pytest.raises(Unauthenticated) as refused:
            await callers.identify(shown(key[:-1] + "!"))
    assert all(key[12:-6] not in text for text in [*texts, repr(refused.value)])
    assert all(repr(caller.digest)[2:-1] not in text and caller.digest.hex() not in text for text in texts)
