"""Exports over HTTP: all that a filter chooses, who gets it, and how it ends."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from service.export import pages
from service.http.admission import Admission
from tests.acceptance.conftest import Serve
from tests.acceptance.documents import answered
from tests.acceptance.keyed import bearer
from tests.acceptance.rest import problem
from tests.access_keys import made_key
from tests.databases import database

KINDS = ("articles.ndjson", "articles.csv", "stories.ndjson", "stories.csv")
COUNT = 1_203
NEWS = """
insert into outlets (id, domain, slug, name, country) values
  (1, 'a.example', 'a', '=cmd()', 'US'), (2, 'b.example', 'b', 'B', null);
insert into ratings (outlet_id, agency, bias) values (1, 'X', 'FAR_LEFT');
insert into stories (id, key, slug, title) values (1, 1, 's', '@SUM(A1), "x"'), (2, 2, 'é', E'line\\nbreak');
insert into articles (outlet_id, story_id, published_at, url, title)
select 1 + n % 2, 1 + n % 2, now() - n * interval '1 minute', 'https://a.example/' || n, 'Title ' || n
from generate_series(1, COUNT) n;
update articles set title = E'-1+1;\\t"é👩‍👩‍👧"\\r\\n', authors = array['=A', 'B;C'] where url = 'https://a.example/1';
""".replace("COUNT", str(COUNT))


@pytest.fixture(scope="module")
async def news(server_dsn: str, template: str) -> AsyncIterator[str]:
    async with database(server_dsn, template, NEWS) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def open_to_all(serve: Serve, news: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that grants exports to everyone."""
    async with serve(news, allowances="off", granted_features="EXPORT") as client:
        yield client


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def lines(text: str) -> list[dict[str, Any]]:
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


async def read_into(parts: list[str], response: httpx.Response) -> None:
    async for part in response.aiter_text():
        parts.append(part)  # noqa: PERF401  # what came before a failure is to be there


async def test_all_articles_come_once_each_in_order(open_to_all: httpx.AsyncClient) -> None:
    response = await open_to_all.get("/v1/export/articles.ndjson")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    assert response.headers["cache-control"] == "no-store"
    found = lines(response.text)
    assert [each["url"] for each in found] == [f"https://a.example/{n}" for n in range(1, COUNT + 1)]
    assert found[1]["outlet"]["name"] in ("=cmd()", "B")
    assert found[0]["authors"] == ["=A", "B;C"]


