"""The reader's pages as they travel: what they hold, how they are kept, and how they tell what is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import asyncpg
import httpx
import pytest

from service.http.encoding import SMALLEST
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key, add_tier, bearer
from tests.acceptance.reader import Places, places_of
from tests.access_keys import PEPPER

pytestmark = pytest.mark.any_engine

ELSEWHERE = ("/docs", "/feeds", "/v1", "/graphql")
"""What others serve beside the reader."""
HOSTILE = """"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'"""


@pytest.fixture(scope="module")
async def reader(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(demo_database, allowances="off") as client:
        yield client


@pytest.fixture(scope="module")
async def places(reader: httpx.AsyncClient) -> Places:
    return await places_of(reader)


class Page(HTMLParser):
    """What a page has: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words += " "

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.words)

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.tags if name == tag]


async def page_at(client: httpx.AsyncClient, path: str, **headers: str) -> Page:
    response = await client.get(path, headers=headers)
    assert response.status_code == 200, response.text
    return Page(response.text)


async def test_every_page_leads_to_pages(reader: httpx.AsyncClient, places: Places) -> None:
    """From every page, each different kind of link within the reader is followed once."""
    found: dict[str, str] = {}
    for path in places.pages:
        for link in (await page_at(reader, path)).all("a"):
            href = link["href"]
            if href.startswith("/") and not href.startswith(ELSEWHERE):
                kind = re.sub(r"(?<=/)[^/?]{12,}|(?<=after=)[^&#]+|(?<=q=)[^&#]+", "*", href.partition("#")[0])
                found.setdefault(kind, href)
    assert len(found) > 60
    for href in found.values():
        assert (await reader.get(href)).status_code in (200, 403), href


async def test_the_story_page_holds_all_that_a_reader_knows_from_such_pages(
    reader: httpx.AsyncClient, places: Places
) -> None:
    text = (await page_at(reader, places.story)).text
    for told in (
        "24 articles", "24 sources", "Sources in all 24", "Leaning left 4", "Center 2", "Leaning right 4",
        "Untracked 14", "Last updated", "All 24 articles", "Left 4 sources", "First to report", "Related stories",
        "40% of the sources lean left, 20% are in the center and 40% lean right, of 10 with a rating.",
        "Factuality: upgrade to premium", "Perspectives: upgrade to premium", "Ownership: upgrade to",
        "New sources by side, by hour",
    ):  # fmt: skip
        assert told in text, told


@pytest.mark.parametrize(("side", "count"), [("left", 4), ("center", 2), ("right", 4)])
async def test_a_tab_holds_the_articles_of_its_side(
    reader: httpx.AsyncClient, places: Places, side: str, count: int
) -> None:
    page = await page_at(reader, f"{places.story}?side={side}")
    assert f"{count} articles from the {side}" in page.text
    (current,) = [link for link in page.all("a") if link.get("aria-current") and "#articles" in link["href"]]
    assert f"side={side}" in current["href"]


async def test_articles_can_be_turned_round_and_paged(reader: httpx.AsyncClient) -> None:
    query = "{ stories(first: 1, sort: MOST_COVERED) { nodes { slug } } }"
    slug = (await reader.post("/graphql", json={"query": query})).json()["data"]["stories"]["nodes"][0]["slug"]
    orders: list[list[str]] = []
    for sort in ("newest", "oldest"):
        first = await page_at(reader, f"/stories/{slug}?sort={sort}")
        (more,) = [link["href"] for link in first.all("a") if link.get("rel") == "next"]
        second = await page_at(reader, more.partition("#")[0])
        links = [[each["href"] for each in page.all("a") if "ugc" in each.get("rel", "")] for page in (first, second)]
        assert not set(links[0][1:]) & set(links[1][1:])
        orders.append(links[0])
    assert orders[0] != orders[1]


async def test_links_of_strangers_go_to_the_web_and_vouch_for_nothing(
    reader: httpx.AsyncClient, places: Places
) -> None:
    for path in (places.story, places.outlet):
        outside = [link for link in (await page_at(reader, path)).all("a") if "://" in link["href"]]
        assert outside
        for link in outside:
            assert link["href"].startswith(("http://", "https://"))
            assert {"noopener", "nofollow", "ugc"} <= set(link["rel"].split())


async def test_articles_in_other_languages_say_which_and_which_way_they_are_read(
    reader: httpx.AsyncClient, places: Places
) -> None:
    titles = {each.get("lang"): each.get("dir") for each in (await page_at(reader, places.story)).all("h3")}
    assert titles["ar"] == "rtl"
    assert titles["ja"] == titles["de"] == "ltr"


async def test_nothing_of_the_data_becomes_markup(serve: Serve, empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(
        """with outlet as (
             insert into outlets (slug, name, domain, homepage_url)
             values ('o', $1, 'o.example', 'https://o.example/"><script>') returning id),
           story as (
             insert into stories (key, slug, title, summary, key_points)
             values ('s', 's', $1, $1, array[$1]) returning id)
         insert into articles (url, title, excerpt, kind, published_at, outlet_id, story_id)
         select 'https://o.example/"><script>alert(1)</script>', $1, $1 || '!', 'NEWS', now(), outlet.id, story.id
         from outlet, story""",
        HOSTILE,
    )
    await conn.close()
    async with serve(empty_database) as client:
        for path in ("/", "/stories/s", "/outlets", "/outlets/o", "/search?q=alert", "/compare"):
            response = await client.get(path)
            assert response.status_code == 200, path
            page = Page(response.text)
            scripts, pictures = page.all("script"), page.all("img")
            assert [each["src"].startswith("/reader/") for each in scripts] == [True], path
            assert not pictures, path
            assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")], path
            assert response.text.count(HOSTILE) == 0, path
        assert HOSTILE in page_text(await client.get("/stories/s"))


def page_text(response: httpx.Response) -> str:
    return Page(response.text).words


async def test_pages_tell_search_engines_and_feed_readers_what_they_are(
    serve: Serve, demo_database: str, reader: httpx.AsyncClient, places: Places
) -> None:
    page = await page_at(reader, f"{places.story}?side=left&sort=oldest")
    links = {(each["rel"], each.get("type")): each["href"] for each in page.all("link")}
    assert links["canonical", None] == f"{reader.base_url}{places.story}"
    assert links["alternate", "application/rss+xml"].endswith("/feeds/latest.rss")
    described = {each.get("name"): each.get("content") for each in page.all("meta")}
    assert 20 < len(described["description"] or "") <= 160
    feeds = {each["href"] for each in (await page_at(reader, places.topic)).all("link") if each["rel"] == "alternate"}
    assert feeds == {f"{reader.base_url}/feeds{places.topic}.{ending}" for ending in ("rss", "atom", "json")}
    async with serve(demo_database, public_url="https://news.example/there") as client:
        moved = await page_at(client, "/")
    (canonical,) = [each["href"] for each in moved.all("link") if each["rel"] == "canonical"]
    assert canonical == "https://news.example/there/"
    assert all(each["href"].startswith(("/there/", "#")) for each in moved.all("a"))


# How pages are kept --------------------------------------------------------------------------------------------------


async def test_a_page_is_kept_and_known_again(reader: httpx.AsyncClient, places: Places) -> None:
    first = await reader.get(places.place)
    again = await reader.get(places.place, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"].startswith("public, max-age=")
    head = await reader.head(places.place)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "text/html; charset=utf-8"
    assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_a_page_comes_compressed(reader: httpx.AsyncClient, places: Places, coding: str) -> None:
    plain = await reader.get(places.topic, headers={"accept-encoding": "identity"})
    coded = await reader.get(places.topic, headers={"accept-encoding": coding})
    assert coded.headers["content-encoding"] == coding
    assert coded.text == plain.text
    assert coded.headers["etag"] != plain.headers["etag"]


async def test_pages_of_another_host_or_choice_are_kept_apart(reader: httpx.AsyncClient, places: Places) -> None:
    one, other = [
        (await reader.get("/search?q=strike", headers={"host": host})).text for host in ("a.example", "b.example")
    ]
    assert "http://a.example/search" in one
    assert "a.example" not in other
    assert "/search?q=strike&amp;sort=latest" in (await reader.get("/search?q=strike")).text
    latest = await page_at(reader, f"{places.topic}?sort=trending")
    (current,) = [link for link in latest.all("a") if link.get("aria-current") == "true"]
    assert current["href"].endswith("sort=trending")


async def test_who_has_a_key_sees_what_its_tier_has_and_nobody_else_does(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, allowances="off", granted_features="FACTUALITY,OWNERSHIP,PERSPECTIVES") as client:
        everything = (await page_at(client, (await places_of(client)).story)).text
    assert "upgrade to" not in everything
    assert "Record of factual reporting" in everything
    assert "Who owns them" in everything


async def test_a_page_for_a_key_is_private(serve: Serve, make_database: Any) -> None:
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await add_tier(conn, "everything", ["FACTUALITY"])
    key = await add_key(conn, "everything")
    await conn.close()
    async with serve(dsn, key_pepper=PEPPER) as client:
        response = await client.get("/outlets", headers=bearer(key))
        wrong = await client.get("/outlets", headers=bearer(key[:-1] + "!"))
    assert response.headers["cache-control"].startswith("private")
    assert "authorization" in response.headers["vary"].lower()
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert "This key will not do" in wrong.text
    assert key not in wrong.text


async def test_files_have_their_hash_in_their_address_and_are_kept_for_ever(reader: httpx.AsyncClient) -> None:
    page = await page_at(reader, "/")
    paths = [page.all("script")[0]["src"]]
    paths += [each["href"] for each in page.all("link") if each["rel"] in ("stylesheet", "icon")]
    assert len(paths) == 3
    for path in paths:
        response = await reader.get(path, headers={"accept-encoding": "br"})
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable", path
        assert ("content-encoding" in response.headers) is (len(response.content) >= SMALLEST)
        etag = response.headers["etag"]
        known = await reader.get(path, headers={"accept-encoding": "br", "if-none-match": etag})
        assert (known.status_code, known.content) == (304, b"")
        older = await reader.get(re.sub(r"/[0-9a-f]{16}/", "/0000000000000000/", path))
        assert older.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert older.content == response.content
    assert (await reader.get("/reader/x/nothing.js")).status_code == 404
    assert (await reader.get("/reader/x/..%2Froutes.py")).status_code == 404


async def test_no_page_has_a_script_or_style_of_its_own(reader: httpx.AsyncClient, places: Places) -> None:
    for path in (*places.pages, *places.errors):
        response = await reader.get(path)
        policy = response.headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'; " in policy
        assert "unsafe" not in policy
        page = Page(response.text)
        assert not page.all("style")
        assert all("src" in each for each in page.all("script"))
        assert not [attributes for _, attributes in page.tags if "style" in attributes]


# What is wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/stories/nothing", 404, "no such story"), ("/topics/nothing", 404, "no such topic"),
        ("/topics/nothing/coverage", 404, "no such topic"), ("/places/nothing", 404, "no such place"),
        ("/outlets/nothing", 404, "no such outlet"), ("/stories/%00", 400, "NUL"), ("/?after=x", 400, "cursor"),
        ("/?sort=x", 400, "sort"), ("/?sort=latest&sort=latest", 400, "twice"), ("/search?q=%ff", 400, "UTF-8"),
        ("/outlets?country=99", 400, "country"), ("/compare?outlets=a.example,b.example", 400, "not known"),
        ("/compare?outlets=" + ",".join(map(str, range(11))), 400, "at most"), ("/blindspots?side=center", 400, "side"),
        ("/topics/climate/coverage?days=365", 403, "HISTORY"), ("/?q=plx_" + "a" * 36, 401, "revoke"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_by_a_page(reader: httpx.AsyncClient, path: str, status: int, told: str) -> None:
    response = await reader.get(path)
    assert (response.status_code, response.headers["cache-control"]) == (status, "no-store")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert told in Page(response.text).text
    assert response.headers["x-request-id"] in response.text
    assert "content-security-policy" in response.headers


async def test_a_browser_is_told_by_a_page_where_nothing_is(reader: httpx.AsyncClient) -> None:
    browser = await reader.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8"})
    assert (browser.status_code, browser.headers["content-type"]) == (404, "text/html; charset=utf-8")
    program = await reader.get("/nowhere")
    assert program.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_an_allowance_that_is_spent_is_told_by_a_page(serve: Serve, make_database: Any) -> None:
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await conn.execute("update tiers set cost_per_minute = 200, max_cost_per_request = 200 where name = 'anonymous'")
    await conn.close()
    async with serve(dsn) as client:
        answers = [await client.get("/outlets") for _ in range(3)]
    assert answers[0].status_code == 200
    assert (answers[-1].status_code, "retry-after" in answers[-1].headers) == (429, True)
    assert "Load this page again" in answers[-1].text


async def test_while_the_database_is_away_a_page_says_so(serve: Serve) -> None:
    async with serve("postgresql://postgres@127.0.0.1:1/nothing") as client:
        response = await client.get("/")
    assert (response.status_code, response.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "retry-after" in response.headers
    assert "127.0.0.1:1" not in response.text


async def test_a_link_on_another_site_leads_to_a_page_whatever_cookies_come_along(reader: httpx.AsyncClient) -> None:
    cross = {"cookie": "a=b", "sec-fetch-site": "cross-site"}
    visit = {**cross, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert (await reader.get("/blindspots", headers=visit)).status_code == 200
    for mode, destination in (("cors", "empty"), ("no-cors", "script"), ("navigate", "iframe")):
        taken = {**cross, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
        response = await reader.get("/blindspots", headers=taken)
        assert response.status_code == 403
        assert "FORBIDDEN" in response.text


async def test_the_reader_can_be_switched_off(serve: Serve, newsless: str) -> None:
    async with serve(newsless, reader=False) as client:
        for path in ("/", "/outlets", "/reader/x/reader.js"):
            response = await client.get(path, headers={"accept": "text/html"})
            assert response.status_code == 404
            assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_where_only_registered_documents_are_answered_pages_are(serve: Serve, newsless: str) -> None:
    async with serve(newsless, registered_only=True, introspection=False, graphiql=False) as client:
        response = await client.get("/")
    assert response.status_code == 200
    assert "/schema.graphql" not in response.text
    assert 'href="/graphql"' not in response.text


async def test_no_page_wants_more_than_a_caller_may_have(serve: Serve, demo_database: str, places: Places) -> None:
    async with serve(demo_database, allowances="off", max_page_size=10) as client:
        for path in places.pages:
            answer = await client.get(path, headers={"accept": "text/html"})
            assert answer.status_code == 200, (path, answer.text)
        front = Page((await client.get("/", headers={"accept": "text/html"})).text)
        topics = {link["href"] for link in front.all("a") if link["href"].startswith("/topics/")}
        assert 0 < len(topics) <= 10
