"""All the ways by which an operation travels. Each gives every byte that came back, headers too."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from tests.acceptance.keyed import bearer
from tests.acceptance.test_websocket import heard, opened, tell


@dataclass(frozen=True)
class Asked:
    """An operation as a client has it."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def body(self) -> dict[str, Any]:
        return {"query": self.query, "variables": dict(self.variables)}

    @property
    def hash(self) -> dict[str, Any]:
        return {"persistedQuery": {"version": 1, "sha256Hash": sha256(self.query.encode()).hexdigest()}}


@dataclass(frozen=True)
class Reply:
    """What came back: all of it as text, the results it holds, and the status where there is one."""

    text: str
    results: list[dict[str, Any]]
    status: int = 200

    @property
    def refusal(self) -> dict[str, Any]:
        """The extensions of its only error; nothing else has come."""
        (result,) = self.results
        assert set(result) == {"errors"}
        (error,) = result["errors"]
        return error["extensions"]


Channel = Callable[[httpx.AsyncClient, str | None, Asked], Awaitable[Reply]]


async def by_post(client: httpx.AsyncClient, key: str | None, asked: Asked) -> Reply:
    return await _strict(client, key, "POST", json=asked.body)


async def by_get(client: httpx.AsyncClient, key: str | None, asked: Asked) -> Reply:
    params = {"query": asked.query, "variables": json.dumps(asked.variables)}
    return await _strict(client, key, "GET", params=params)


async def by_hash(client: httpx.AsyncClient, key: str | None, asked: Asked) -> Reply:
    """By its hash alone, as somebody else has made it known."""
    await _strict(client, key, "POST", json={"query": asked.query, "variables": {}, "extensions": asked.hash})
    return await _strict(client, key, "POST", json={"variables": asked.variables, "extensions": asked.hash})


async def by_events(client: httpx.AsyncClient, key: str | None, asked: Asked) -> Reply:
    """As server-sent events: until the first, of a subscription, or the end."""
    headers = {"accept": "text/event-stream", **bearer(key)}
    lines: list[str] = []
    async with client.stream("POST", "/graphql", json=asked.body, headers=headers) as response:
        async for line in response.aiter_lines():
            lines.append(line)
            if line.startswith("data: {") or not response.headers["content-type"].startswith("text/event-stream"):
                break
    text = "\n".join((*(f"{name}: {value}" for name, value in response.headers.items()), *lines))
    return Reply(text, [json.loads(line.removeprefix("data: ")) for line in lines if "{" in line], response.status_code)


async def by_socket(client: httpx.AsyncClient, key: str | None, asked: Asked) -> Reply:
    """By WebSocket: the first message."""
    async with opened(client, greet=False) as socket:
        await tell(socket, type="connection_init", payload=bearer(key))
        assert (await heard(socket))["type"] == "connection_ack"
        await tell(socket, id="1", type="subscribe", payload=asked.body)
        message = await heard(socket)
    payload = message["payload"]
    return Reply(json.dumps(message), [payload if message["type"] == "next" else {"errors": payload}])


QUERIES: tuple[Channel, ...] = (by_post, by_get, by_hash, by_events, by_socket)
SUBSCRIPTIONS: tuple[Channel, ...] = (by_events, by_socket)


async def _strict(client: httpx.AsyncClient, key: str | None, method: str, **rest: Any) -> Reply:
    headers = {"accept": "application/graphql-response+json", **bearer(key)}
    response = await client.request(method, "/graphql", headers=headers, **rest)
    shown = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return Reply(f"{shown}\n{response.text}", [response.json()], response.status_code)
