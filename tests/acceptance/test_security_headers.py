"""What browsers are told with every answer, and what is hidden where introspection is off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

PAGE = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}), ("/graphql", PAGE), ("/graphql?query={__typename}", {}), ("/graphql?query={", {}), ("/graphql", {}),
        ("/nothing", {}), ("/livez", {}), ("/readyz", {}), ("/schema.graphql", {}), ("/graphiql/explore.js", {}),
        ("/graphiql/nothing.js", {}), ("/graphql", {"accept": "image/png"}), ("/docs", {}), ("/docs/nothing", {}),
        ("/docs/manual.css", {}),
    ],
)  # fmt: skip
async def test_no_answer_is_taken_for_anything_else(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    response = await client.get(path, headers=headers)
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert "strict-transport-security" not in response.headers


@pytest.mark.parametrize("path", ["/", "/graphql", "/docs", "/docs/errors"])
async def test_a_page_can_neither_be_framed_nor_load_from_elsewhere_nor_tell_where_it_was(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path, headers=PAGE)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


async def test_browsers_are_told_to_come_by_tls_where_that_is_set(serve: Serve, newsless: str) -> None:
    async with serve(newsless, tls_only_seconds=31_536_000) as client:
        for path in ("/", "/graphql?query={__typename}", "/nothing"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("{ storys { nodes { id } } }", {}),
    ("{ stories { nodes { titel } } }", {}),
    ("{ stories(frist: 1) { nodes { id } } }", {}),
    ("{ stories(filter: {blindspt: LEFT}) { nodes { id } } }", {}),
    ("{ stories(filter: {blindspot: LEFTY}) { nodes { id } } }", {}),
    ("{ node(id: 1) { ... on Storey { id } } }", {}),
    ("{ stories @skp(if: true) { nodes { id } } }", {}),
    ("query($f: StoryFiltr) { stories(filter: $f) { nodes { id } } }", {}),
    ("query($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"blindspt": "LEFT"}}),
    ("query($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"blindspot": "LEFTY"}}),
    ("query($s: Side!) { stories(filter: {blindspot: $s}) { nodes { id } } }", {"s": "LEFTY"}),
    ("{ __schma { types { name } } }", {}),
]


@pytest.mark.parametrize(("query", "variables"), WRONG)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_introspection_no_error_tells_a_name(
    unlisted: httpx.AsyncClient, query: str, variables: dict[str, Any], method: str
) -> None:
    payload: dict[str, Any] = {"query": query, "variables": variables}
    if method == "GET":
        response = await unlisted.get("/graphql", params={"query": query, "variables": _json(variables)})
    else:
        response = await unlisted.post("/graphql", json=payload)
    errors = response.json()["errors"]
    assert errors
    assert "Did you mean" not in response.text
    told = query + _json(variables)
    for name in ("stories", "title", "first", "blindspot", "LEFT", "skip", "__schema"):
        quoted = (f"'{name}'", f'"{name}"')
        assert name in told or not any(form in error["message"] for form in quoted for error in errors)


@pytest.mark.parametrize(("query", "variables"), WRONG[:1] + WRONG[4:5] + WRONG[9:10])
async def test_with_introspection_errors_suggest(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any]
) -> None:
    assert "Did you mean" in (await client.post("/graphql", json={"query": query, "variables": variables})).text


async def test_without_introspection_neither_schema_nor_sdl_is_told_and_typename_is(
    unlisted: httpx.AsyncClient,
) -> None:
    for query in ("{ __schema { queryType { name } } }", '{ __type(name: "Story") { name } }'):
        response = await unlisted.get("/graphql", params={"query": query})
        assert "data" not in response.json()
        assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    for path in ("/schema.graphql", "/schema.graphql/"):
        response = await unlisted.get(path)
        assert response.status_code == 404
        assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    known = await unlisted.get("/graphql", params={"query": "{ __typename stories { __typename } }"})
    assert known.json()["data"] == {"__typename": "Query", "stories": {"__typename": "StoryConnection"}}


@pytest.fixture(scope="module")
async def unlisted(serve: Serve, newsless: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service without introspection."""
    async with serve(newsless, introspection=False) as client:
        yield client


def _json(variables: dict[str, Any]) -> str:
    return json.dumps(variables)
