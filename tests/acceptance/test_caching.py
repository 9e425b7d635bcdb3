"""What callers and caches on the way see of answers that are kept."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import brotli
import httpx
import pytest
import zstandard

from tests.acceptance.conftest import Serve
from tests.databases import MakeDatabase, name_of

LIST = "{ outlets(first: 60) { nodes { name domain } } }"


@pytest.fixture(scope="module")
async def news(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(demo_database) as client:
        yield client


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    """A query by GET, which each test words in its own way, so that none meets what another has had kept."""
    return await client.get("/graphql", params={"query": query}, headers={"accept": "application/json", **headers})


async def test_the_second_who_asks_gets_what_is_kept(news: httpx.AsyncClient) -> None:
    query = "{ stories(first: 3) { nodes { title } } }"
    first, second = await ask(news, query), await ask(news, query)
    assert first.headers["cache-status"] == "parallax; fwd=miss; stored"
    assert second.headers["cache-status"] == "parallax; hit; detail=memory"
    assert (first.json(), first.headers["etag"]) == (second.json(), second.headers["etag"])
    for response in (first, second):
        assert response.headers["cache-control"] == "public, max-age=2"
        assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, X-API-Key"
        assert 0 <= int(response.headers["age"]) <= 2


async def test_who_has_it_already_gets_no_body(news: httpx.AsyncClient) -> None:
    query = "{ stories(first: 4) { nodes { title } } }"
    etag = (await ask(news, query)).headers["etag"]
    for given in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        response = await ask(news, query, **{"if-none-match": given})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
        assert response.headers["cache-control"] == "public, max-age=2"
    assert (await ask(news, query, **{"if-none-match": '"other"'})).status_code == 200
    posted = await news.post("/graphql", json={"query": query}, headers={"if-none-match": etag})
    assert posted.status_code == 200
    assert posted.headers["cache-control"] == "private, max-age=2"


async def test_a_body_comes_in_the_coding_that_the_caller_takes_and_its_tag_tells_which(
    news: httpx.AsyncClient,
) -> None:
    plain = await ask(news, LIST, **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    etags = {plain.headers["etag"]}
    read: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
    }
    for coding, decompress in read.items():
        for _ in range(2):
            url = news.base_url.join("/graphql")
            async with news.stream("GET", url, params={"query": LIST}, headers={"accept-encoding": coding}) as response:
                raw = b"".join([part async for part in response.aiter_raw()])
            assert response.headers["content-encoding"] == coding
            assert len(raw) < len(plain.content) / 2
            assert decompress(raw) == plain.content
            etags.add(response.headers["etag"])
    assert len(etags) == 4


async def test_the_same_question_asked_otherwise_is_the_same_and_another_is_not(news: httpx.AsyncClient) -> None:
    query = "query A($n: Int!, $s: Side) { stories(first: $n, filter: {blindspot: $s}) { nodes { id } } }"
    same = [
        {"query": query, "variables": {"n": 7, "s": "LEFT"}},
        {"query": query, "variables": {"s": "LEFT", "n": 7}},
        {"query": query.replace("query A", "query  B"), "variables": {"n": 7, "s": "LEFT"}},
    ]
    statuses = [(await news.post("/graphql", json=each)).headers["cache-status"] for each in same]
    assert [status.endswith("memory") for status in statuses] == [False, True, True]
    others = [
        {"query": query, "variables": {"n": 7, "s": "RIGHT"}},
        {"query": query, "variables": {"n": 7}},
        {"query": query, "variables": {"n": 8, "s": "LEFT"}},
        {"query": query.replace("nodes {", "items: nodes {"), "variables": {"n": 7, "s": "LEFT"}},
        {"query": query.replace("{ id }", "{ title }"), "variables": {"n": 7, "s": "LEFT"}},
    ]
    for each in others:
        assert (await news.post("/graphql", json=each)).headers["cache-status"] == "parallax; fwd=miss; stored"


async def test_of_two_operations_of_a_document_each_has_its_own_answer(news: httpx.AsyncClient) -> None:
    document = "query One { topics(first: 1) { nodes { slug } } } query Two { topics(first: 2) { nodes { slug } } }"
    sizes = [
        len(
            (await news.post("/graphql", json={"query": document, "operationName": name})).json()["data"]["topics"][
                "nodes"
            ]
        )
        for name in ("One", "Two", "One")
    ]
    assert sizes == [1, 2, 1]


async def test_what_is_withheld_is_withheld_whoever_asked_before(serve: Serve, demo_database: str) -> None:
    query = "{ outlets(first: 1) { nodes { factuality { __typename } ownership { __typename } } } }"
    async with serve(demo_database, granted_features="FACTUALITY") as some, serve(demo_database) as none:
        for client, expected in ((some, "FactualityRating"), (none, "UpgradeRequired")) * 2:
            (outlet,) = (await ask(client, query)).json()["data"]["outlets"]["nodes"]
            assert outlet["factuality"]["__typename"] == expected
            assert outlet["ownership"]["__typename"] == "UpgradeRequired"


async def test_errors_and_answers_of_no_statement_are_not_kept(news: httpx.AsyncClient) -> None:
    for query in ("{ nothing }", '{ node(id: "story_1") { id } }x', "{ stories(first: -1) { nodes { id } } }"):
        response = await ask(news, query)
        assert "errors" in response.json()
        assert "etag" not in response.headers
        assert response.headers["cache-control"] == "no-store"
    response = await ask(news, "{ service { version } }")
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_a_cache_of_no_bytes_keeps_nothing(serve: Serve, demo_database: str) -> None:
    query = "{ stories(first: 5) { nodes { title } } }"
    async with serve(demo_database, cache_bytes=0) as client:
        for _ in range(2):
            response = await ask(client, query)
            assert response.headers["cache-control"] == "no-store"
            assert "cache-status" not in response.headers


async def test_what_is_kept_goes_on_marked_stale_while_postgres_is_away(
    serve: Serve, server_dsn: str, make_database: MakeDatabase
) -> None:
    dsn = await make_database()
    query = "{ outlets { nodes { name } } }"
    async with serve(dsn, cache_list_seconds=0.05, cache_refresh_seconds=0) as client, away(server_dsn, dsn) as leave:
        before = await ask(client, query)
        assert before.headers["cache-status"] == "parallax; fwd=miss; stored"
        await leave()
        await asyncio.sleep(0.1)
        during = await ask(client, query)
        assert during.json() == before.json()
        assert during.headers["cache-status"] == "parallax; hit; detail=memory; ttl=-1"
        assert during.headers["cache-control"] == "public, max-age=0"
        other = await ask(client, "{ outlets { nodes { domain } } }")
        assert (other.status_code, other.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
        assert int(other.headers["retry-after"]) > 0
    async with serve(dsn) as client:
        assert (await ask(client, query)).headers["cache-status"] == "parallax; fwd=miss; stored"


@asynccontextmanager
async def away(server_dsn: str, dsn: str) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Has a database refuse everybody from when it is told to until the end of the block."""
    name = name_of(dsn)
    conn = await asyncpg.connect(server_dsn)

    async def leave() -> None:
        await conn.execute(f"alter database {name} with allow_connections false")
        await conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)

    try:
        yield leave
    finally:
        await conn.execute(f"alter database {name} with allow_connections true")
        await conn.close()
