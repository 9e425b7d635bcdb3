"""Callers with keys: how a key is sent, what it opens, when it is refused, and what is told of it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

from service.access.keys import new_key
from tests.acceptance.conftest import Serve
from tests.acceptance.documents import STRICT, answered, refused
from tests.acceptance.test_websocket import opened
from tests.access_keys import made_key
from tests.databases import line_to_postgres

VIEWER = "{ viewer { apiKey { prefix name createdAt expiresAt } tier { name features maxPageSize } } }"
GATED = "{ outlets(first: 1) { nodes { factuality { __typename ... on UpgradeRequired { feature tier message } } } } }"
NEWS = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into ratings (outlet_id, agency, factuality) values (1, 'X', 'VERY_HIGH');
"""


@pytest.fixture
async def news(serve: Serve, empty_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A service with one outlet, and the DSN of its database."""
    conn = await asyncpg.connect(empty_database)
    await conn.execute(NEWS)
    await conn.close()
    async with serve(empty_database) as client:
        yield client, empty_database


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query}, headers={**STRICT, **headers})


async def factuality(client: httpx.AsyncClient, **headers: str) -> dict[str, Any]:
    (outlet,) = answered(await ask(client, GATED, **headers))["outlets"]["nodes"]
    return outlet["factuality"]


async def test_who_has_no_key_is_anonymous(news: tuple[httpx.AsyncClient, str]) -> None:
    viewer = answered(await ask(news[0], VIEWER))["viewer"]
    assert viewer == {"apiKey": None, "tier": {"name": "anonymous", "features": [], "maxPageSize": 100}}


async def test_a_key_is_sent_by_either_header(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn, "premium")
    for headers in (
        bearer(key),
        {"authorization": f"bearer  {key}"},
        {"x-api-key": key},
        bearer(key) | {"x-api-key": key},
    ):
        viewer = answered(await ask(client, VIEWER, **headers))["viewer"]
        assert (viewer["apiKey"]["prefix"], viewer["apiKey"]["name"]) == (key[:12], "of a test")
        assert viewer["tier"] == {"name": "premium", "features": ["FACTUALITY", "PERSPECTIVES"], "maxPageSize": 100}
        assert key not in json.dumps(viewer)


async def test_what_is_withheld_names_the_least_tier_that_has_it(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    free, premium = await made_key(dsn, "free"), await made_key(dsn, "premium")
    for _ in range(2):  # from the cache too, in either order
        for headers in ({}, bearer(free)):
            withheld = await factuality(client, **headers)
            assert (withheld["feature"], withheld["tier"]) == ("FACTUALITY", "premium")
            assert "premium" in withheld["message"]
        assert await factuality(client, **bearer(premium)) == {"__typename": "FactualityRating"}
    query = "{ outlets(filter: {ownership: [TELECOM]}) { totalCount { value } } }"
    error = refused(await ask(client, query, **bearer(premium)), 403, "UPGRADE_REQUIRED")
    assert (error["extensions"]["feature"], error["extensions"]["tier"]) == ("OWNERSHIP", "vantage")


async def test_two_different_keys_are_refused(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    one, other = await made_key(dsn), await made_key(dsn)
    refused(await ask(client, VIEWER, **bearer(one), **{"x-api-key": other}), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("name", ["key", "apiKey", "access_token"])
async def test_a_key_in_a_url_is_to_be_revoked(news: tuple[httpx.AsyncClient, str], name: str) -> None:
    client, dsn = news
    key = await made_key(dsn)
    for method in ("GET", "POST"):
        response = await client.request(
            method,
            "/graphql",
            params={"query": VIEWER, name: key},
            json={"query": VIEWER} if method == "POST" else None,
        )
        error = refused(response, 401, "UNAUTHENTICATED")
        assert "revoke" in error["message"]
        assert key not in response.text
    spelled = await client.get(f"/graphql?query=x&key={key.replace('_', '%5f')}")
    refused(spelled, 401, "UNAUTHENTICATED")
    page = await client.get("/graphql", params={name: key}, headers={"accept": "text/html"})
    refused(page, 401, "UNAUTHENTICATED")


async def bad_keys(dsn: str) -> dict[str, str]:
    """A key of each kind that is refused."""
    now = datetime.now(UTC)
    mistyped = new_key()
    conn = await asyncpg.connect(dsn)
    revoked, expired = await made_key(dsn), await made_key(dsn)
    await conn.execute("update api_keys set revoked_at = now() where prefix = $1", revoked[:12])
    await conn.execute("update api_keys set expires_at = now() where prefix = $1", expired[:12])
    await conn.close()
    return {
        "not a key": "plx_nothing",
        "nothing": "-",
        "wrong check": mistyped[:-1] + ("a" if mistyped[-1] != "a" else "b"),
        "unknown": new_key(),
        "revoked": revoked,
        "expired": expired,
        "not yet good": await made_key(dsn, not_before=now + timedelta(hours=1)),
        "for another page": await made_key(dsn, origins=("https://app.example",)),
        "for another network": await made_key(dsn, networks=("192.0.2.0/24",)),
    }


async def test_every_bad_key_is_refused_alike(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    told = set[str]()
    took: dict[str, list[float]] = {}
    keys = await bad_keys(dsn)
    await client.get("/livez")  # a connection that is new is quicker to answer
    for _ in range(3):
        for kind, key in keys.items():
            began = time.perf_counter()
            response = await client.get("/graphql", params={"query": VIEWER}, headers={**STRICT, **bearer(key)})
            took.setdefault(kind, []).append(time.perf_counter() - began)
            error = refused(response, 401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"] == "Bearer"
            told.add(re.sub(error["extensions"]["requestId"], "", response.text))
            assert kind == "nothing" or key not in response.text
    assert len(told) == 1
    least = {kind: min(times) for kind, times in took.items()}
    assert max(least.values()) - min(least.values()) < 0.02, least


async def test_other_schemes_of_authorization_are_no_keys(news: tuple[httpx.AsyncClient, str]) -> None:
    for authorization in ("Basic dTpw", "Bearer", "plx_x"):
        refused(await ask(news[0], VIEWER, authorization=authorization), 401, "UNAUTHENTICATED")


async def test_a_key_is_good_where_it_may_be_used(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn, origins=("https://app.example",), networks=("127.0.0.0/8",))
    viewer = answered(await ask(client, VIEWER, **bearer(key), origin="https://app.example"))["viewer"]
    assert viewer["apiKey"]["prefix"] == key[:12]
    refused(await ask(client, VIEWER, **bearer(key), origin="https://elsewhere.example"), 401, "UNAUTHENTICATED")


async def test_who_tries_keys_has_to_wait(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    good, known = await made_key(dsn), await made_key(dsn)
    answered(await ask(client, VIEWER, **bearer(known)))
    tried = await asyncio.gather(*(ask(client, VIEWER, **bearer(new_key())) for _ in range(120)))
    assert {response.status_code for response in tried} == {401, 429}
    waiting = refused(await ask(client, VIEWER, **bearer(good)), 429, "RATE_LIMITED")
    assert "key" in waiting["message"]
    conn = await asyncpg.connect(dsn)
    await conn.execute("update api_keys set name = 'another' where prefix = $1", good[:12])  # all are forgotten
    await conn.close()
    await asyncio.sleep(2)
    await asyncio.gather(*(ask(client, VIEWER, **bearer(new_key())) for _ in range(40)))
    answered(await ask(client, VIEWER, **bearer(known)))
    answered(await ask(client, "{ __typename }"))


async def test_who_tries_keys_from_a_network_of_ipv6_is_one_caller(serve: Serve, empty_database: str) -> None:
    async with serve(empty_database, trusted_proxies="127.0.0.0/8") as client:

        async def attempt(address: str) -> int:
            return (await ask(client, VIEWER, **bearer(new_key()), **{"x-forwarded-for": address})).status_code

        assert 429 in await asyncio.gather(*(attempt(f"2001:db8:1:2::{number}") for number in range(120)))
        assert await attempt("2001:db8:1:3::1") == 401


async def test_a_tier_that_is_changed_holds_without_a_restart(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn, "free")
    assert (await factuality(client, **bearer(key)))["__typename"] == "UpgradeRequired"
    conn = await asyncpg.connect(dsn)
    await conn.execute("update tiers set features = '{FACTUALITY}', max_page_size = 7 where name = 'free'")
    await conn.close()
    async with asyncio.timeout(5):
        while (await factuality(client, **bearer(key)))["__typename"] != "FactualityRating":
            await asyncio.sleep(0.1)
    assert (await factuality(client))["tier"] == "free"
    query = "{{ outlets(first: {}) {{ nodes {{ id }} }} }}"
    answered(await ask(client, query.format(7), **bearer(key)))
    refused(await ask(client, query.format(8), **bearer(key)), 400, "BAD_USER_INPUT")
    answered(await ask(client, query.format(100)))


async def test_a_page_of_a_thousand_is_for_a_tier_that_says_so(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    query = "{ outlets(first: 1000) { nodes { id } } }"
    refused(await ask(client, query), 400, "BAD_USER_INPUT")
    answered(await ask(client, query, **bearer(await made_key(dsn, "vantage"))))


async def test_answers_to_keys_are_private(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn)
    query = {"query": "{ outlets { nodes { name } } }"}
    for headers, scope in (({}, "public"), (bearer(key), "private")):
        response = await client.get("/graphql", params=query, headers=headers)
        assert response.headers["cache-control"].startswith(scope)
        assert {"Authorization", "X-API-Key"} <= {each.strip() for each in response.headers["vary"].split(",")}
        assert ("ratelimit" in response.headers) is (scope == "private")


async def test_answers_are_shared_among_callers_of_the_same_features_only(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    free, premium = await made_key(dsn, "free"), await made_key(dsn, "premium")
    query = "{ outlets { nodes { domain } } }"
    sources = [
        (await ask(client, query, **headers)).headers["cache-status"]
        for headers in ({}, bearer(free), bearer(premium), bearer(premium))
    ]
    miss, hit = "parallax; fwd=miss; stored", "parallax; hit; detail=memory"
    assert sources == [miss, hit, miss, hit]


async def test_only_callers_without_a_key_are_kept_to_registered_documents(serve: Serve, empty_database: str) -> None:
    async with serve(empty_database, registered_only=True) as client:
        query = "{ outlets { nodes { name } } }"
        headers = bearer(await made_key(empty_database, "anonymous"))
        for _ in range(2):
            answered(await ask(client, query, **headers))
            refused(await ask(client, query), 400, "PERSISTED_QUERY_REQUIRED")


async def test_a_database_that_goes_away_makes_keys_unavailable_and_nobody_else(
    serve: Serve, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.access.callers.BOUND", 1.5)
    key = await made_key(empty_database)
    async with line_to_postgres(empty_database) as (line, dsn), serve(dsn, operation_timeout=1) as client:
        answered(await ask(client, "{ __typename }", **bearer(key)))
        await line.cut()
        async with asyncio.timeout(10):
            while (response := await ask(client, "{ __typename }", **bearer(key))).status_code == 200:
                await asyncio.sleep(0.1)
        refused(response, 503, "UNAVAILABLE")
        assert int(response.headers["retry-after"]) > 0
        refused(await ask(client, "{ __typename }", **bearer("plx_x")), 401, "UNAUTHENTICATED")
        answered(await ask(client, "{ __typename }"))
        await line.open()
        answered(await ask(client, "{ __typename }", **bearer(key)))


async def test_the_database_sees_no_key(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn)
    answered(await ask(client, VIEWER, **bearer(key)))
    conn = await asyncpg.connect(dsn)
    seen = await conn.fetch("select query from pg_stat_activity where datname = current_database()")
    kept = await conn.fetch("select k::text from api_keys k union all select l::text from access_log l")
    await conn.close()
    assert key not in str([*map(str, seen), *map(str, kept)])
    assert key[12:] not in str(kept)


async def code_at_once(client: httpx.AsyncClient, **init: Any) -> int | None:
    """The code by which a socket is closed that is opened with that message."""
    url = str(client.base_url.join("/graphql")).replace("http", "ws", 1)
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": init}))
        return await code_at_the_end(socket)


async def code_at_the_end(socket: ClientConnection) -> int | None:
    """The code by which the server closes a socket within five seconds."""
    async with asyncio.timeout(5):
        with suppress(ConnectionClosedError):
            async for _ in socket:
                pass
        await socket.wait_closed()
    return socket.close_code


@pytest.mark.parametrize(
    "init", [{"authorization": "Bearer plx_x"}, {"apiKey": "plx_x"}, {"apiKey": 5}, {"apiKey": ""}]
)
async def test_a_socket_with_a_bad_key_is_closed(news: tuple[httpx.AsyncClient, str], init: dict[str, Any]) -> None:
    assert await code_at_once(news[0], **init) == 4403


@pytest.mark.parametrize("way", ["header", "authorization", "Authorization", "apiKey", "X-API-Key"])
async def test_a_stream_ends_within_seconds_of_its_key(news: tuple[httpx.AsyncClient, str], way: str) -> None:
    client, dsn = news
    key = await made_key(dsn, "premium")
    headers = bearer(key) if way == "header" else {}
    init = {} if way == "header" else {way: f"Bearer {key}" if way.lower() == "authorization" else key}
    url = str(client.base_url.join("/graphql")).replace("http", "ws", 1)
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol], additional_headers=headers) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": init}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = {"query": VIEWER.replace("{ viewer", "query { viewer")}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": query}))
        viewer = json.loads(await socket.recv())["payload"]["data"]["viewer"]
        assert viewer["apiKey"]["prefix"] == key[:12]
        conn = await asyncpg.connect(dsn)
        await conn.execute("update api_keys set revoked_at = now()")
        await conn.close()
        assert await code_at_the_end(socket) == 4403


async def test_a_socket_without_a_key_ends_when_less_is_open_to_all(serve: Serve, empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute("update tiers set features = '{FACTUALITY}' where name = 'anonymous'")
    async with serve(empty_database) as client, opened(client) as socket:
        await conn.execute("update tiers set features = '{}' where name = 'anonymous'")
        await conn.close()
        assert await code_at_the_end(socket) == 4403


async def test_an_event_stream_ends_within_seconds_of_its_key(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    key = await made_key(dsn)
    query = {"query": "subscription { storyChanged { kind } }"}
    headers = {**bearer(key), "accept": "text/event-stream"}
    async with client.stream("POST", "/graphql", json=query, headers=headers) as response:
        assert response.status_code == 200
        conn = await asyncpg.connect(dsn)
        await conn.execute("update api_keys set expires_at = now()")
        await conn.close()
        async with asyncio.timeout(5):
            said = "".join([part async for part in response.aiter_text()])
    assert "UNAUTHENTICATED" in said
    assert said.endswith("event: complete\ndata: \n\n")
