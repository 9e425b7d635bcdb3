"""The protocol graphql-transport-ws, spoken by a client that also says what no client should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.acceptance import program
from tests.acceptance.conftest import Serve
from tests.databases import settled

PROTOCOL = Subprotocol("graphql-transport-ws")
FOLLOW = "subscription($after: String) { storyChanged(after: $after) { cursor storyId story { title } } }"
STORY = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into stories (id, key, slug, title) select n, n, n, 'T' from generate_series(1, 3) n;
insert into articles (outlet_id, story_id, published_at, url, title)
select 1, n, now(), n, 'T' from generate_series(1, 3) n;
"""


@pytest.fixture
async def news(serve: Serve, empty_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, asyncpg.Connection[Any]]]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORY)
    await settled(conn)
    async with serve(empty_database) as client:
        yield client, conn
    await conn.close()


@asynccontextmanager
async def opened(
    client: httpx.AsyncClient, *, greet: bool = True, protocol: Subprotocol = PROTOCOL
) -> AsyncGenerator[ClientConnection]:
    url = str(client.base_url).replace("http", "ws").rstrip("/") + "/graphql"
    async with connect(url, subprotocols=[protocol], max_size=None) as socket:
        if greet:
            await tell(socket, type="connection_init")
            assert await heard(socket) == {"type": "connection_ack"}
        yield socket