async def test_a_table_has_the_same(open_to_all: httpx.AsyncClient) -> None:
    told = lines((await open_to_all.get("/v1/export/articles.ndjson")).text)
    response = await open_to_all.get("/v1/export/articles.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert "\r\n" in response.text
    table = rows(response.text)
    assert [each["cursor"] for each in table] == [each["cursor"] for each in told]
    assert (table[0]["title"], told[0]["title"]) == ("'" + told[0]["title"], '-1+1;\t"é👩‍👩‍👧"\r\n')
    assert table[0]["authors"] == '["=A","B;C"]'
    assert {each["outlet.name"] for each in table} == {"'=cmd()", "B"}
    assert {each["outlet.country"] for each in table} == {"US", ""}
    assert {each["story.title"] for each in table} == {'\'@SUM(A1), "x"', "line\nbreak"}


async def test_stories_come_with_their_coverage(open_to_all: httpx.AsyncClient) -> None:
    told = lines((await open_to_all.get("/v1/export/stories.ndjson")).text)
    table = rows((await open_to_all.get("/v1/export/stories.csv")).text)
    assert {each["slug"] for each in told} == {each["slug"] for each in table} == {"s", "é"}
    for story, row in zip(told, table, strict=True):
        assert row["coverage.articleCount"] == str(story["coverage"]["articleCount"])
        mean = story["coverage"]["bias"]["mean"]
        assert row["coverage.bias.mean"] == ("" if mean is None else str(mean))
        assert row["coverage.blindspot.side"] == ""
    assert {row["coverage.bias.mean"] for row in table} == {"", "-3"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outlets=a.example", COUNT // 2),
        ("sides=LEFT&countries=US,GB", COUNT // 2),
        ("unrated=true", COUNT - COUNT // 2),
        ("kinds=OPINION", 0),
        ("search=title+AND+1203", None),
    ],
)
async def test_filters_choose(open_to_all: httpx.AsyncClient, query: str, count: int | None) -> None:
    found = lines((await open_to_all.get(f"/v1/export/articles.ndjson?{query}")).text)
    if count is not None:
        assert len(found) == count
    page = (await open_to_all.get(f"/v1/articles?{query}&first=5")).json()
    assert [each["id"] for each in page["items"]] == [each["id"] for each in found[:5]]


async def test_nothing_is_no_lines_and_one_row_of_names(open_to_all: httpx.AsyncClient) -> None:
    assert (await open_to_all.get("/v1/export/articles.ndjson?kinds=OPINION")).content == b""
    table = (await open_to_all.get("/v1/export/articles.csv?kinds=OPINION")).text
    assert table.startswith("id,url,title,")
    assert table.endswith(",cursor\r\n")
    assert table.count("\r\n") == 1


async def test_an_export_goes_on_after_any_item(open_to_all: httpx.AsyncClient) -> None:
    whole = lines((await open_to_all.get("/v1/export/articles.ndjson?sort=OLDEST")).text)
    for at in (0, 249, 250, COUNT - 2):
        rest = await open_to_all.get(f"/v1/export/articles.ndjson?sort=OLDEST&after={whole[at]['cursor']}")
        assert lines(rest.text) == whole[at + 1 :]
    assert (await open_to_all.get(f"/v1/export/articles.ndjson?sort=OLDEST&after={whole[-1]['cursor']}")).content == b""


@pytest.mark.parametrize("kind", KINDS)
async def test_the_file_has_a_name(open_to_all: httpx.AsyncClient, kind: str) -> None:
    head = await open_to_all.head(f"/v1/export/{kind}")
    assert (head.status_code, head.content) == (200, b"")
    name, ending = kind.split(".")
    disposition = head.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="{name}-')
    assert disposition.endswith(f'Z.{ending}"')


async def test_exports_are_compressed_for_who_likes_it(open_to_all: httpx.AsyncClient) -> None:
    plain = await open_to_all.get("/v1/export/articles.csv", headers={"accept-encoding": "identity"})
    packed = await open_to_all.get("/v1/export/articles.csv", headers={"accept-encoding": "zstd, gzip"})
    assert "content-encoding" not in plain.headers
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", plain.text)


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("frist=1", "BAD_USER_INPUT", "frist"),
        ("first=1", "BAD_USER_INPUT", "first"),
        ("sides=left", "BAD_USER_INPUT", "sides"),
        ("after=nonsense", "BAD_USER_INPUT", "after"),
        ("publishedAfter=yesterday", "BAD_USER_INPUT", "publishedAfter"),
    ],
)
async def test_what_cannot_be_is_refused(open_to_all: httpx.AsyncClient, query: str, code: str, parameter: str) -> None:
    told = problem(await open_to_all.get(f"/v1/export/articles.csv?{query}"), 400, code)
    assert told["parameter"] == parameter


async def test_gated_filters_need_their_feature(open_to_all: httpx.AsyncClient) -> None:
    told = problem(await open_to_all.get("/v1/export/articles.csv?factuality=HIGH"), 403, "UPGRADE_REQUIRED")
    assert told["feature"] == "FACTUALITY"


async def test_other_methods_and_paths_are_refused(open_to_all: httpx.AsyncClient) -> None:
    problem(await open_to_all.post("/v1/export/articles.csv"), 405, "METHOD_NOT_ALLOWED")
    problem(await open_to_all.get("/v1/export/articles.xlsx"), 404, "NOT_FOUND")


