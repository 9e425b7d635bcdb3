"""Everything that is served beside GraphQL itself."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from schema import sdl
from service.db.pool import Database
from service.db.queries import QUERIES
from tests.acceptance.conftest import Serve
from tests.redis_servers import URL, needs_redis

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/livez", "/livez/", "/startupz", "/readyz"])
async def test_probes_pass_where_all_is_well(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/health+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["status"] == "pass"


async def test_readiness_names_postgres_with_its_latency(client: httpx.AsyncClient) -> None:
    (check,) = (await client.get("/readyz")).json()["checks"]["postgres:responseTime"]
    assert check["status"] == "pass"
    assert check["observedUnit"] == "ms"
    assert check["observedValue"] > 0


async def test_the_sdl_is_served_with_a_tag_to_ask_by(client: httpx.AsyncClient) -> None:
    response = await client.get("/schema.graphql")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == sdl()
    etag = response.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await client.get("/schema.graphql", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/schema.graphql", headers={"if-none-match": '"other"'})).status_code == 200


async def test_a_browser_gets_graphiql(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, X-API-Key"


@pytest.mark.parametrize(
    "ranges", ["bytes=nonsense", "bytes=0-1", "bytes=9999999999-", "bytes=" + ",".join(["0-"] * 1_000)]
)
async def test_a_file_comes_whole_whatever_range_is_asked_for(client: httpx.AsyncClient, ranges: str) -> None:
    whole = await client.get("/graphiql/explore.js")
    response = await client.get("/graphiql/explore.js", headers={"range": ranges})
    assert (response.status_code, response.content) == (200, whole.content)


async def test_every_file_of_graphiql_is_our_own(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphql", headers=BROWSER)
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in re.sub(r"<!.*?>", "", page.text)
    names = re.findall(r'(?:src|href)="(/graphiql/[^"]+)"', page.text)
    assert len(names) == 7
    for name in names:
        response = await client.get(name)
        assert response.status_code == 200, name
        assert response.headers["content-type"].startswith(("text/javascript", "text/css", "application/javascript"))


async def test_graphiql_can_be_switched_off(serve: Serve, newsless: str) -> None:
    async with serve(newsless, graphiql=False) as client:
        response = await client.get("/graphql", headers=BROWSER, params={"query": "{ __typename }"})
        assert response.json()["data"] == {"__typename": "Query"}
        assert (await client.get("/graphql", headers={"accept": "text/html"})).status_code == 406


async def test_the_start_page_leads_to_what_there_is(client: httpx.AsyncClient) -> None:
    response = await client.get("/", headers=BROWSER)
    for path in re.findall(r'href="(/[^"]+)"', response.text):
        assert (await client.get(path, headers=BROWSER)).status_code == 200, path
    assert "/graphql" in response.text


@pytest.mark.parametrize("path", ["/nothing", "/graphql/x", "/graphiql/nothing.js", "/graphiql/../app.py", "/livez/x"])
async def test_elsewhere_there_is_nothing(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND", "requestId": response.headers["x-request-id"]}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/schema.graphql", "/"])
async def test_what_is_only_read_refuses_other_methods(client: httpx.AsyncClient, path: str) -> None:
    for method in ("POST", "DELETE"):
        response = await client.request(method, path)
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD"
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert (await client.head(path)).status_code == 200


async def test_readiness_warns_of_a_redis_that_is_away_and_passes(serve: Serve, newsless: str) -> None:
    async with serve(newsless, redis_url="redis://127.0.0.1:1/0") as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "warn")
    (check,) = response.json()["checks"]["redis:responseTime"]
    assert check["status"] == "fail"
    assert "127.0.0.1" not in check["output"]


@needs_redis
async def test_readiness_names_redis_with_its_latency(serve: Serve, newsless: str) -> None:
    async with serve(newsless, redis_url=URL) as client:
        response = await client.get("/readyz")
    assert response.json()["status"] == "pass"
    (check,) = response.json()["checks"]["redis:responseTime"]
    assert check["observedValue"] > 0


async def test_many_who_ask_whether_it_is_ready_have_postgres_asked_once(
    serve: Serve, newsless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def count(database: Database) -> None:
        nonlocal asked
        asked += 1
        await database.fetch_row(QUERIES["ping"])

    monkeypatch.setattr("service.http.health._ask_postgres", count)
    monkeypatch.setattr("service.http.health.SHARED", 60)
    async with serve(newsless) as client:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(50)))
        assert {each.status_code for each in answers} == {200}
        assert asked == 1
        monkeypatch.setattr("service.http.health.SHARED", 0)
        await client.get("/readyz")
        assert asked == 2
