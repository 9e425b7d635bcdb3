"""What REST makes of requests: refusals as problems, keys, prices, caches, methods, and what it tells of itself."""

from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.conftest import Serve
from tests.acceptance.documents import REGISTERED
from tests.acceptance.keyed import bearer
from tests.acceptance.rest import RECENT, by_graphql, by_rest, problem
from tests.access_keys import made_key
from tests.databases import MakeDatabase, database

pytestmark = pytest.mark.any_engine

NEWS = """
insert into outlets (id, domain, slug, name) values (1, 'a.example', 'a', 'A'), (2, 'b.example', 'b', 'B');
insert into ratings (outlet_id, agency, factuality) values (1, 'X', 'VERY_HIGH');
insert into stories (id, key, slug, title) values (1, 1, 's', 'T'), (2, 2, 'é "<&>', 'Ü');
insert into articles (outlet_id, story_id, published_at, url, title) values
  (1, 1, now(), 'https://a.example/1', 'T'), (2, 2, now() - interval '1 day', 'https://b.example/2', 'Ü');
"""


@pytest.fixture(scope="module")
async def news(server_dsn: str, template: str) -> AsyncIterator[str]:
    """A small world, in which tests may make keys."""
    async with database(server_dsn, template, NEWS) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def small(serve: Serve, news: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(news, allowances="off") as client:
        yield client


async def new_key(dsn: str, tier: str) -> dict[str, str]:
    """The headers of a caller with a new key."""
    return bearer(await made_key(dsn, tier))


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code", "parameter"),
    [
        ("/v1/stories?frist=1", 400, "BAD_USER_INPUT", "frist"),
        ("/v1/stories?first=1&first=2", 400, "BAD_USER_INPUT", "first"),
        ("/v1/stories?first=one", 400, "BAD_USER_INPUT", "first"),
        ("/v1/stories?first=101", 400, "BAD_USER_INPUT", "first"),
        ("/v1/stories?first=-1", 400, "BAD_USER_INPUT", "first"),
        ("/v1/stories?first=null", 400, "BAD_USER_INPUT", "first"),
        ("/v1/stories?sort=RELEVANCE", 400, "BAD_USER_INPUT", "search"),
        ("/v1/stories?sort=", 400, "BAD_USER_INPUT", "sort"),
        ("/v1/stories?after=nothing", 400, "BAD_USER_INPUT", "after"),
        ("/v1/stories?updatedAfter=now", 400, "BAD_USER_INPUT", "updatedAfter"),
        ("/v1/stories/s?slug=s", 400, "BAD_USER_INPUT", "slug"),
        ("/v1/stories/%00", 400, "BAD_USER_INPUT", "slug"),
        ("/v1/stories/s/timeline?interval=YEAR", 400, "BAD_USER_INPUT", "interval"),
        ("/v1/changes?after=nothing", 400, "BAD_USER_INPUT", "after"),
        ("/v1/changes?first=101", 400, "BAD_USER_INPUT", "first"),
        ("/v1/coverage", 400, "BAD_USER_INPUT", "publishedAfter"),
        ("/v1/coverage?publishedAfter=<recent>&publishedBefore=<recent>", 400, "BAD_USER_INPUT", "publishedAfter"),
        ("/v1/coverage?publishedAfter=2020-01-01T00:00:00Z", 400, "BAD_USER_INPUT", "publishedAfter"),
        ("/v1/compare?publishedAfter=<recent>&outlets=a.example", 400, "BAD_USER_INPUT", "outlets"),
        ("/v1/compare?publishedAfter=<recent>&outlets=a.example,no.example", 400, "BAD_USER_INPUT", "outlets"),
        ("/v1/stories?search=%ff", 400, "BAD_REQUEST", None),
        ("/v1/articles?factuality=HIGH", 403, "UPGRADE_REQUIRED", "factuality"),
        ("/v1/outlets?ownership=TELECOM", 403, "UPGRADE_REQUIRED", "ownership"),
        ("/v1/stories/there-is-none", 404, "NOT_FOUND", None),
        ("/v1/stories/there-is-none/articles", 404, "NOT_FOUND", None),
        ("/v1/stories/%ff", 404, "NOT_FOUND", None),
        ("/v1/stories/s%2Fnothing", 404, "NOT_FOUND", None),
        ("/v1/articles/story_1", 404, "NOT_FOUND", None),
        ("/v1/articles/nothing", 404, "NOT_FOUND", None),
        ("/v1/topics/none", 404, "NOT_FOUND", None),
        ("/v1/topics/none/coverage?publishedAfter=<recent>", 404, "NOT_FOUND", None),
        ("/v1/nothing", 404, "NOT_FOUND", None),
        ("/v1/stories/s/nothing", 404, "NOT_FOUND", None),
        ("/v1//stories", 404, "NOT_FOUND", None),
        ("/v1/nothing%0A/%0D", 404, "NOT_FOUND", None),
        ("/v1/viewer?first=1", 400, "BAD_USER_INPUT", "first"),
    ],
)
async def test_a_refusal_is_a_problem(
    small: httpx.AsyncClient, path: str, status: int, code: str, parameter: str | None
) -> None:
    path = path.replace("<recent>", RECENT)  # in a test's name, it would differ from one process to the next
    told = problem(await small.get(path), status, code)
    assert told.get("parameter") == parameter
    assert told["type"] == "about:blank"
    if parameter:
        assert parameter in told["detail"] or "published" in told["detail"]
    assert (await small.head(path)).status_code == status


