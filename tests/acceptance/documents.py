"""How tests ask for documents by their id, and what they look at in the answer."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from schema import schema
from service.documents import read_registered
from service.planner import Planner

REGISTERED = {each.name: each for each in read_registered(Planner(schema))}
FRONT_PAGE = REGISTERED["FrontPage"]
STRICT = {"accept": "application/graphql-response+json"}
UNKNOWN = "0" * 64


def apollo(document_id: Any, version: Any = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": document_id}}


async def post(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/graphql", json=body, headers=STRICT)


async def get(client: httpx.AsyncClient, **parameters: Any) -> httpx.Response:
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return await client.get("/graphql", params=shown, headers=STRICT)


WAYS = pytest.mark.parametrize("ask", [post, get])


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code)
    assert "data" not in response.json()
    assert response.headers["cache-control"] == "no-store"
    return error


def answered(response: httpx.Response) -> Any:
    assert response.status_code == 200
    assert "errors" not in response.json()
    return response.json()["data"]
