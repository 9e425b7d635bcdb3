"""What caches of clients have to know of the schema, as it is served."""

from __future__ import annotations

import httpx
import pytest

from service.clients.files import FOLDER

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("apollo.js", "text/javascript"),
        ("apollo.d.ts", "text/plain"),
        ("graphcache.js", "text/javascript"),
        ("graphcache.d.ts", "text/plain"),
    ],
)
async def test_a_file_for_a_client_is_served_as_it_was_written(
    client: httpx.AsyncClient, name: str, media_type: str
) -> None:
    response = await client.get(f"/clients/{name}")
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.content == (FOLDER / name).read_bytes()
    head = await client.head(f"/clients/{name}")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", response.headers["etag"])
    again = await client.get(f"/clients/{name}", headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/clients/nothing.js", "/clients/%2e%2e/schema.graphql", "/clients/", "/clients"])
async def test_nothing_else_is_served_there(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
