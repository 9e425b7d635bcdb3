"""What operations cost and what is left: headers, refusals, and what is answered all the same."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import asyncpg
import httpx
import pytest

from service.access.usage import Usage, UsageDay
from service.http import graphql
from service.http.graphql import LONGEST_SENT
from service.http.requests import understand
from tests.acceptance.conftest import Serve
from tests.acceptance.documents import STRICT, answered, refused
from tests.acceptance.test_websocket import heard, opened, subscribe
from tests.access_keys import made_key

OUTLETS = "{ outlets(first: 10) { nodes { id } } }"
COST = 10
NEWS = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into stories (id, key, slug, title) values (1, 1, 's', 'T');
insert into articles (outlet_id, story_id, published_at, url, title) values (1, 1, now(), 'u', 'T');
"""


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(NEWS)
    yield conn
    await conn.close()


@pytest.fixture
async def client(serve: Serve, empty_database: str, conn: asyncpg.Connection[Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service whose anonymous callers have 60 a minute, of which one operation may cost 30."""
    await limit(conn, "anonymous")
    async with serve(empty_database) as client:
        yield client


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What is called with each request that is read."""
    read = Mock(side_effect=understand)
    monkeypatch.setattr(graphql, "understand", read)
    return read


async def limit(conn: asyncpg.Connection[Any], tier: str, a_minute: int = 60, a_request: int = 30) -> None:
    query = "update tiers set cost_per_minute = $2, max_cost_per_request = $3 where name = $1"
    await conn.execute(query, tier, a_minute, a_request)


async def ask(client: httpx.AsyncClient, query: str = OUTLETS, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query}, headers={**STRICT, **headers})


async def by_get(client: httpx.AsyncClient, query: str, **parameters: str) -> httpx.Response:
    return await client.get("/graphql", params={"query": query, **parameters}, headers=STRICT)


def left(response: httpx.Response) -> tuple[int, int]:
    """What is left of an allowance, and in how many seconds it will be full, by the headers."""
    assert re.fullmatch(r'"minute";q=\d+;w=60', response.headers["ratelimit-policy"])
    match = re.fullmatch(r'"minute";r=(\d+);t=(\d+)', response.headers["ratelimit"])
    assert match
    return int(match[1]), int(match[2])


async def spend(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    """Asks until nothing is left; the refusal."""
    for _ in range(60 // COST):
        answered(await ask(client, **headers))
    return await ask(client, **headers)


async def test_an_answer_tells_what_it_cost_and_what_is_left(client: httpx.AsyncClient) -> None:
    response = await ask(client)
    assert response.json()["extensions"] == {"cost": {"requested": COST}}
    assert response.headers["ratelimit-policy"] == '"minute";q=60;w=60'
    assert left(response) == (50, 10)
    assert left(await ask(client)) == (40, 20)


async def test_a_spent_allowance_refuses_and_says_when_to_come_again(client: httpx.AsyncClient) -> None:
    response = await spend(client)
    error = refused(response, 429, "RATE_LIMITED")
    assert "60" in error["message"]
    wait = int(response.headers["retry-after"])
    assert 9 <= wait <= 10
    assert left(response) == (0, wait)
    for _ in range(20):  # a refusal costs nothing, so that who waits as told is answered
        refused(await ask(client), 429, "RATE_LIMITED")
    await asyncio.sleep(wait)
    answered(await ask(client))


async def test_who_has_nothing_left_is_read_once_at_most(client: httpx.AsyncClient, read: Mock) -> None:
    await spend(client)
    read.reset_mock()
    for number in range(5):
        refused(await by_get(client, OUTLETS + " " * number), 429, "RATE_LIMITED")
    assert read.call_count == 5


@pytest.mark.parametrize("query", ["{ viewer { tier { name } } }", "{ service { version } }", OUTLETS])
async def test_what_was_read_at_hand_is_not_read_again(client: httpx.AsyncClient, read: Mock, query: str) -> None:
    await ask(client)  # so that what is left is known
    read.reset_mock()
    answered(await by_get(client, query))
    assert read.call_count == 1


async def test_a_long_query_string_is_read_in_its_turn_only(client: httpx.AsyncClient, read: Mock) -> None:
    await ask(client)  # so that the document is known
    read.reset_mock()
    refused(await by_get(client, OUTLETS, operationName="x" * LONGEST_SENT), 400, "BAD_REQUEST")
    assert read.call_count == 1


async def test_what_is_too_dear_drives_nothing_out(client: httpx.AsyncClient, read: Mock) -> None:
    """It costs nothing to be refused so: what others paid for may not be forgotten for it."""
    dear = OUTLETS.replace("10", "31")
    for _ in range(3):
        refused(await by_get(client, dear), 400, "COST_LIMIT_EXCEEDED")
    read.reset_mock()
    refused(await by_get(client, dear), 400, "COST_LIMIT_EXCEEDED")
    assert read.called


async def test_under_plain_json_a_spent_allowance_is_a_429_too(client: httpx.AsyncClient) -> None:
    await spend(client)
    assert (await ask(client, accept="application/json")).status_code == 429


async def test_what_is_kept_costs_the_same_and_so_does_what_is_not_modified(client: httpx.AsyncClient) -> None:
    first = await ask(client)
    assert left(await ask(client))[0] == 40
    read = await client.get("/graphql", params={"query": OUTLETS}, headers=STRICT)
    same = await client.get(
        "/graphql", params={"query": OUTLETS}, headers={**STRICT, "if-none-match": read.headers["etag"]}
    )
    assert (first.status_code, same.status_code) == (200, 304)
    assert left(await ask(client, "{ outlets(first: 1) { nodes { id } } }"))[0] == 19


async def test_public_answers_tell_nothing_of_one_caller(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": OUTLETS})
    assert response.headers["cache-control"].startswith("public")
    assert not {"ratelimit", "ratelimit-policy"} & {*response.headers}


async def test_viewer_is_answered_with_nothing_left(client: httpx.AsyncClient) -> None:
    await spend(client)
    for query in ("{ viewer { rateLimit { limit remaining resetAt } } }", "{ v: viewer { tier { name } } __typename }"):
        response = await ask(client, query)
        assert answered(response)
        assert response.json()["extensions"]["cost"]["requested"] == 0
        assert response.headers["cache-control"] == "no-store"
    answered(await ask(client, "{ service { ruleVersion } }"))
    refused(await ask(client, "{ viewer { tier { name } } outlets(first: 10) { nodes { id } } }"), 429, "RATE_LIMITED")


async def test_viewer_tells_what_is_left(client: httpx.AsyncClient) -> None:
    await ask(client)
    limits = answered(await ask(client, "{ viewer { rateLimit { limit remaining } usage { cost } } }"))["viewer"]
    assert limits == {"rateLimit": {"limit": 60, "remaining": 50}, "usage": []}


async def test_free_questions_are_limited_by_address(serve: Serve, newsless: str) -> None:
    async with serve(newsless) as client:
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 2_000:
            statuses.append((await ask(client, "{ __typename }")).status_code)
    assert 600 < len(statuses) < 2_000


async def test_an_operation_above_the_tier_is_told_by_how_much(client: httpx.AsyncClient) -> None:
    query = "{ outlets(first: 31) { nodes { id } } topics(first: 2) { nodes { id } } }"
    response = await ask(client, query)
    error = refused(response, 400, "COST_LIMIT_EXCEEDED")
    assert error["extensions"].items() >= {"requested": 33, "limit": 30, "heaviest": "outlets.nodes"}.items()
    assert "33" in error["message"]
    assert " 3 " in error["message"]
    plain = await ask(client, query, accept="application/json")
    assert plain.status_code == 200
    assert left(await ask(client))[0] == 50


@pytest.mark.parametrize("query", ["{", "{ nope }", "{ outlets(first: -1) { nodes { id } } }"])
async def test_what_cannot_run_costs_one(client: httpx.AsyncClient, query: str) -> None:
    refusal = await ask(client, query)
    assert refusal.status_code == 400
    assert left(await ask(client))[0] == 49


async def test_what_is_withheld_costs_nothing_to_ask_for(client: httpx.AsyncClient) -> None:
    refused(await ask(client, "{ outlets(filter: {ownership: []}) { nodes { id } } }"), 403, "UPGRADE_REQUIRED")
    assert left(await ask(client))[0] == 50


@pytest.mark.parametrize(
    ("query", "status", "taken"),
    [("{", 400, 1), ("{ nothing }", 400, 1), ("{ outlets(first: 31) { nodes { id } } }", 400, 0)],
)
async def test_a_refusal_tells_what_is_left(client: httpx.AsyncClient, query: str, status: int, taken: int) -> None:
    response = await ask(client, query)
    assert response.status_code == status
    assert left(response)[0] == 60 - taken


async def test_an_event_stream_tells_what_is_left(client: httpx.AsyncClient) -> None:
    assert left(await ask(client, accept="text/event-stream"))[0] == 60 - COST


async def test_a_socket_pays_by_the_budget_that_holds_now(
    client: httpx.AsyncClient, conn: asyncpg.Connection[Any]
) -> None:
    async with opened(client) as socket:
        await limit(conn, "anonymous", a_minute=60, a_request=COST - 1)
        async with asyncio.timeout(5):
            while (await ask(client)).status_code != 400:
                await asyncio.sleep(0.5)
        await subscribe(socket, query=OUTLETS)
        [error] = (await heard(socket))["payload"]
        assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"


async def test_the_addresses_of_one_customer_are_limited_together(serve: Serve, newsless: str) -> None:
    async with serve(newsless, trusted_proxies="127.0.0.0/8") as client:

        async def statuses(number: int, **headers: str) -> set[int]:
            addresses = [f"2001:db8::{each:x}" for each in range(1, number + 1)]
            sent = [ask(client, "{ __typename }", **{"x-forwarded-for": each}, **headers) for each in addresses]
            return {response.status_code for response in await asyncio.gather(*sent)}

        assert await statuses(120, **{"x-api-key": "plx_x"}) == {401, 429}
        assert await statuses(900) == {200, 429}


async def test_each_key_has_an_allowance_of_its_own(
    client: httpx.AsyncClient, conn: asyncpg.Connection[Any], empty_database: str
) -> None:
    await limit(conn, "free")
    one, other = await made_key(empty_database), await made_key(empty_database)
    refused(await spend(client, **{"x-api-key": one}), 429, "RATE_LIMITED")
    answered(await ask(client, **{"x-api-key": other}))
    answered(await ask(client))


async def test_usage_is_told_and_written_down(serve: Serve, conn: asyncpg.Connection[Any], empty_database: str) -> None:
    key = await made_key(empty_database)
    query = "{ viewer { usage(days: 1) { requestCount cost } apiKey { lastUsedAt } } }"
    async with serve(empty_database) as client:
        for _ in range(3):
            answered(await ask(client, **{"x-api-key": key}))
        viewer = answered(await ask(client, query, **{"x-api-key": key}))["viewer"]
        assert viewer["usage"] == [{"requestCount": 3, "cost": 3 * COST}]
        refused(await ask(client, "{ viewer { usage(days: 91) { cost } } }"), 400, "BAD_USER_INPUT")
    assert tuple(await conn.fetchrow("select request_count, cost from usage_days") or ()) == (3, 3 * COST)
    async with serve(empty_database) as client:
        viewer = answered(await ask(client, query, **{"x-api-key": key}))["viewer"]
        assert viewer["usage"] == [{"requestCount": 3, "cost": 3 * COST}]
        assert viewer["apiKey"]["lastUsedAt"]


async def test_what_is_free_is_asked_of_the_database_once(
    client: httpx.AsyncClient, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    of = Usage.days

    async def days(self: Usage, key_id: int, days: int) -> list[UsageDay]:
        asked.append(days)
        return await of(self, key_id, days)

    monkeypatch.setattr(Usage, "days", days)
    key = await made_key(empty_database)
    answered(await ask(client, **{"x-api-key": key}))
    fields = "".join(f" u{number}: usage(days: {number}) {{ cost }}" for number in range(20))
    viewer = answered(await ask(client, f"{{ viewer {{ {fields} }} }}", **{"x-api-key": key}))["viewer"]
    assert viewer == {f"u{number}": [{"cost": COST}] if number else [] for number in range(20)}
    assert len(asked) == 1


async def test_a_subscription_ends_when_nothing_is_left(
    client: httpx.AsyncClient, conn: asyncpg.Connection[Any]
) -> None:
    query = "subscription { storyChanged { kind story { articles(first: 20) { nodes { id } } } } }"
    async with opened(client) as socket:
        await subscribe(socket, query=query)
        await asyncio.sleep(0.5)
        kinds: list[str] = []
        for number in range(3):
            await conn.execute("update stories set title = $1", f"T{number}")
            message = await heard(socket)
            kinds.append(message["type"])
            if message["type"] == "error":
                assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
                break
        assert kinds == ["next", "error"]


async def test_measuring_refuses_nothing_and_tells_how_much_it_would(
    serve: Serve, conn: asyncpg.Connection[Any], empty_database: str
) -> None:
    await limit(conn, "anonymous")
    events: list[Any] = []
    async with serve(empty_database, observe=events.append, allowances="measure") as client:
        for _ in range(10):
            answered(await ask(client))
        answered(await ask(client, "{ outlets(first: 50) { nodes { id } } }"))
    told = [event for event in events if type(event).__name__ == "AllowancesSpent"]
    assert told
    assert told[0].mode == "measure"


async def test_off_counts_nothing(serve: Serve, conn: asyncpg.Connection[Any], empty_database: str) -> None:
    await limit(conn, "anonymous")
    async with serve(empty_database, allowances="off") as client:
        for _ in range(10):
            assert left(await ask(client)) == (60, 0)


async def test_who_was_refused_has_to_wait_by_socket_too(serve: Serve, newsless: str) -> None:
    flood = "{ " + " ".join(f"unknown{number}" for number in range(900)) + " }"
    async with serve(newsless, max_subscriptions=50) as client, opened(client) as socket:
        began = time.monotonic()
        for numbers in (range(11), range(11, 12)):
            for number in numbers:
                await subscribe(socket, f"{number}", query=flood)
            for _ in numbers:
                message = await heard(socket)
                assert message["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        # Each takes some milliseconds of the processor; the next comes after ten times as long as all took.
        assert time.monotonic() - began > 11 * 0.02
