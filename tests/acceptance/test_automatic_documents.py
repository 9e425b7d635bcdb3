"""Documents that Apollo's automatic protocol has the service keep, with Redis and without."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from service.documents import id_of
from service.redis import PATIENCE
from tests.acceptance.conftest import Serve
from tests.acceptance.documents import FRONT_PAGE, WAYS, answered, apollo, get, post, refused
from tests.redis_servers import URL, line_to_nowhere, line_to_redis, needs_redis, own_prefix


@WAYS
async def test_a_document_sent_once_is_known_by_its_hash(client: httpx.AsyncClient, ask: Any) -> None:
    query = f"query Once {{ __typename }} # {ask.__name__}"
    refused(await ask(client, extensions=apollo(id_of(query))), 400, "PERSISTED_QUERY_NOT_FOUND")
    answered(await ask(client, query=query, extensions=apollo(id_of(query))))
    assert answered(await ask(client, extensions=apollo(id_of(query)))) == {"__typename": "Query"}
    assert answered(await ask(client, documentId=id_of(query))) == {"__typename": "Query"}


async def test_a_document_sent_without_the_protocol_is_not_kept(client: httpx.AsyncClient) -> None:
    query = "query Plain { __typename }"
    answered(await post(client, query=query, documentId=id_of(query)))
    refused(await post(client, documentId=id_of(query)), 400, "PERSISTED_QUERY_NOT_FOUND")


async def test_more_documents_than_the_quota_drive_out_the_oldest(serve: Serve, newsless: str) -> None:
    queries = [f"query Q{number} {{ __typename }}" for number in range(40)]
    async with serve(newsless, kept_documents=10) as client:
        for query in queries:
            answered(await post(client, query=query, extensions=apollo(id_of(query))))
        known = [(await post(client, extensions=apollo(id_of(query)))).status_code for query in queries]
        assert known == [400] * 30 + [200] * 10


async def test_where_none_is_kept_documents_are_answered_all_the_same(serve: Serve, newsless: str) -> None:
    query = "{ __typename }"
    async with serve(newsless, kept_documents=0) as client:
        answered(await post(client, query=query, extensions=apollo(id_of(query))))
        refused(await post(client, extensions=apollo(id_of(query))), 400, "PERSISTED_QUERY_NOT_FOUND")
        answered(await post(client, documentId=FRONT_PAGE.id))


@needs_redis
async def test_what_is_sent_to_one_process_is_known_to_another(serve: Serve, newsless: str) -> None:
    query = "query Shared { __typename }"
    async with (
        own_prefix() as prefix,
        serve(newsless, redis_url=URL, redis_prefix=prefix) as one,
        serve(newsless, redis_url=URL, redis_prefix=prefix) as other,
        serve(newsless, redis_url=URL, redis_prefix=f"{prefix}-else") as stranger,
    ):
        answered(await post(one, query=query, extensions=apollo(id_of(query))))
        assert answered(await get(other, extensions=apollo(id_of(query)))) == {"__typename": "Query"}
        refused(await get(stranger, extensions=apollo(id_of(query))), 400, "PERSISTED_QUERY_NOT_FOUND")


async def speak_apollo(client: httpx.AsyncClient, name: str) -> float:
    """Goes through the protocol's steps; the longest that one took, in seconds."""
    query = f"query {name} {{ __typename }}"
    longest = 0.0
    for body, status in (
        ({"extensions": apollo(id_of(query))}, 400),
        ({"query": query, "extensions": apollo(id_of(query))}, 200),
        ({"extensions": apollo(id_of(query))}, 200),
    ):
        began = time.perf_counter()
        assert (await post(client, **body)).status_code == status
        longest = max(longest, time.perf_counter() - began)
    return longest


@needs_redis
async def test_a_redis_that_hangs_or_stops_fails_no_request_and_costs_its_time_at_most(
    serve: Serve, newsless: str
) -> None:
    async with (
        own_prefix() as prefix,
        line_to_redis() as line,
        serve(newsless, redis_url=line.url, redis_prefix=prefix) as client,
    ):
        await speak_apollo(client, "Before")
        line.hang()
        assert await speak_apollo(client, "Hanging") < PATIENCE + 0.2
        await line.cut()
        assert await speak_apollo(client, "Stopped") < PATIENCE + 0.2


@pytest.mark.parametrize("failure", ["silence", "refusal"])
async def test_a_redis_that_never_answered_fails_no_request(serve: Serve, newsless: str, failure: str) -> None:
    async with line_to_nowhere() as line:
        if failure == "refusal":
            await line.cut()
        async with serve(newsless, redis_url=line.url) as client:
            assert await speak_apollo(client, "Never") < PATIENCE + 0.2
