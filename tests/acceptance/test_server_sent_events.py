"""GraphQL over server-sent events, in distinct connections mode."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from service.events import CallerLeft, Event
from tests.acceptance.conftest import Serve
from tests.acceptance.test_websocket import FOLLOW, STORY
from tests.databases import settled

EVENTS = {"accept": "text/event-stream"}
POST_OR_GET = pytest.mark.parametrize("post", [True, False])


@pytest.fixture
async def news(serve: Serve, empty_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, asyncpg.Connection[Any]]]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORY)
    await settled(conn)
    async with serve(empty_database, heartbeat=0.5) as client:
        yield client, conn
    await conn.close()


class Stream:
    """The events of a response, each a mapping of its fields; comments come as None."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, str] | None:
        event: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line.startswith(":"):
                    await anext(self._lines)
                    return None
                if not line:
                    return event
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
        return {"event": "end"}

    async def said(self) -> dict[str, str]:
        while (event := await self.next()) is None:
            pass
        return event


@asynccontextmanager
async def opened(
    client: httpx.AsyncClient,
    query: str = FOLLOW,
    *,
    post: bool = False,
    headers: dict[str, str] | None = None,
    **v: Any,
) -> AsyncGenerator[Stream]:
    headers = {**EVENTS, **(headers or {})}
    if post:
        request = client.stream("POST", "/graphql", json={"query": query, "variables": v}, headers=headers)
    else:
        params = {"query": query, "variables": json.dumps(v)}
        request = client.stream("GET", "/graphql", params=params, headers=headers)
    async with request as response:
        yield Stream(response)


@POST_OR_GET
async def test_changes_come_as_events_with_their_cursors(news: tuple[httpx.AsyncClient, Any], *, post: bool) -> None:
    client, conn = news
    async with opened(client, post=post) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert await stream.next() is None, "a sign of life"
        await conn.execute("update stories set title = 'U' where id = 2")
        event = await stream.said()
        told = json.loads(event["data"])["data"]["storyChanged"]
        assert (event["event"], event["id"], told["story"]) == ("next", told["cursor"], {"title": "U"})
    await conn.execute("update stories set title = 'V' where id = 2")
    async with opened(client, after=told["cursor"]) as stream:
        assert json.loads((await stream.said())["data"])["data"]["storyChanged"]["story"] == {"title": "V"}
    # A browser that comes back by itself asks what it asked before, and says what it heard last.
    async with opened(client, headers={"last-event-id": event["id"]}) as stream:
        assert json.loads((await stream.said())["data"])["data"]["storyChanged"]["story"] == {"title": "V"}


@POST_OR_GET
async def test_a_query_is_one_event(news: tuple[httpx.AsyncClient, Any], *, post: bool) -> None:
    async with opened(news[0], "{ stories { totalCount { value } } }", post=post) as stream:
        assert await stream.said() == {
            "event": "next",
            "data": '{"data":{"stories":{"totalCount":{"value":3}}},"extensions":{"cost":{"requested":500}}}',
        }
        assert (await stream.said())["event"] == "complete"
        assert await stream.said() == {"event": "end"}


@pytest.mark.parametrize(
    ("query", "code"),
    [("{ nope }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED"), (FOLLOW, "BAD_USER_INPUT")],
)
async def test_an_operation_that_cannot_run_says_so_in_an_event(
    news: tuple[httpx.AsyncClient, Any], query: str, code: str
) -> None:
    async with opened(news[0], query, after="x") as stream:
        assert stream.response.status_code == 200
        (error,) = json.loads((await stream.said())["data"])["errors"]
        assert error["extensions"]["code"] == code
        assert (await stream.said())["event"] == "complete"


async def test_what_is_no_request_is_refused_by_its_status(news: tuple[httpx.AsyncClient, Any]) -> None:
    client, _ = news
    response = await client.post("/graphql", json={"variables": {}}, headers=EVENTS)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    response = await client.get("/graphql", params={"query": "mutation { a }"}, headers=EVENTS)
    assert response.status_code == 405


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "*/*"])
async def test_elsewhere_a_subscription_is_told_where_to_go(news: tuple[httpx.AsyncClient, Any], accept: str) -> None:
    headers = {"accept": accept}
    read = await news[0].get("/graphql", params={"query": FOLLOW}, headers=headers)
    posted = await news[0].post("/graphql", json={"query": FOLLOW}, headers=headers)
    assert (read.status_code, posted.status_code) == (405, 406)
    for response in (read, posted):
        assert "text/event-stream" in response.json()["errors"][0]["message"]
        assert "graphql-transport-ws" in response.json()["errors"][0]["message"]


async def test_one_who_has_gone_is_noticed(serve: Serve, demo_database: str) -> None:
    events: list[Event] = []
    async with serve(demo_database, events.append, heartbeat=0.2) as client:
        async with opened(client) as stream:
            assert await stream.next() is None
        async with asyncio.timeout(20):
            while not any(isinstance(event, CallerLeft) for event in events):
                await asyncio.sleep(0.05)


async def test_when_the_server_ends_a_stream_ends_without_being_complete(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database) as client:
        url = client.base_url
    async with httpx.AsyncClient(base_url=url, timeout=30) as outliving:
        task: asyncio.Task[dict[str, str]]
        async with serve(demo_database) as client:
            outliving.base_url = client.base_url

            async def last() -> dict[str, str]:
                async with opened(outliving) as stream:
                    return await stream.said()

            task = asyncio.create_task(last())
            await asyncio.sleep(0.5)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3
        assert await task == {"event": "end"}
