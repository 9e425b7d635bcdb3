"""Feeds over HTTP: in each format, of each kind, with all that HTTP says of answers that are kept."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import feedparser  # pyright: ignore[reportMissingTypeStubs]
import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.conftest import Serve
from tests.acceptance.documents import answered
from tests.acceptance.rest import problem
from tests.databases import settled
from tests.unit.feeds.test_feeds import JSON_FEED, ODD, read_xml

pytestmark = pytest.mark.any_engine

ENDINGS = ("rss", "atom", "json")
TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(demo_database, allowances="off", public_url="https://news.example") as client:
        yield client


@pytest.fixture(scope="module")
async def paths(demo: httpx.AsyncClient) -> dict[str, str]:
    """The path of a feed of each kind, without its ending."""
    query = """{
      stories(first: 1) { nodes { topics { slug } places { slug } } }
      outlets(first: 1, sort: MOST_ARTICLES) { nodes { slug } }
    }"""
    data = answered(await demo.post("/graphql", json={"query": query}))
    [story] = data["stories"]["nodes"]
    return {
        "latest": "/feeds/latest",
        "left": "/feeds/blindspots/left",
        "right": "/feeds/blindspots/right",
        "topic": f"/feeds/topics/{story['topics'][0]['slug']}",
        "place": f"/feeds/places/{story['places'][0]['slug']}",
        "outlet": f"/feeds/outlets/{data['outlets']['nodes'][0]['slug']}",
    }


async def items(client: httpx.AsyncClient, path: str, ending: str) -> list[tuple[str, str, str]]:
    """The id, the title and the link of each entry, read by a feed reader's library, or by the specification."""
    response = await client.get(f"{path}.{ending}")
    assert (response.status_code, response.headers["content-type"]) == (200, TYPES[ending]), response.text
    if ending == "json":
        told = response.json()
        validator: Any = Draft202012Validator(JSON_FEED, format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert [error.message for error in validator.iter_errors(told)] == []
        assert told["feed_url"] == f"https://news.example{path}.json"
        return [(each["id"], each["title"], each["url"]) for each in told["items"]]
    found = cast("Any", feedparser).parse(io.BytesIO(response.content))
    assert not found.bozo, found.bozo_exception
    assert {each.rel: each.href for each in found.feed.links}["self"] == f"https://news.example{path}.{ending}"
    return [(each.id, each.title, each.link) for each in found.entries]


@pytest.mark.parametrize("kind", ["latest", "left", "right", "topic", "place", "outlet"])
async def test_a_feed_tells_the_same_in_each_format(demo: httpx.AsyncClient, paths: dict[str, str], kind: str) -> None:
    rss, atom, json_feed = [await items(demo, paths[kind], each) for each in ENDINGS]
    assert rss == atom == json_feed
    assert 1 <= len(rss) <= 30
    assert len({id_ for id_, _, _ in rss}) == len(rss)
    assert all(link.startswith("https://news.example/stories/") for _, _, link in rss)


async def test_the_latest_are_those_that_graphql_tells(demo: httpx.AsyncClient) -> None:
    data = answered(await demo.post("/graphql", json={"query": "{ stories(first: 30) { nodes { id title slug } } }"}))
    assert await items(demo, "/feeds/latest", "atom") == [
        (f"tag:news.example,2026:stories/{each['id']}", each["title"], f"https://news.example/stories/{each['slug']}")
        for each in data["stories"]["nodes"]
    ]


async def test_blindspots_are_those_of_one_side(demo: httpx.AsyncClient) -> None:
    for side in ("left", "right"):
        query = f"{{ stories(first: 30, filter: {{blindspot: {side.upper()}}}) {{ nodes {{ title }} }} }}"
        data = answered(await demo.post("/graphql", json={"query": query}))
        told = await items(demo, f"/feeds/blindspots/{side}", "rss")
        assert [title for _, title, _ in told] == [each["title"] for each in data["stories"]["nodes"]]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_who_has_it_is_told_so(demo: httpx.AsyncClient, ending: str) -> None:
    path = f"/feeds/latest.{ending}"
    response = await demo.get(path)
    assert response.headers["cache-control"].startswith("public, max-age=")
    again = await demo.get(path, headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    others = [(await demo.get(f"/feeds/latest.{each}")).headers["etag"] for each in ENDINGS if each != ending]
    assert response.headers["etag"] not in others


@pytest.mark.parametrize("ending", ENDINGS)
async def test_feeds_are_compressed(demo: httpx.AsyncClient, ending: str) -> None:
    path = f"/feeds/latest.{ending}"
    plain = await demo.get(path, headers={"accept-encoding": "identity"})
    async with demo.stream("GET", path, headers={"accept-encoding": "gzip"}) as response:
        raw = b"".join([part async for part in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert "Accept-Encoding" in response.headers["vary"]


async def test_head_has_the_headers_alone(demo: httpx.AsyncClient) -> None:
    got, head = [await demo.request(method, "/feeds/latest.atom") for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["etag"], head.headers["content-type"]) == (got.headers["etag"], TYPES["atom"])


async def test_other_methods_are_refused(demo: httpx.AsyncClient) -> None:
    assert problem(await demo.post("/feeds/latest.rss"), 405, "METHOD_NOT_ALLOWED")
    options = await demo.options("/feeds/latest.rss")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/topics/no-such.rss", "/feeds/places/no-such.atom", "/feeds/outlets/no-such.json",
        "/feeds/latest.xml", "/feeds/blindspots/center.rss", "/feeds/nothing", "/feeds/topics/.rss",
        "/feeds/latest.rss/", "/feeds/topics/a/b.rss", "/feeds/latest.%0A",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_problem(demo: httpx.AsyncClient, path: str) -> None:
    problem(await demo.get(path), 404, "NOT_FOUND")
    problem(await demo.get(path, headers={"if-none-match": "*"}), 404, "NOT_FOUND")


async def test_a_path_that_no_slug_could_have_is_a_problem(demo: httpx.AsyncClient) -> None:
    problem(await demo.get("/feeds/topics/a%00b.rss"), 400, "BAD_USER_INPUT")


async def test_a_key_that_is_none_is_refused(demo: httpx.AsyncClient) -> None:
    problem(await demo.get("/feeds/latest.rss", headers={"x-api-key": "plx_no"}), 401, "UNAUTHENTICATED")


async def test_the_list_names_feeds_that_are_there(demo: httpx.AsyncClient) -> None:
    response = await demo.get("/feeds")
    assert response.headers["content-type"] == "text/x-opml; charset=utf-8"
    urls = [each.get("xmlUrl") or "" for each in read_xml(response.content).iter("outline") if each.get("type")]
    assert len(urls) > 10
    kinds = {url.split("/")[4]: url for url in urls}
    assert set(kinds) == {"latest.rss", "blindspots", "topics", "places", "outlets"}
    for url in kinds.values():
        assert (await demo.get(url.removeprefix("https://news.example"))).status_code == 200


async def test_links_lead_to_the_host_that_was_asked_where_none_is_set(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, allowances="off") as client:
        one, other = [
            (await client.get("/feeds/latest.json", headers={"host": host})) for host in ("a.example", "b.example:81")
        ]
        assert one.json()["feed_url"] == "http://a.example/feeds/latest.json"
        assert other.json()["feed_url"] == "http://b.example:81/feeds/latest.json"
        assert one.headers["etag"] != other.headers["etag"]
        problem(await client.get("/feeds/latest.json", headers={"host": 'a"b'}), 400, "BAD_REQUEST")


async def test_an_empty_service_has_empty_feeds(client: httpx.AsyncClient) -> None:
    for ending in ENDINGS:
        response = await client.get(f"/feeds/latest.{ending}")
        assert response.status_code == 200
        assert b"<item>" not in response.content
    assert (await client.get("/feeds")).status_code == 200


async def test_a_feed_is_no_longer_than_a_page_that_the_caller_may_have(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, max_page_size=10, public_url="https://news.example") as client:
        assert len(await items(client, "/feeds/latest", "atom")) == 10
        listed = read_xml((await client.get("/feeds")).content)
        topics = next(each for each in listed.iter("outline") if each.get("text") == "Topics")
        assert len(topics) == 10
        story = (await client.get("/v1/stories?first=1&minOutlets=20")).json()["items"][0]["slug"]
        assert len((await client.get(f"/v1/stories/{story}/ninjs")).json()["associations"]) == 10


async def test_odd_characters_come_through_from_the_database(serve: Serve, empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    titles = [each.replace("\x00", "").strip()[:1_000] or "none" for each in ODD]
    await conn.execute("insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A')")
    told_stories = [(number, str(number), f"s{number}", title) for number, title in enumerate(titles, 1)]
    await conn.executemany("insert into stories (id, key, slug, title) values ($1, $2, $3, $4)", told_stories)
    await conn.executemany(
        "insert into articles (outlet_id, story_id, published_at, url, title)"
        " values (1, $1::bigint, now() - make_interval(hours => $2), $3, $4)",
        [(number, number, f"https://a.example/{number}", title) for number, title in enumerate(titles, 1)],
    )
    await settled(conn)
    await conn.close()
    async with serve(empty_database, public_url="https://news.example") as client:
        for path in ("/feeds/latest", "/feeds/outlets/a"):
            told = {ending: await items(client, path, ending) for ending in ENDINGS}
            assert [title for _, title, _ in told["json"]] == titles
            assert [id_ for id_, _, _ in told["rss"]] == [id_ for id_, _, _ in told["atom"]]
            assert len(told["rss"]) == len(titles)
