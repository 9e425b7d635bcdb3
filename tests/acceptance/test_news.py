"""News, asked for over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Serve
from tests.databases import database
from tests.planner import small_world

STORY = """
query Story($slug: String!) {
  story(by: {slug: $slug}) {
    title
    coverage { articleCount outletCount bias { left { count } center { count } right { count } unratedCount } }
    articles(first: 2) { nodes { title outlet { name } } }
  }
}
"""
GATED = "{ outlets(first: 1) { nodes { factuality { __typename ... on UpgradeRequired { feature } } } } }"


@pytest.fixture(scope="module")
async def news(server_dsn: str, template: str) -> AsyncIterator[str]:
    """The DSN of a database with a few stories."""
    async with database(server_dsn, template) as dsn:
        await small_world.fill(dsn)
        yield dsn


@pytest.fixture(scope="module")
async def reader(serve: Serve, news: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(news) as client:
        yield client


async def ask(reader: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None) -> Any:
    answer = (await reader.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer
    return answer["data"]


async def a_slug(reader: httpx.AsyncClient) -> str:
    return (await ask(reader, "{ stories(first: 1) { nodes { slug } } }"))["stories"]["nodes"][0]["slug"]


async def test_a_story_is_answered_with_its_coverage(reader: httpx.AsyncClient) -> None:
    story = (await ask(reader, STORY, {"slug": await a_slug(reader)}))["story"]
    coverage, bias = story["coverage"], story["coverage"]["bias"]
    assert coverage["articleCount"] >= coverage["outletCount"] > 0
    sides = sum(bias[side]["count"] for side in ("left", "center", "right"))
    assert sides + bias["unratedCount"] == coverage["outletCount"]
    assert len(story["articles"]["nodes"]) == 2


async def test_get_and_post_answer_the_same_bytes(reader: httpx.AsyncClient) -> None:
    slug = await a_slug(reader)
    posted = await reader.post("/graphql", json={"query": STORY, "variables": {"slug": slug}})
    got = await reader.get("/graphql", params={"query": STORY, "variables": f'{{"slug": "{slug}"}}'})
    assert got.content == posted.content


async def test_text_of_every_script_arrives_as_it_was_loaded(reader: httpx.AsyncClient) -> None:
    outlets = (await ask(reader, "{ outlets(first: 100) { nodes { name } } }"))["outlets"]["nodes"]
    assert set(small_world.NAMES) <= {outlet["name"] for outlet in outlets}


async def test_a_gated_field_is_withheld_unless_a_setting_grants_it(serve: Serve, news: str) -> None:
    async with serve(news) as client:
        (outlet,) = (await ask(client, GATED))["outlets"]["nodes"]
        assert outlet["factuality"] == {"__typename": "UpgradeRequired", "feature": "FACTUALITY"}
    async with serve(news, granted_features="FACTUALITY") as client:
        (outlet,) = (await ask(client, GATED))["outlets"]["nodes"]
        assert outlet["factuality"] == {"__typename": "FactualityRating"}


async def test_the_service_tells_how_much_there_is_by_counts_of_the_last_minute(reader: httpx.AsyncClient) -> None:
    query = "{ service { storyCount articleCount outletCount dataThrough } }"
    first = (await ask(reader, query))["service"]
    lines = small_world.lines()
    assert first["articleCount"] == sum(line["type"] == "article" for line in lines)
    assert first["outletCount"] == sum(line["type"] == "outlet" for line in lines)
    newest = (await ask(reader, "{ articles(first: 1) { nodes { publishedAt } } }"))["articles"]["nodes"][0]
    assert datetime.fromisoformat(first["dataThrough"]) == datetime.fromisoformat(newest["publishedAt"])
    assert (await ask(reader, query))["service"] == first
