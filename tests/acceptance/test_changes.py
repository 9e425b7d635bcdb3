"""The change feed as partners poll it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from service.load import load_lines
from tests.acceptance.conftest import Serve
from tests.databases import settled

POLL = """
query($after: String, $first: Int) {
  changes(after: $after, first: $first) {
    changes { cursor kind storyId mergedIntoId at story { id title } } endCursor hasMore headCursor
  }
}
"""


@pytest.fixture
async def news(serve: Serve, empty_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    async with serve(empty_database) as client:
        yield client, empty_database


def article(story: str, number: int) -> dict[str, Any]:
    url = f"https://a.example/{story}/{number}"
    return {
        "type": "article", "outlet": "a.example", "story": story, "url": url, "title": f"About {story}",
        "publishedAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def story(key: str) -> dict[str, Any]:
    return {"type": "story", "key": key, "title": f"Story {key}"}


async def poll(client: httpx.AsyncClient, after: str | None = None, first: int = 100) -> dict[str, Any]:
    response = await client.post("/graphql", json={"query": POLL, "variables": {"after": after, "first": first}})
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()["data"]["changes"]


async def told(client: httpx.AsyncClient, after: str | None = None) -> list[tuple[str, str]]:
    """Everything from the cursor on, in pages of two: kind and title of each."""
    found: list[tuple[str, str]] = []
    while True:
        page = await poll(client, after, 2)
        found += [(each["kind"], each["story"]["title"] if each["story"] else "") for each in page["changes"]]
        assert page["endCursor"] == (page["changes"][-1]["cursor"] if page["changes"] else after or page["headCursor"])
        after = page["endCursor"]
        if not page["hasMore"]:
            assert after == page["headCursor"]
            return found


async def load(dsn: str, lines: list[dict[str, Any]]) -> None:
    """Loads, and waits until the feed may tell of it."""
    await load_lines(dsn, lines)
    conn = await asyncpg.connect(dsn)
    await settled(conn)
    await conn.close()


async def test_a_partner_stays_in_step(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    empty = await poll(client)
    assert (empty["changes"], empty["hasMore"]) == ([], False)
    await load(dsn, [line for key in "abc" for line in (story(key), article(key, 1))])
    assert sorted(await told(client, empty["endCursor"])) == [("CREATED", f"Story {key}") for key in "abc"]
    head = (await poll(client))["headCursor"]
    await load(dsn, [article("a", 2), {"type": "merge", "from": "b", "into": "a"}, {"type": "remove", "story": "c"}])
    news_of_merge = set(await told(client, head))
    assert news_of_merge == {("MERGED", "Story a"), ("REMOVED", ""), ("UPDATED", "Story a")}
    assert await told(client) == [*await told(client, empty["endCursor"])]


async def test_nothing_asked_is_nothing_told_and_the_page_is_limited(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    await load(dsn, [story("a"), article("a", 1)])
    page = await poll(client, first=0)
    assert (page["changes"], page["hasMore"]) == ([], True)
    for first in (-1, 101):
        response = await client.post("/graphql", json={"query": POLL, "variables": {"first": first}})
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "'first'" in response.json()["errors"][0]["message"]


async def test_what_is_no_cursor_and_what_has_expired_differ(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    old = (await poll(client))["endCursor"]
    conn = await asyncpg.connect(dsn)
    await conn.execute("update changes_forgotten set xid = '9'")
    await conn.close()
    for cursor, code, status in ((old, "CURSOR_EXPIRED", 400), ("x" * 20, "BAD_USER_INPUT", 400)):
        response = await client.post(
            "/graphql",
            json={"query": POLL, "variables": {"after": cursor}},
            headers={"accept": "application/graphql-response+json"},
        )
        assert response.status_code == status
        assert "data" not in response.json()
        assert response.json()["errors"][0]["extensions"]["code"] == code
    assert (await poll(client))["changes"] == []