async def test_a_feature_that_is_needed_is_named_with_its_tier(small: httpx.AsyncClient) -> None:
    told = problem(await small.get("/v1/articles?factuality=HIGH"), 403, "UPGRADE_REQUIRED")
    assert (told["feature"], told["tier"]) == ("FACTUALITY", "premium")


@pytest.mark.parametrize("path", ["/v1/stories", "/v1/stories/s", "/v1", "/v1/", "/v1/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
async def test_other_methods_are_refused(small: httpx.AsyncClient, path: str, method: str) -> None:
    response = await small.request(method, path)
    problem(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    options = await small.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("path", ["/v1/stories", "/v1", "/v1/openapi.json"])
async def test_json_is_what_is_answered_and_nothing_else(small: httpx.AsyncClient, path: str) -> None:
    for accept in ("application/json", "*/*", "application/*;q=0.1", "text/html, */*;q=0.8", ""):
        assert (await small.get(path, headers={"accept": accept})).headers["content-type"] == "application/json"
    for accept in ("text/html", "application/xml", "application/json;q=0", "application/json;q=0, */*"):
        problem(await small.get(path, headers={"accept": accept}), 406, "NOT_ACCEPTABLE")


async def test_a_query_string_has_a_longest(serve: Serve, newsless: str) -> None:
    async with serve(newsless, max_body_bytes=50) as client:
        problem(await client.get(f"/v1/stories?search={'x' * 50}"), 413, "REQUEST_TOO_LARGE")
        assert (await client.get("/v1/stories?search=x")).status_code == 200


async def test_while_the_database_is_away_callers_are_told_when_to_come_again(serve: Serve) -> None:
    async with serve("postgresql://127.0.0.1:1/nowhere") as client:
        away = await client.get("/v1/stories")
        problem(away, 503, "UNAVAILABLE")
        assert int(away.headers["retry-after"]) > 0
        assert (await client.get("/v1/openapi.json")).status_code == 200


async def test_a_cursor_is_good_for_its_own_list(small: httpx.AsyncClient) -> None:
    cursor = (await small.get("/v1/stories?first=1")).json()["page"]["endCursor"]
    assert (await small.get("/v1/stories", params={"after": cursor})).json()["items"][0]["title"] == "Ü"
    for path in ("/v1/stories?sort=NEWEST", "/v1/stories?minOutlets=1", "/v1/articles", "/v1/changes"):
        told = problem(await small.get(path, params={**httpx.URL(path).params, "after": cursor}), 400, "BAD_USER_INPUT")
        assert told["parameter"] == "after"


# Keys, tiers and prices ----------------------------------------------------------------------------------------------


async def test_a_key_opens_what_its_tier_has(serve: Serve, news: str) -> None:
    key = await new_key(news, "premium")
    async with serve(news) as client:
        for headers in (key, {"x-api-key": key["authorization"].removeprefix("Bearer ")}):
            outlet = (await client.get("/v1/outlets/a", headers=headers)).json()
            assert outlet["factuality"] == {"type": "FactualityRating", "factuality": "VERY_HIGH", "score": 5.0}
            assert outlet["ownership"]["type"] == "UpgradeRequired"
            found = await client.get("/v1/outlets?factuality=VERY_HIGH", headers=headers)
            assert [each["slug"] for each in found.json()["items"]] == ["a"]
            problem(await client.get("/v1/outlets?ownership=TELECOM", headers=headers), 403, "UPGRADE_REQUIRED")
        assert (await client.get("/v1/outlets/a")).json()["factuality"]["type"] == "UpgradeRequired"
        viewer = (await client.get("/v1/viewer", headers=key)).json()
        assert (viewer["tier"]["name"], viewer["apiKey"]["name"]) == ("premium", "of a test")


async def test_a_wrong_key_is_refused_and_one_in_the_url_too(small: httpx.AsyncClient) -> None:
    wrong = await small.get("/v1/stories", headers=bearer("plx_wrong"))
    problem(wrong, 401, "UNAUTHENTICATED")
    assert wrong.headers["www-authenticate"] == "Bearer"
    for path in (f"/v1/stories?search=plx_{'a' * 33}", f"/v1/stories/plx_{'a' * 33}"):
        assert "revoke" in problem(await small.get(path), 401, "UNAUTHENTICATED")["detail"]


async def test_a_larger_tier_has_larger_pages_and_looks_further_back(serve: Serve, news: str) -> None:
    key = await new_key(news, "vantage")
    old = (datetime.now(UTC) - timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    async with serve(news) as client:
        window = f"/v1/coverage?publishedAfter={old}"
        assert problem(await client.get(window), 403, "UPGRADE_REQUIRED")["feature"] == "HISTORY"
        assert (await client.get(window, headers=key)).json()["ownership"]["type"] == "OwnershipDistribution"
        assert (await client.get("/v1/stories?first=1000", headers=key)).status_code == 200
        problem(await client.get("/v1/stories?first=1001", headers=key), 400, "BAD_USER_INPUT")


async def test_a_request_costs_what_its_document_costs(serve: Serve, news: str) -> None:
    key = await new_key(news, "free")
    async with serve(news) as client:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("ListStories", {"first": 7}),
            ("ListStories", {"first": 7, "total": True, "search": "T"}),
            ("GetStory", {"slug": "s"}),
            ("GetCoverage", {"publishedAfter": RECENT}),
            ("GetViewer", {}),
        ]
        for name, variables in asked:
            body = {"documentId": REGISTERED[name].id, "variables": variables}
            cost = (await client.post("/graphql", json=body)).json()["extensions"]["cost"]["requested"]
            began = time.monotonic()
            before = await remaining(client, key)
            route = REGISTERED[name].route
            assert route
            path = route.path.format(slug="s")
            given = {k: str(v).lower() if v is True else v for k, v in variables.items() if k != "slug"}
            response = await client.get(path, params=given, headers=key)
            assert response.headers["request-cost"] == str(cost)
            after = await remaining(client, key)
            refilled = 100_000 / 60 * (time.monotonic() - began)
            assert before - cost <= after <= before - cost + refilled + 1
            assert response.headers["ratelimit-policy"] == '"minute";q=100000;w=60'


async def remaining(client: httpx.AsyncClient, key: dict[str, str]) -> int:
    return (await client.get("/v1/viewer", headers=key)).json()["rateLimit"]["remaining"]


async def test_a_spent_allowance_is_a_problem_that_says_when_to_come_again(
    serve: Serve, make_database: MakeDatabase
) -> None:
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await conn.execute(NEWS)
    await conn.execute("update tiers set cost_per_minute = 60, max_cost_per_request = 30 where name = 'anonymous'")
    await conn.close()
    async with serve(dsn) as client:
        problem(await client.get("/v1/stories?first=100"), 400, "COST_LIMIT_EXCEEDED")
        tries = 0
        while (spent := await client.get("/v1/topics/none?x=1")).status_code == 400:  # what cannot be read costs 1
            tries += 1
            assert tries < 1_000
        assert tries >= 60
        problem(spent, 429, "RATE_LIMITED")
        assert int(spent.headers["retry-after"]) >= 1
        assert spent.headers["ratelimit"].startswith('"minute";r=0')
        assert (await client.get("/v1/viewer")).status_code == 200


# Caches --------------------------------------------------------------------------------------------------------------


async def test_an_answer_is_kept_once_for_rest_and_graphql(serve: Serve, news: str) -> None:
    async with serve(news) as client:
        await by_graphql(client, "GetStory", slug="s")
        first = await by_rest(client, "GetStory", slug="s")
        assert first.headers["cache-status"] == "parallax; hit; detail=memory"
        assert first.headers["cache-control"] == "public, max-age=2"
        assert "ratelimit" not in first.headers
        again = await by_rest(client, "GetStory", slug="s")
        assert (again.headers["etag"], again.content) == (first.headers["etag"], first.content)
        spelled = await client.get("/v1/stories?first=20&sort=LATEST")
        implied = await client.get("/v1/stories")
        assert implied.headers["cache-status"] == "parallax; hit; detail=memory"
        assert spelled.content == implied.content


async def test_who_has_an_answer_is_told_that_it_is_still_true(small: httpx.AsyncClient) -> None:
    whole = await small.get("/v1/stories?first=1")
    etag = whole.headers["etag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        same = await small.get("/v1/stories?first=1", headers={"if-none-match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        assert same.headers["link"] == whole.headers["link"]
    other = await small.get("/v1/stories?first=2", headers={"if-none-match": etag})
    assert other.status_code == 200
    graphql = await small.get(
        "/graphql", params={"documentId": REGISTERED["ListStories"].id, "variables": '{"first":1}'}
    )
    assert graphql.headers["etag"] != etag
    problem(await small.get("/v1/stories/none", headers={"if-none-match": "*"}), 404, "NOT_FOUND")


async def test_head_tells_what_get_would(small: httpx.AsyncClient) -> None:
    for path in ("/v1/stories?first=1", "/v1/stories/s", "/v1/service", "/v1", "/v1/openapi.json"):
        whole, head = await small.get(path), await small.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length", "etag", "link", "request-cost", "cache-control"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)


async def test_an_answer_comes_in_the_coding_that_is_liked(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database) as client:
        plain = await client.get("/v1/stories", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        tags = {plain.headers["etag"]}
        for coding in ("gzip", "br", "zstd"):
            async with client.stream("GET", "/v1/stories", headers={"accept-encoding": coding}) as coded:
                assert coded.headers["content-encoding"] == coding
                body = b"".join([part async for part in coded.aiter_raw()])
                tags.add(coded.headers["etag"])
            assert len(body) < len(plain.content) / 2
            if coding == "gzip":
                assert gzip.decompress(body) == plain.content
        assert len(tags) == 4


async def test_what_is_told_to_a_key_is_private(serve: Serve, news: str) -> None:
    key = await new_key(news, "free")
    async with serve(news) as client:
        response = await client.get("/v1/stories/s", headers=key)
        assert response.headers["cache-control"] == "private, max-age=2"
        assert "authorization" in response.headers["vary"].lower()
        viewer = await client.get("/v1/viewer", headers=key)
        assert (viewer.headers["cache-control"], viewer.headers["request-cost"]) == ("no-store", "0")


async def test_without_a_cache_it_is_the_same(serve: Serve, news: str) -> None:
    async with serve(news, cache_bytes=0) as client:
        page = await client.get("/v1/stories?first=1")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert (await client.get(page.links["next"]["url"])).json()["items"][0]["title"] == "Ü"
        problem(await client.get("/v1/stories/none"), 404, "NOT_FOUND")


# Names and places ----------------------------------------------------------------------------------------------------


async def test_names_are_percent_encoded(small: httpx.AsyncClient) -> None:
    path = "/v1/stories/%C3%A9%20%22%3C%26%3E"
    assert (await small.get(path)).json()["title"] == "Ü"
    page = await small.get(f"{path}/articles?first=1&total=true")
    assert page.json()["total"]["value"] == 1
    assert "link" not in page.headers


async def test_a_trailing_slash_is_the_same_path(small: httpx.AsyncClient) -> None:
    for path in ("/v1/stories", "/v1/stories/s", "/v1/stories/s/articles"):
        assert (await small.get(f"{path}/")).json() == (await small.get(path)).json()


async def test_links_lead_to_where_callers_reach_the_service(serve: Serve, news: str) -> None:
    async with serve(news, public_url="https://news.example") as client:
        page = await client.get("/v1/stories?first=1", headers={"host": "evil.example"})
        assert page.links["next"]["url"].startswith("https://news.example/v1/stories?first=1&after=")
        assert (await client.get("/v1/openapi.json")).json()["servers"] == [{"url": "https://news.example"}]
    async with serve(news) as client:
        page = await client.get("/v1/stories?first=1", headers={"host": "Some.example:8443"})
        assert page.links["next"]["url"].startswith("http://some.example:8443/v1/stories?first=1&after=")
        problem(await client.get("/v1/stories?first=1", headers={"host": 'a>; rel="x"'}), 400, "BAD_REQUEST")


async def test_without_news_lists_are_empty(client: httpx.AsyncClient) -> None:
    for path in ("/v1/stories", "/v1/articles", "/v1/outlets", "/v1/topics", "/v1/places", "/v1/changes"):
        response = await client.get(path)
        assert (response.status_code, response.json()["items"]) == (200, [])
        assert "link" not in response.headers
    service = (await client.get("/v1/service")).json()
    assert (service["storyCount"], service["dataThrough"]) == (0, None)


async def test_where_only_registered_documents_are_answered_rest_is(serve: Serve, newsless: str) -> None:
    async with serve(newsless, registered_only=True, introspection=False) as client:
        assert (await client.get("/v1/stories")).status_code == 200
        assert (await client.get("/v1/openapi.json")).status_code == 200


async def test_a_page_of_another_origin_may_read_links_and_prices(small: httpx.AsyncClient) -> None:
    response = await small.get("/v1/stories?first=1", headers={"origin": "https://elsewhere.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    shown = response.headers["access-control-expose-headers"]
    assert {"Link", "Request-Cost", "ETag"} <= set(shown.split(", "))


# What it tells of itself ---------------------------------------------------------------------------------------------


async def test_the_root_lists_what_there_is(small: httpx.AsyncClient) -> None:
    index = await small.get("/v1")
    assert index.content == (await small.get("/v1/")).content
    assert index.links["service-desc"]["url"] == "/v1/openapi.json"
    document = (await small.get("/v1/openapi.json")).json()
    assert [each["path"] for each in index.json()["paths"]] == list(document["paths"])


async def test_the_openapi_document_can_be_kept(small: httpx.AsyncClient) -> None:
    whole = await small.get("/v1/openapi.json", headers={"accept-encoding": "identity"})
    assert (whole.headers["cache-control"], whole.headers["content-type"]) == ("public, max-age=60", "application/json")
    etag = whole.headers["etag"]
    same = await small.get("/v1/openapi.json", headers={"accept-encoding": "identity", "if-none-match": f"W/{etag}"})
    assert (same.status_code, same.content) == (304, b"")
    zipped = await small.get("/v1/openapi.json", headers={"accept-encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["etag"] != etag
    assert zipped.json() == whole.json()
