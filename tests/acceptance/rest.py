"""How tests ask by REST, and by GraphQL for the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from tests.acceptance.documents import REGISTERED, answered

ROUTED = {name: each for name, each in REGISTERED.items() if each.route}
RECENT = (datetime.now(UTC) - timedelta(days=20)).isoformat(timespec="seconds").replace("+00:00", "Z")
PROBLEM = "application/problem+json"


def path_of(name: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path of a document, and the parameters beside it."""
    route = ROUTED[name].route
    assert route
    in_path = {each: variables[each] for each in route.parameters}
    return route.path.format(**in_path), {key: _text(v) for key, v in variables.items() if key not in in_path}


async def by_rest(client: httpx.AsyncClient, name: str, **variables: Any) -> httpx.Response:
    path, parameters = path_of(name, variables)
    return await client.get(path, params=parameters)


async def by_graphql(client: httpx.AsyncClient, name: str, under: Iterable[str] = (), **variables: Any) -> Any:
    """What a document answers by GraphQL, below these response keys."""
    body = {"documentId": REGISTERED[name].id, "variables": variables}
    found = answered(await client.post("/graphql", json=body))
    for key in under:
        found = found[key]
    return found


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a request was told."""
    assert response.headers["content-type"] == PROBLEM
    told = response.json()
    assert (response.status_code, told["status"], told["code"]) == (status, status, code)
    assert response.headers["cache-control"] == "no-store"
    assert told["requestId"] == response.headers["x-request-id"]
    return told


def wrong_with(answer: Any, document: Mapping[str, Any], path: str) -> list[str]:
    """Where an answer is other than the OpenAPI document says of a path, or has what it does not tell of."""
    steps = ["paths", path, "get", "responses", "200", "content", "application/json", "schema"]
    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    schema = {**_closed(document), "$ref": f"#/{pointer}"}
    validator: Any = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer)]


def _closed(schema: Any) -> Any:
    """The same without room for members that are not told of."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return schema
    closed: dict[str, Any] = {key: _closed(value) for key, value in schema.items()}  # pyright: ignore[reportUnknownVariableType]
    return {**closed, "additionalProperties": False} if "properties" in closed and "required" in closed else closed


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)  # pyright: ignore[reportUnknownArgumentType]
    return str(value).lower() if isinstance(value, bool) else str(value)
