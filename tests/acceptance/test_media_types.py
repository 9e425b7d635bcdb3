"""What an answer is in, and what a body may be in."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.any_engine

RESPONSE_JSON = "application/graphql-response+json; charset=utf-8"
JSON = "application/json; charset=utf-8"
QUERY = {"query": "{ __typename }"}


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/graphql-response+json", RESPONSE_JSON),
        ("application/graphql-response+json, application/json;q=0.9", RESPONSE_JSON),
        ("application/graphql-response+json;q=0.5, application/json;q=0.9", JSON),
        ("APPLICATION/GraphQL-Response+JSON", RESPONSE_JSON),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("nonsense, */*", JSON),
    ],
)
async def test_the_answer_comes_in_the_type_that_was_asked_for(
    client: httpx.AsyncClient, accept: str | None, given: str
) -> None:
    request = client.build_request("POST", "/graphql", json=QUERY)
    request.headers.pop("accept")
    if accept is not None:
        request.headers["accept"] = accept
    response = await client.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == given
    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/png",
        "text/event-stream;q=0",
        "application/json;q=0",
        "application/json;q=0, */*",
        "application/json;q=2",
        "application/json;q=x",
        "application/graphql-response+jsonx",
        ", ".join(["image/png"] * 500),
    ],
)
async def test_what_cannot_be_answered_in_is_not_acceptable(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"accept": accept})
    assert response.status_code == 406
    assert response.headers["content-type"] == JSON
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", 'APPLICATION/JSON;charset="utf-8"']
)
async def test_json_in_utf_8_is_read(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/graphql", content=b'{"query":"{ __typename }"}', headers={"content-type": kind})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/jsonx",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json, text/plain",
        "",
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_other_bodies_are_of_an_unsupported_media_type(
    client: httpx.AsyncClient, kind: str | None, accept: str
) -> None:
    headers = {"accept": accept} | ({"content-type": kind} if kind is not None else {})
    response = await client.post("/graphql", content=b'{"query":"{ __typename }"}', headers=headers)
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
