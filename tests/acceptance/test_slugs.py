"""Slugs of topics and places are what loads call them, those of outlets nearly: each leads to page, feeds and path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from tests.acceptance.conftest import Serve
from tests.databases import settled

pytestmark = pytest.mark.any_engine

SLUGS = ["law/politics", "a b", "%2F", "été", "x?y#z", "news.rss", "\\"]


@pytest.fixture
async def client(serve: Serve, empty_database: str) -> AsyncIterator[httpx.AsyncClient]:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(
        """
        insert into outlets (id, domain, slug, name) values (99, 'a.example', 'a', 'A');
        insert into stories (id, key, slug, title) values (1, '1', '1', 'T');
        insert into articles (outlet_id, story_id, published_at, url, title) values (99, 1, now(), '1', 'T');
        """
    )
    await conn.execute("insert into topics (slug, name) select slug, slug from unnest($1::text[]) as slug", SLUGS)
    await conn.execute(
        "insert into outlets (domain, slug, name) select slug, slug, slug from unnest($1::text[]) as slug", SLUGS
    )
    await conn.execute("insert into places (slug, name) select slug, slug from unnest($1::text[]) as slug", SLUGS)
    await settled(conn)
    await conn.close()
    async with serve(empty_database) as client:
        yield client


async def test_a_slug_leads_to_what_it_names(client: httpx.AsyncClient) -> None:
    for slug in SLUGS:
        for kind in ("topics", "places", "outlets"):
            path = f"/{kind}/{quote(slug, safe='')}"
            assert (await client.get(f"/v1{path}")).json()["slug"] == slug
            assert (await client.get(f"/v1{path}/")).json()["slug"] == slug
            for each in (path, *(f"/feeds{path}.{ending}" for ending in ("rss", "atom", "json"))):
                assert (await client.get(each)).status_code == 200, each


async def test_what_is_below_a_topic_is_no_topic(client: httpx.AsyncClient) -> None:
    window = {"publishedAfter": (datetime.now(UTC) - timedelta(days=7)).isoformat()}
    for topic in ("law%2Fpolitics", "law/politics"):
        assert "storyCount" in (await client.get(f"/v1/topics/{topic}/coverage", params=window)).json()
        page = await client.get(f"/topics/{topic}/coverage", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert '<p class="over">' in page.text
        assert "storyCount" in (await client.get(f"/v1/outlets/{topic}/activity", params=window)).json()
    assert "items" in (await client.get("/v1/topics/")).json()
    assert (await client.get("/v1/topics/law/nothing")).status_code == 404


async def test_no_escaped_slash_leads_out_of_a_folder(client: httpx.AsyncClient) -> None:
    for path in ("/graphiql/..%2fpage.html", "/docs/..%2Findex", "/clients/..%2fschema.graphql"):
        assert (await client.get(path)).status_code == 404, path
