"""Whose address a request has that comes by way of a proxy."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

DEAR = "{ stories(first: 40) { nodes { articles(first: 40) { nodes { title } } } } }"
"""Costs more than an allowance gets back while the next request is on its way."""


async def left(client: httpx.AsyncClient, *forwarded: str) -> int:
    """What is left to the address after one more operation that came with these headers `X-Forwarded-For`."""
    headers = [("x-forwarded-for", value) for value in forwarded]
    response = await client.post("/graphql", json={"query": DEAR}, headers=headers)
    assert response.status_code == 200
    found = re.search(r"r=([0-9]+)", response.headers["ratelimit"])
    assert found
    return int(found[1])


async def test_each_caller_behind_a_trusted_proxy_has_an_allowance_of_their_own(serve: Serve, newsless: str) -> None:
    async with serve(newsless, trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as client:
        full = await left(client, "203.0.113.1")
        assert await left(client, "203.0.113.1") < full
        assert await left(client, "203.0.113.2") == full
        assert await left(client, "203.0.113.3, 10.1.2.3") == full
        assert await left(client, "203.0.113.3") < full


async def test_what_a_caller_claims_before_a_trusted_proxy_counts_for_nothing(serve: Serve, newsless: str) -> None:
    async with serve(newsless, trusted_proxies="127.0.0.1/32") as client:
        full = await left(client, "203.0.113.1")
        assert await left(client, "198.51.100.9, 203.0.113.1") < full
        assert await left(client, "198.51.100.10", "203.0.113.1") < full


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8"])
async def test_nobody_else_is_believed(serve: Serve, newsless: str, trusted: str) -> None:
    async with serve(newsless, trusted_proxies=trusted) as client:
        full = await left(client, "203.0.113.1")
        assert await left(client, "203.0.113.2") < full
