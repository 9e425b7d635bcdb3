"""Methods, statuses, errors and headers of `/graphql`."""

from __future__ import annotations

import asyncio
import gc
import re
from typing import Any

import httpx
import pytest

from service.errors import ResponseTooLarge
from service.events import Event, RequestFailed
from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

RESPONSE_JSON = "application/graphql-response+json"
BOTH = pytest.mark.parametrize("accept", ["application/json", RESPONSE_JSON])


async def ask(
    client: httpx.AsyncClient, query: str, accept: str = RESPONSE_JSON, variables: dict[str, Any] | None = None
) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, "variables": variables}, headers={"accept": accept})


def codes_of(response: httpx.Response) -> list[str]:
    answer = response.json()
    assert set(answer) == {"errors"}
    assert {error["extensions"]["requestId"] for error in answer["errors"]} == {response.headers["x-request-id"]}
    return [error["extensions"]["code"] for error in answer["errors"]]


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
async def test_both_spellings_of_the_path_answer_both_methods(client: httpx.AsyncClient, path: str) -> None:
    expected = {"data": {"__typename": "Query"}, "extensions": {"cost": {"requested": 0}}}
    assert (await client.post(path, json={"query": "{ __typename }"})).json() == expected
    assert (await client.get(path, params={"query": "{ __typename }"})).json() == expected


async def test_what_sql_answers_and_what_it_does_not_come_in_the_order_asked_for(client: httpx.AsyncClient) -> None:
    query = """
        query A($n: Int!) {
          a: service { storyCount }
          stories(first: $n) { nodes { id } }
          s: service { ruleVersion }
          __typename
        }
    """
    response = await ask(client, query, variables={"n": 1})
    assert response.text == (
        '{"data":{"a":{"storyCount":0},"stories":{"nodes":[]},"s":{"ruleVersion":"1"},"__typename":"Query"},'
        '"extensions":{"cost":{"requested":1}}}'
    )


async def test_the_service_tells_of_a_database_without_news(client: httpx.AsyncClient) -> None:
    query = "{ service { ruleVersion dataThrough storyCount articleCount outletCount } }"
    assert (await ask(client, query)).json()["data"]["service"] == {
        "ruleVersion": "1",
        "dataThrough": None,
        "storyCount": 0,
        "articleCount": 0,
        "outletCount": 0,
    }


@BOTH
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ a(: }", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ stories { nodes } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...Nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ... @defer { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { change }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changed }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A($n: Int!) { stories(first: $n) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ stories(first: -1) { nodes { id } } }", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_run_is_400_or_200_by_media_type(
    client: httpx.AsyncClient, query: str, code: str, accept: str
) -> None:
    response = await ask(client, query, accept)
    assert response.status_code == (400 if accept == RESPONSE_JSON else 200)
    assert set(codes_of(response)) == {code}


async def test_every_finding_of_validation_is_told_with_its_place(client: httpx.AsyncClient) -> None:
    response = await ask(client, "{\n  one\n  two\n}")
    assert codes_of(response) == ["GRAPHQL_VALIDATION_FAILED"] * 2
    assert [error["locations"] for error in response.json()["errors"]] == [
        [{"line": 2, "column": 3}],
        [{"line": 3, "column": 3}],
    ]


@BOTH
@pytest.mark.parametrize(
    "query",
    ["mutation { change }", "subscription { changed }", "query A { __typename } mutation B { change }"],
)
async def test_only_queries_run_by_get(client: httpx.AsyncClient, query: str, accept: str) -> None:
    response = await client.get("/graphql", params={"query": query}, headers={"accept": accept})
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]
    assert codes_of(response) == ["METHOD_NOT_ALLOWED"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "SEARCH"])
async def test_other_methods_are_not_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql", params={"query": "{ __typename }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_head_answers_as_get_without_a_body(client: httpx.AsyncClient) -> None:
    got = await client.get("/graphql", params={"query": "{ __typename }"})
    headed = await client.head("/graphql", params={"query": "{ __typename }"})
    assert headed.status_code == 200
    assert headed.content == b""
    assert headed.headers["content-length"] == got.headers["content-length"]


