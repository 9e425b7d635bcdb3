"""A request that comes whole goes a shorter way than one that comes in parts, and is answered the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import pytest

from service.http.at_hand import AtHand
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key
from tests.databases import database

pytestmark = pytest.mark.any_engine

OWN = ("date", "x-request-id", "server-timing", "age", "ratelimit")
"""Headers by whose values two answers to the same request differ."""
LIST = "query($first: Int = 3) { stories(first: $first) { nodes { title coverage { outletCount } } } }"
KIND = {"content-type": "application/json"}
KEY = "a key that is there"

# What is asked by POST; its headers beside `KIND`.
POSTED: Mapping[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a list": ({"query": LIST}, {}),
    "with variables": ({"query": LIST, "variables": {"first": 2}}, {}),
    "compressed": ({"query": LIST, "variables": {"first": 50}}, {"accept-encoding": "br, gzip"}),
    "as a GraphQL response": ({"query": LIST}, {"accept": "application/graphql-response+json"}),
    "from another site": ({"query": LIST}, {"origin": "https://front.example"}),
    "with an id": ({"query": LIST}, {"x-request-id": "mine"}),
    "with a key": ({"query": LIST}, {"authorization": f"Bearer {KEY}"}),
    "with a key that is none": ({"query": LIST}, {"authorization": "Bearer plx_nothing"}),
    "a page that is too large": ({"query": LIST, "variables": {"first": 5_000}}, {}),
    "a variable of another type": ({"query": LIST, "variables": {"first": "x"}}, {}),
    "a variable that is missing": ({"query": "query($id: ID!) { story(by: {id: $id}) { title } }"}, {}),
    "a field that is not there": ({"query": "{ stories { nope } }"}, {}),
    "no GraphQL": ({"query": "{"}, {}),
    "nothing": ({}, {}),
    "an unknown document": ({"documentId": "sha256:" + "0" * 64}, {}),
    "another operation": ({"query": LIST, "operationName": "Other"}, {}),
    "a cursor that is none": ({"query": '{ stories(after: "x") { nodes { title } } }'}, {}),
    "what is withheld": ({"query": "{ outlets(first: 1) { nodes { ownership { __typename } } } }"}, {}),
    "the caller": ({"query": "{ viewer { tier { name } } }"}, {}),
    "the schema": ({"query": "{ __schema { queryType { name } } }"}, {}),
    "a name alone": ({"query": "{ __typename }"}, {}),
    "nobody": ({"query": '{ story(by: {slug: "nobody"}) { title } }'}, {}),
    "a subscription": ({"query": "subscription { storyChanged { cursor } }"}, {}),
    "what the database refuses": ({"query": '{ stories(filter: {search: "\\ud800"}) { nodes { title } } }'}, {}),
}
GOT: Mapping[str, dict[str, str]] = {
    "a list, by GET": {"query": "{ stories(first: 1) { nodes { slug } } }"},
    "a mutation, by GET": {"query": "mutation { a }"},
    "no GraphQL, by GET": {"query": "{"},
    "nothing, by GET": {},
}
LONGER = {
    "with a key that is none", "a page that is too large", "a variable of another type", "a variable that is missing",
    "a field that is not there", "no GraphQL", "nothing", "an unknown document", "another operation",
    "a cursor that is none", "the caller", "the schema", "a name alone", "a subscription", "what the database refuses",
    "a mutation, by GET", "no GraphQL, by GET", "nothing, by GET", "of another type", "of a type that none accepts",
}  # fmt: skip
"""Those that are left to the longer way however they come: nobody has to hurry for who is refused."""


def request_of(method: str, target: str, headers: Mapping[str, str], body: bytes = b"x") -> tuple[bytes, bytes]:
    """Its head and its body: a GET has one too, at which nobody looks, so that it can come after its head."""
    given = {"host": "api.example", **headers, "content-length": f"{len(body)}"}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {of}" for name, of in given.items()), "", ""]
    return "\r\n".join(lines).encode(), body


REQUESTS = {
    **{
        name: request_of("POST", "/graphql", {**KIND, **headers}, json.dumps(sent).encode())
        for name, (sent, headers) in POSTED.items()
    },
    **{name: request_of("GET", f"/graphql?{urlencode(sent)}", {}) for name, sent in GOT.items()},
    "of another type": request_of("POST", "/graphql", {"content-type": "text/plain"}, b"{}"),
    "of a type that none accepts": request_of("POST", "/graphql", {**KIND, "accept": "image/png"}, b"{}"),
}


class Met:
    """What a service was asked at hand: whether it gave anything."""

    def __init__(self, client: httpx.AsyncClient, key: str, given: list[bool]) -> None:
        self._client = client
        self._key = key
        self.given = given

    async def answer(self, head: bytes, body: bytes, *, whole: bool) -> tuple[str, dict[str, str], bytes]:
        """The first line, the headers and the body of an answer, but for what is its own."""
        head = head.replace(KEY.encode(), self._key.encode())
        url = self._client.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        try:
            for part in (head + body,) if whole else (head, body):
                writer.write(part)
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
                headers = dict(each.split(": ", 1) for each in lines)
                told = await reader.readexactly(int(headers["content-length"]))
        finally:
            writer.close()
            await writer.wait_closed()
        same = {name: "" if name in OWN else of for name, of in headers.items()}
        return line, same, told.replace(headers["x-request-id"].encode(), b"")


@pytest.fixture(scope="module", params=[0, 1_000_000], ids=["made", "kept"])
async def met(request: pytest.FixtureRequest, serve: Serve, server_dsn: str, demo_template: str) -> AsyncIterator[Met]:
    given: list[bool] = []
    at_hand = AtHand.__call__

    def noted(self: AtHand, scope: Any, body: bytes) -> Any:
        found = at_hand(self, scope, body)
        given.append(found is not None)
        return found

    async with database(server_dsn, demo_template) as dsn:
        conn = await asyncpg.connect(dsn)
        key = await add_key(conn, "free")
        await conn.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AtHand, "__call__", noted)
            settings = {"cache_list_seconds": 60, "allowed_origins": ["https://front.example"]}
            async with serve(dsn, cache_bytes=request.param, **settings) as client:
                yield Met(client, key, given)


@pytest.mark.parametrize("name", REQUESTS)
async def test_it_is_answered_as_one_that_comes_in_parts(met: Met, name: str) -> None:
    head, body = REQUESTS[name]
    met.given.clear()
    await met.answer(head, body, whole=False)  # what is new is read by the longer way, and may be kept from then on
    in_parts = await met.answer(head, body, whole=False)
    assert not met.given
    assert await met.answer(head, body, whole=True) == in_parts
    assert met.given == [name not in LONGER]