@pytest.mark.parametrize("kind", KINDS)
async def test_only_tiers_with_the_feature_export(serve: Serve, news: str, kind: str) -> None:
    premium, vantage = await made_key(news, "premium"), await made_key(news, "vantage")
    async with serve(news) as client:
        for headers in ({}, bearer(premium)):
            told = problem(await client.get(f"/v1/export/{kind}", headers=headers), 403, "UPGRADE_REQUIRED")
            assert (told["feature"], told["tier"]) == ("EXPORT", "vantage")
        assert (await client.get(f"/v1/export/{kind}", headers=bearer(vantage))).status_code == 200


async def test_each_page_is_charged(serve: Serve, news: str) -> None:
    headers = bearer(await made_key(news, "vantage"))
    async with serve(news) as client:
        await client.get("/v1/export/articles.ndjson", headers=headers)
        query = "{ viewer { usage(days: 1) { requestCount cost } } }"
        day: dict[str, int] = {}
        for _ in range(100):
            viewer = answered(await client.post("/graphql", json={"query": query}, headers=headers))["viewer"]
            [day] = viewer["usage"] or [day]
            if day.get("requestCount") == 5:
                break
            await asyncio.sleep(0.1)
        assert day["requestCount"] == 5
        assert day["cost"] > 3 * COUNT


class Refusing:
    """Has the price of the third page refused, so often, as a spent allowance has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        charge, self.asked = Admission.charge, 0
        from service.errors import RateLimited

        async def refuse(admission: Admission, guest: Any, call: Any) -> Any:
            self.asked += 1
            if 3 <= self.asked < 3 + times:
                raise RateLimited("Spent.", retry_after=1)
            return await charge(admission, guest, call)

        monkeypatch.setattr(Admission, "charge", refuse)


async def test_an_export_waits_while_the_allowance_refills(
    open_to_all: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    Refusing(monkeypatch, 2)
    began = time.monotonic()
    found = lines((await open_to_all.get("/v1/export/articles.ndjson")).text)
    assert len(found) == COUNT
    assert time.monotonic() - began > 2


async def test_who_waits_too_long_is_cut_and_can_go_on(
    open_to_all: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PATIENCE", 1.0)
    Refusing(monkeypatch, 3)
    parts: list[str] = []
    async with open_to_all.stream("GET", "/v1/export/articles.ndjson") as response:
        with pytest.raises(httpx.RemoteProtocolError):
            await read_into(parts, response)
    monkeypatch.undo()
    found = lines("".join(parts))
    assert len(found) == 200  # two pages of the tier's
    rest = await open_to_all.get(f"/v1/export/articles.ndjson?after={found[-1]['cursor']}")
    assert len(found) + len(lines(rest.text)) == COUNT


async def test_so_many_at_a_time(serve: Serve, news: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Refusing(monkeypatch, 3)
    async with serve(news, allowances="off", granted_features="EXPORT", max_exports=1) as client:
        async with client.stream("GET", "/v1/export/articles.ndjson") as response:
            await anext(response.aiter_bytes())
            problem(await client.get("/v1/export/articles.ndjson"), 429, "RATE_LIMITED")
        # Who leaves while the next page is waited for gives way at once.
        async with asyncio.timeout(2):
            while (await client.get("/v1/export/stories.csv")).status_code != 200:
                await asyncio.sleep(0.05)


async def test_an_export_ends_when_the_server_does(serve: Serve, news: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Refusing(monkeypatch, 60)
    async with serve(news, allowances="off", granted_features="EXPORT") as client, asyncio.timeout(20):
        request = client.build_request("GET", "/v1/export/articles.ndjson")
        response = await client.send(request, stream=True)
        parts = response.aiter_bytes()
        await anext(parts)
        began = time.monotonic()
    assert time.monotonic() - began < 4


async def test_a_tier_with_small_pages_and_prices_gets_all(serve: Serve, news: str) -> None:
    conn = await asyncpg.connect(news)
    await conn.execute(
        "insert into tiers (name, rank, features, cost_per_minute, max_cost_per_request, max_page_size)"
        " values ('small', 25, '{EXPORT}', 1000000, 200, 100)"
    )
    await conn.close()
    headers = bearer(await made_key(news, "small"))
    async with serve(news) as client:
        assert len(lines((await client.get("/v1/export/articles.ndjson", headers=headers)).text)) == COUNT