async def tell(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        message = await socket.recv()
    assert isinstance(message, str), "messages are text"
    return json.loads(message)


async def subscribe(socket: ClientConnection, id_: str = "1", query: str = FOLLOW, **variables: Any) -> None:
    await tell(socket, id=id_, type="subscribe", payload={"query": query, "variables": variables})


async def closing_code(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(20):
        await socket.wait_closed()
    return socket.close_code


async def test_a_query_is_answered_once(news: tuple[httpx.AsyncClient, Any]) -> None:
    async with opened(news[0]) as socket:
        await subscribe(socket, query="{ stories { totalCount { value } } }")
        assert await heard(socket) == {
            "id": "1", "type": "next", "payload": {
                "data": {"stories": {"totalCount": {"value": 3}}}, "extensions": {"cost": {"requested": 500}}
            }
        }  # fmt: skip
        assert await heard(socket) == {"id": "1", "type": "complete"}
        await subscribe(socket, query="{ service { storyCount } }")
        assert (await heard(socket))["payload"]["data"] == {"service": {"storyCount": 3}}


async def test_changes_are_told_until_the_client_has_enough(news: tuple[httpx.AsyncClient, Any]) -> None:
    client, conn = news
    async with opened(client) as socket:
        await subscribe(socket)
        await asyncio.sleep(0.3)
        await conn.execute("update stories set title = 'U' where id = 2")
        told = await heard(socket)
        assert told["payload"]["data"]["storyChanged"]["story"] == {"title": "U"}
        await tell(socket, id="1", type="complete")
        await conn.execute("update stories set title = 'V' where id = 2")
        await tell(socket, type="ping")
        assert await heard(socket) == {"type": "pong"}
        cursor = told["payload"]["data"]["storyChanged"]["cursor"]
        await subscribe(socket, after=cursor)
        assert (await heard(socket))["payload"]["data"]["storyChanged"]["story"] == {"title": "V"}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ nope }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        (FOLLOW, {"after": "x"}, "BAD_USER_INPUT"),
        (FOLLOW, {"after": 7}, "BAD_USER_INPUT"),
        ('subscription { storyChanged(id: "outlet_1") { kind } }', {}, "BAD_USER_INPUT"),
        ("subscription { storyChanged @skip(if: true) { kind } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_cannot_run_ends_with_its_error_and_the_socket_goes_on(
    news: tuple[httpx.AsyncClient, Any], query: str, variables: dict[str, Any], code: str
) -> None:
    async with opened(news[0]) as socket:
        await subscribe(socket, query=query, **variables)
        message = await heard(socket)
        assert (message["id"], message["type"]) == ("1", "error")
        assert message["payload"][0]["extensions"]["code"] == code
        assert message["payload"][0]["extensions"]["requestId"]
        await subscribe(socket, query="{ __typename }")
        assert (await heard(socket))["type"] == "next"


@pytest.mark.parametrize(
    "message",
    [
        "[]", "null", "7", "{", '{"type": "nonsense"}', '{"type": 7}', "{}", b"{}", '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","payload":{"query":"{__typename}"}}', '{"type":"subscribe","id":"","payload":{}}',
        '{"type":"subscribe","id":7,"payload":{}}', '{"type":"complete"}', '{"type":"ping","type":"ping"}',
    ],
)  # fmt: skip
async def test_what_is_no_message_closes_the_socket(news: tuple[httpx.AsyncClient, Any], message: str | bytes) -> None:
    async with opened(news[0]) as socket:
        await socket.send(message)
        assert await closing_code(socket) == 4400


async def test_a_payload_that_is_no_request_is_refused(news: tuple[httpx.AsyncClient, Any]) -> None:
    async with opened(news[0]) as socket:
        payloads: list[dict[str, Any]] = [{}, {"query": 7}, {"query": "{__typename}", "variables": []}]
        for payload in payloads:
            await tell(socket, id="1", type="subscribe", payload=payload)
            assert (await heard(socket))["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_who_subscribes_before_the_acknowledgement_is_unauthorized(news: tuple[httpx.AsyncClient, Any]) -> None:
    async with opened(news[0], greet=False) as socket:
        await subscribe(socket)
        assert await closing_code(socket) == 4401


async def test_a_second_greeting_and_the_same_id_twice_close_the_socket(news: tuple[httpx.AsyncClient, Any]) -> None:
    async with opened(news[0]) as socket:
        await tell(socket, type="connection_init")
        assert await closing_code(socket) == 4429
    async with opened(news[0]) as socket:
        await subscribe(socket)
        await subscribe(socket)
        assert await closing_code(socket) == 4409


async def test_another_subprotocol_is_not_spoken(news: tuple[httpx.AsyncClient, Any]) -> None:
    url = str(news[0].base_url).replace("http", "ws").rstrip("/") + "/graphql"
    for offered in ([Subprotocol("graphql-ws")], None):
        async with connect(url, subprotocols=offered) as socket:
            assert await closing_code(socket) == 4406


async def test_who_says_nothing_is_sent_away_and_nobody_else_notices(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, socket_init_timeout=1) as client, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(opened(client, greet=False)) for _ in range(400)]
        assert (await client.get("/readyz")).status_code == 200
        assert set(await asyncio.gather(*(closing_code(socket) for socket in silent))) == {4408}


async def test_a_socket_runs_so_many_operations_and_an_address_has_so_many_sockets(
    serve: Serve, demo_database: str
) -> None:
    async with serve(demo_database, max_subscriptions=2, max_streams=3) as client, AsyncExitStack() as stack:
        socket = await stack.enter_async_context(opened(client))
        for id_ in "123":
            await subscribe(socket, id_)
        refused = await heard(socket)
        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        for _ in range(2):
            await stack.enter_async_context(opened(client))
        fourth = await stack.enter_async_context(opened(client, greet=False))
        assert await closing_code(fourth) == 1013
        stream = await client.get("/graphql", params={"query": FOLLOW}, headers={"accept": "text/event-stream"})
        assert stream.status_code == 429
        assert "retry-after" in stream.headers


async def test_a_reader_that_never_reads_holds_nobody_up(news: tuple[httpx.AsyncClient, Any]) -> None:
    client, conn = news
    async with opened(client) as deaf, opened(client) as other:
        await subscribe(deaf, query="subscription { storyChanged { story { title summary } } }")
        await subscribe(other, query="subscription { storyChanged { story { title } } }")
        await asyncio.sleep(0.3)
        deaf.transport.pause_reading()
        # More than all buffers on the way take.
        for turn in range(40):
            await conn.execute("update stories set title = $1, summary = $2 where id = 1", str(turn), "x" * 1_000_000)
            assert (await heard(other))["payload"]["data"]["storyChanged"]["story"] == {"title": str(turn)}
        assert (await client.get("/readyz")).status_code == 200
        deaf.transport.resume_reading()
        titles = [(await heard(deaf))["payload"]["data"]["storyChanged"]["story"]["title"] for _ in range(40)]
        assert len(titles) == 40
        assert titles[-1] == "39", "it has missed nothing"


async def test_a_message_that_is_too_large_closes_the_socket(demo_database: str) -> None:
    """By the program itself: the limit is one of the server."""
    with program.serving(DATABASE_URL=demo_database) as served:
        async with httpx.AsyncClient(base_url=served.url) as client:
            for size in (100_001, 16_000_000):
                async with opened(client) as socket, opened(client) as other:
                    with suppress(ConnectionClosed):
                        await socket.send("x" * size)
                    assert await closing_code(socket) == 1009
                    await subscribe(other, query="{ __typename }")
                    assert (await heard(other))["type"] == "next"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
async def test_a_page_from_elsewhere_is_told_what_anybody_is(news: tuple[httpx.AsyncClient, Any], origin: str) -> None:
    """Nothing that a browser adds by itself lets a caller see more, so there is nothing to keep from its page."""
    url = str(news[0].base_url).replace("http", "ws").rstrip("/") + "/graphql"
    cookie = {"cookie": "session=secret"}
    async with connect(url, subprotocols=[PROTOCOL], origin=Origin(origin), additional_headers=cookie) as socket:
        await tell(socket, type="connection_init")
        assert await heard(socket) == {"type": "connection_ack"}
        await subscribe(socket, query="{ outlets { nodes { factuality { __typename } } } }")
        (outlet,) = (await heard(socket))["payload"]["data"]["outlets"]["nodes"]
        assert outlet == {"factuality": {"__typename": "UpgradeRequired"}}


async def test_other_paths_have_no_sockets(news: tuple[httpx.AsyncClient, Any]) -> None:
    url = str(news[0].base_url).replace("http", "ws").rstrip("/")
    with pytest.raises(Exception, match="403"):
        async with connect(f"{url}/livez", subprotocols=[PROTOCOL]):
            pass


async def test_when_the_server_ends_clients_are_told_to_come_again(serve: Serve, demo_database: str) -> None:
    async with AsyncExitStack() as stack:
        async with serve(demo_database) as client:
            socket = await stack.enter_async_context(opened(client))
            await subscribe(socket)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3, "no open socket keeps the server"
        assert await closing_code(socket) == 1001
