"""Bodies and query strings that are no GraphQL request, and those that are too large or too slow."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

QUERY = b'{"query":"{ __typename }"}'
BOTH = pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])


def errors_of(response: httpx.Response) -> list[dict[str, Any]]:
    answer = response.json()
    assert "data" not in answer
    return answer["errors"]


def code_of(response: httpx.Response) -> str:
    (error,) = errors_of(response)
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return error["extensions"]["code"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=name)
        for name, body in {
            "number": b"123",
            "string": b'"x"',
            "null": b"null",
            "empty array": b"[]",
            "batch": b"[" + QUERY + b"," + QUERY + b"]",
            "empty object": b"{}",
            "empty": b"",
            "not json": b"{query}",
            "cut off": b'{"query":"{ __typename }"',
            "nested arrays": b'{"query":"{ __typename }","variables":{"a":' + b"[" * 45_000 + b"]" * 45_000 + b"}}",
            "nested arrays without an end": b"[" * 99_000,
            "nested objects": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
            "integer of 5,000 digits": b'{"query":"{ __typename }","variables":{"a":' + b"9" * 5_000 + b"}}",
            "NaN": b'{"query":"{ __typename }","variables":{"a":NaN}}',
            "infinity": b'{"query":"{ __typename }","variables":{"a":Infinity}}',
            "1e400": b'{"query":"{ __typename }","variables":{"a":1e400}}',
            "duplicate keys": b'{"query":"{ __typename }","query":"{ a: __typename }"}',
            "duplicate keys, one escaped": b'{"query":"{ __typename }","qu\\u0065ry":"{ a: __typename }"}',
            "duplicate keys within": b'{"query":"{ __typename }","variables":{"a":[{"b":1,"b" : 1}]}}',
            "utf-16": '{"query":"{ __typename }"}'.encode("utf-16"),
            "byte order mark": b"\xef\xbb\xbf" + QUERY,
            "invalid utf-8": b'{"query":"{ __typename }\xff"}',
            "lone surrogate": b'{"query":"{ __typename }","variables":{"a":"\\ud800"}}',
            "surrogate in utf-8": b'{"query":"{ __typename }","variables":{"a":"\xed\xa0\x80"}}',
            "nul": b'{"query":"{ __typename }\\u0000"}',
            "nul in a variable": b'{"query":"{ __typename }","variables":{"a":["\\u0000"]}}',
            "nul in a key": b'{"query":"{ __typename }","variables":{"\\u0000":1}}',
            "nul byte": b'{"query":"{ __typename }\x00"}',
            "query of null": b'{"query":null}',
            "query of nothing": b'{"query":""}',
            "query of a number": b'{"query":1}',
            "query of an array": b'{"query":["{ __typename }"]}',
            "operation name of a number": b'{"query":"{ __typename }","operationName":1}',
            "operation name of an object": b'{"query":"{ __typename }","operationName":{}}',
            "variables of a string": b'{"query":"{ __typename }","variables":"{}"}',
            "variables of an array": b'{"query":"{ __typename }","variables":[]}',
            "variables of a number": b'{"query":"{ __typename }","variables":0}',
            "extensions of a string": b'{"query":"{ __typename }","extensions":"{}"}',
            "extensions of an array": b'{"query":"{ __typename }","extensions":[]}',
            "extensions of false": b'{"query":"{ __typename }","extensions":false}',
            "unknown operation": b'{"query":"query A { __typename }","operationName":"B"}',
            "no operation named": b'{"query":"query A { __typename } query B { __typename }"}',
        }.items()
    ],
)
@BOTH
async def test_what_is_no_request_is_a_bad_request(client: httpx.AsyncClient, body: bytes, accept: str) -> None:
    response = await client.post(
        "/graphql", content=body, headers={"content-type": "application/json", "accept": accept}
    )
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(accept)
    assert code_of(response) == "BAD_REQUEST"


async def test_a_batch_is_told_what_to_do_instead(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=[{"query": "{ __typename }"}])
    assert "send each operation in a request of its own" in errors_of(response)[0]["message"]


@pytest.mark.parametrize(
    "payload",
    [
        {"query": "{ __typename }", "operationName": None, "variables": None, "extensions": None},
        {"query": "{ __typename }", "operationName": "", "variables": {}, "extensions": {}},
        {"query": "{ __typename }", "variables": {"unused": 'a quote " : in a value'}, "extensions": {"a": 1}},
        {"query": "query A { __typename } query B { b: __typename }", "operationName": "A", "more": True},
    ],
)
async def test_what_is_optional_may_be_null_empty_or_unused(client: httpx.AsyncClient, payload: dict[str, Any]) -> None:
    response = await client.post("/graphql", json=payload)
    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "variables": "[]"},
        {"query": "{ __typename }", "variables": '"x"'},
        {"query": "{ __typename }", "variables": '{"a":1,"a":2}'},
        {"query": "{ __typename }", "extensions": "1"},
        {"query": "{ __typename }", "operationName": "Missing"},
        {"query": ["{ __typename }", "{ a: __typename }"]},
        {"query": "{ __typename }\0"},
        {f"p{n}": "x" for n in range(100)},
    ],
)
@BOTH
async def test_a_query_string_that_is_no_request_is_a_bad_request(
    client: httpx.AsyncClient, parameters: dict[str, Any], accept: str
) -> None:
    response = await client.get("/graphql", params=parameters, headers={"accept": accept})
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize("query_string", ["query=%ff", "query=%ed%a0%80", "query=%7B__typename%7D&variables=%ff"])
async def test_a_query_string_is_utf_8(client: httpx.AsyncClient, query_string: str) -> None:
    response = await client.get(f"/graphql?{query_string}")
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


async def test_variables_in_a_query_string_are_json(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/graphql",
        params={
            "query": "query A($yes: Boolean!) { __typename @include(if: $yes) a: __typename }",
            "variables": '{"yes": false}',
            "operationName": "A",
            "extensions": "{}",
        },
    )
    assert response.json()["data"] == {"a": "Query"}


async def test_a_large_body_is_refused_by_its_declared_length(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", content=b" " * 100_001, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert response.headers["connection"] == "close"
    assert code_of(response) == "REQUEST_TOO_LARGE"


async def test_the_largest_body_is_read(client: httpx.AsyncClient) -> None:
    body = QUERY + b" " * (100_000 - len(QUERY))
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200


async def test_a_body_without_length_is_refused_while_it_streams(client: httpx.AsyncClient) -> None:
    answer, sent = await _post_slowly(client, [b" " * 1_000] * 1_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"REQUEST_TOO_LARGE" in answer
    assert sent < 1_000_000


async def test_a_slow_body_is_refused_in_time(serve: Serve, newsless: str) -> None:
    async with serve(newsless, body_timeout=0.3) as client:
        answer, _ = await _post_slowly(client, [b" "] * 50, pause=0.05)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"REQUEST_TIMEOUT" in answer


async def test_a_caller_who_leaves_in_the_middle_of_a_body_disturbs_nobody(client: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert await reader.read() == b""
    response = await client.post("/graphql", content=QUERY, headers={"content-type": "application/json"})
    assert response.status_code == 200


async def test_a_long_query_string_is_refused(serve: Serve, newsless: str) -> None:
    async with serve(newsless, max_body_bytes=1_000) as client:
        response = await client.get("/graphql", params={"query": "{ __typename }" + " " * 1_000})
        assert response.status_code == 413
        assert code_of(response) == "REQUEST_TOO_LARGE"


async def _post_slowly(client: httpx.AsyncClient, parts: list[bytes], pause: float = 0.0) -> tuple[bytes, int]:
    """Posts chunks until an answer comes: the answer, and how many bytes of the body were sent by then."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answering = asyncio.create_task(reader.readuntil(b"}]}"))
    sent = 0
    while parts and not answering.done():
        part = parts.pop()
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        await writer.drain()
        sent += len(part)
        await asyncio.sleep(pause)
    answer = await asyncio.wait_for(answering, 10)
    writer.close()
    return answer, sent
