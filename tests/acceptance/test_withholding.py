"""Two processes whose callers may see different things, on one database and one Redis: nothing withheld crosses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from schema import schema
from service.documents import read_registered
from service.planner import Planner
from tests.acceptance.conftest import Serve
from tests.acceptance.test_websocket import heard, opened, subscribe
from tests.databases import settled
from tests.redis_servers import URL, needs_redis, own_prefix

pytestmark = needs_redis

ALL = "FACTUALITY,OWNERSHIP,PERSPECTIVES,HISTORY,EXPORT"
NEWS = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A');
insert into ratings (outlet_id, agency, factuality) values (1, 'X', 'VERY_HIGH');
insert into owners (outlet_id, position, name, category) values (1, 1, 'O', 'TELECOM');
insert into stories (id, key, slug, title) values (1, 1, 's', 'T');
insert into perspectives (story_id, side, summary) values (1, 'LEFT', 'As the left tells it');
insert into articles (outlet_id, story_id, published_at, url, title) values (1, 1, now(), 'u', 'T');
"""
GATED = "factuality { __typename } ownership { __typename }"
STORY_PAGE = next(each for each in read_registered(Planner(schema)) if each.name == "StoryPage")
LONG_AGO = {"after": (datetime.now(UTC) - timedelta(days=100)).isoformat(), "before": datetime.now(UTC).isoformat()}
RECENT = {"after": (datetime.now(UTC) - timedelta(days=2)).isoformat()}
WINDOW = "query($w: Window!) {{ coverage(filter: {{published: $w}}) {{ {} }} }}"
ASKED: dict[str, dict[str, Any]] = {
    "field": {"query": f"{{ outlets {{ nodes {{ name {GATED} }} }} }}"},
    "field of one story": {"query": '{ story(by: {slug: "s"}) { title perspectives { __typename } } }'},
    "filter of outlets": {"query": "{ outlets(filter: {factuality: [VERY_HIGH]}) { nodes { name } } }"},
    "filter in a variable": {
        "query": "query($f: OutletFilter) { outlets(filter: $f) { nodes { name } } }",
        "variables": {"f": {"ownership": ["TELECOM"]}},
    },
    "filter of articles": {
        "query": '{ story(by: {slug: "s"}) { articles(filter: {factuality: [VERY_HIGH]}) { nodes { title } } } }'
    },
    "sorted list": {"query": f"{{ outlets(sort: MOST_ARTICLES) {{ nodes {{ name {GATED} }} }} }}"},
    "aggregate": {"query": f'{{ story(by: {{slug: "s"}}) {{ title coverage {{ {GATED} }} }} }}'},
    "aggregate of a window": {"query": WINDOW.format(GATED), "variables": {"w": RECENT}},
    "window that looks far back": {"query": WINDOW.format("storyCount"), "variables": {"w": LONG_AGO}},
    "timeline": {
        "query": WINDOW.format("timeline(interval: DAY) { start articleCount }"), "variables": {"w": LONG_AGO}
    },
    "registered document": {"documentId": STORY_PAGE.id, "variables": {"slug": "s"}},
}  # fmt: skip
FOLLOW = (
    f"subscription {{ storyChanged {{ kind story {{ title perspectives {{ __typename }} coverage {{ {GATED} }} }} }} }}"
)


@dataclass
class Processes:
    """Some of whose callers may see all, others nothing that is gated; the last two keep no answers."""

    granting: httpx.AsyncClient
    withholding: httpx.AsyncClient
    granting_uncached: httpx.AsyncClient
    withholding_uncached: httpx.AsyncClient
    conn: asyncpg.Connection[Any]


@pytest.fixture
async def processes(serve: Serve, empty_database: str) -> AsyncIterator[Processes]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(NEWS)
    await settled(conn)
    async with own_prefix() as prefix, AsyncExitStack() as stack:
        shared = {"redis_url": URL, "redis_prefix": prefix}
        settings: list[dict[str, Any]] = [
            {"granted_features": ALL, **shared}, shared, {"granted_features": ALL, "cache_bytes": 0}, {"cache_bytes": 0}
        ]  # fmt: skip
        yield Processes(
            *[await stack.enter_async_context(serve(empty_database, **each)) for each in settings], conn=conn
        )
    await conn.close()


async def answer(client: httpx.AsyncClient, asked: dict[str, Any]) -> tuple[int, Any]:
    """Status and body, without the id of the request."""
    headers = {"accept": "application/graphql-response+json"}
    response = await client.post("/graphql", json=asked, headers=headers)
    body = response.json()
    for error in body.get("errors", ()):
        del error["extensions"]["requestId"]
    return response.status_code, body


@pytest.mark.parametrize("granting_first", [True, False])
@pytest.mark.parametrize("name", ASKED)
async def test_what_is_withheld_is_withheld_whoever_asked_before(
    processes: Processes, name: str, *, granting_first: bool
) -> None:
    asked = ASKED[name]
    full = processes.granting, await answer(processes.granting_uncached, asked)
    less = processes.withholding, await answer(processes.withholding_uncached, asked)
    assert full[1][0] == 200, full
    assert "UpgradeRequired" not in str(full[1])
    assert "UpgradeRequired" in str(less[1]) or (
        less[1][0] == 403 and less[1][1]["errors"][0]["extensions"]["code"] == "UPGRADE_REQUIRED"
    ), less
    turns = (full, less) if granting_first else (less, full)
    for client, expected in turns * 3:
        assert await answer(client, asked) == expected
        await asyncio.sleep(0.05)  # for what is shared to arrive in Redis


async def test_subscribers_to_the_same_are_told_what_each_may_see(processes: Processes) -> None:
    async with opened(processes.granting) as full, opened(processes.withholding) as less:
        for socket in (full, less):
            await subscribe(socket, query=FOLLOW)
        await asyncio.sleep(0.3)
        for number in range(3):
            await processes.conn.execute("update stories set title = $1", str(number))
            told = [(await heard(socket))["payload"]["data"]["storyChanged"]["story"] for socket in (full, less)]
            assert [story["title"] for story in told] == [str(number)] * 2
            assert "UpgradeRequired" not in str(told[0])
            for gated in (told[1]["perspectives"], *told[1]["coverage"].values()):
                assert gated == {"__typename": "UpgradeRequired"}