async def test_options_tells_the_methods(client: httpx.AsyncClient) -> None:
    response = await client.options("/graphql")
    assert response.status_code == 204
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_request_id_that_is_given_comes_back(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{"}, headers={"x-request-id": "edge-1/abc.DEF:7"})
    assert response.headers["x-request-id"] == "edge-1/abc.DEF:7"
    assert codes_of(response) == ["GRAPHQL_PARSE_FAILED"]


@pytest.mark.parametrize("given", ["", "a b", "<script>", "x" * 129, "é", '"'])
async def test_a_request_id_that_will_not_do_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    response = await client.post("/graphql", json={"query": "{ a }"}, headers={b"x-request-id": given.encode()})
    assert re.fullmatch(r"[0-9a-f]{24}", response.headers["x-request-id"])


async def test_requests_have_ids_of_their_own(client: httpx.AsyncClient) -> None:
    ids = {(await ask(client, "{ __typename }")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


@BOTH
async def test_a_response_that_grows_too_large_is_refused(serve: Serve, newsless: str, accept: str) -> None:
    async with serve(newsless, max_response_bytes=500) as client:
        assert (await ask(client, "{ __typename }", accept)).status_code == 200
        response = await ask(client, "{ __schema { types { name description } } }", accept)
        assert response.status_code == 500
        assert codes_of(response) == ["RESPONSE_TOO_LARGE"]
        assert "500 bytes" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("in_parts", [False, True])  # a request that comes whole is answered in another way
@pytest.mark.parametrize("cache_bytes", [0, 1_000_000])
async def test_what_was_refused_does_not_stay_until_python_looks_for_it(
    serve: Serve,
    newsless: str,
    cache_bytes: int,
    in_parts: bool,  # noqa: FBT001
) -> None:
    async def refused(client: httpx.AsyncClient) -> None:
        url = client.base_url
        head = f"GET /graphql?query=%7Bstories%7BpageInfo%7BhasNextPage%7D%7D%7D HTTP/1.1\r\nHost: {url.host}\r\n"
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for part in (head, "\r\n") if not in_parts else (head + "Content-Length: 1\r\n\r\n", "x"):
            writer.write(part.encode())
            await asyncio.sleep(0.01)
        assert b" 500 " in await reader.readline()
        assert b"RESPONSE_TOO_LARGE" in await reader.read(10_000)
        writer.close()
        await writer.wait_closed()

    async with serve(newsless, max_response_bytes=20, cache_bytes=cache_bytes) as client:
        await refused(client)  # the first one is new, and read by the usual way
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await refused(client)
            await asyncio.sleep(0.1)
            assert not [each for each in gc.get_objects() if isinstance(each, ResponseTooLarge)]
        finally:
            gc.enable()


@BOTH
async def test_what_was_not_foreseen_is_internal_and_tells_nothing(
    serve: Serve, empty_database: str, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.planner import Planner

    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the house")

    events: list[Event] = []
    monkeypatch.setattr(Planner, "plan", fail)
    async with serve(empty_database, events.append) as client:
        response = await ask(client, "{ __typename }", accept)
    assert response.status_code == 500
    assert codes_of(response) == ["INTERNAL"]
    assert "secret" not in response.text
    (failed,) = [event for event in events if isinstance(event, RequestFailed)]
    assert failed.request_id == response.headers["x-request-id"]
    assert isinstance(failed.error, RuntimeError)


async def test_introspection_can_be_switched_off_and_suggestions_with_it(serve: Serve, newsless: str) -> None:
    async with serve(newsless, introspection=False) as client:
        response = await ask(client, "{ __schema { queryType { name } } }")
        assert response.status_code == 400
        assert set(codes_of(response)) == {"GRAPHQL_VALIDATION_FAILED"}
        assert "Did you mean" not in (await ask(client, "{ storys { nodes { id } } }")).text
        assert (await ask(client, "{ __typename }")).status_code == 200
        assert [(await client.get(path)).status_code for path in ("/schema.graphql", "/clients/apollo.js")] == [
            404,
            404,
        ]


async def test_introspection_is_answered(client: httpx.AsyncClient) -> None:
    from graphql import build_client_schema, get_introspection_query, print_schema

    response = await ask(client, get_introspection_query(descriptions=True, input_value_deprecation=True))
    assert "type Story implements Node" in print_schema(build_client_schema(response.json()["data"]))


async def test_nobody_waits_while_another_reads_the_schema(client: httpx.AsyncClient) -> None:
    from graphql import get_introspection_query

    whole = get_introspection_query().partition("{")[2].partition("fragment FullType")
    schema = whole[0].rstrip().removesuffix("}")
    query = "{" + "".join(f"a{number}: {schema.strip()}\n" for number in range(4)) + "} fragment FullType" + whole[2]
    reading = asyncio.gather(*(ask(client, query) for _ in range(3)))
    answered = 0
    while not reading.done():
        assert (await ask(client, "{ __typename }")).status_code == 200
        answered += 1
    assert answered > 2
    assert not any("errors" in response.json() for response in await reading)


@pytest.mark.parametrize(
    "query",
    [
        "#\n" * 30_000 + "{ __typename }",
        '{ story(by: {slug: "' + "x" * 99_000 + '"}) { id } }',
        "{ __schema " + "{ types { fields { type " * 40 + "{ name }" + "} } } " * 40 + "}",
    ],
)
async def test_documents_that_are_all_weight_end_in_an_answer(client: httpx.AsyncClient, query: str) -> None:
    response = await ask(client, query)
    assert response.status_code in {200, 400}
    if response.status_code == 400:
        assert codes_of(response)[0].startswith("GRAPHQL_")


async def test_many_callers_at_once_each_get_their_own_answer(client: httpx.AsyncClient) -> None:
    async def one(number: int) -> None:
        response = await ask(client, f"{{ a{number}: __typename }}")
        assert response.json()["data"] == {f"a{number}": "Query"}

    await asyncio.gather(*(one(number) for number in range(100)))
