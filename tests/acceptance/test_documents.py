"""Documents asked for by their SHA-256: the registered ones, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.demo import WORKED_EXAMPLE_TITLE
from service.documents import id_of
from tests.acceptance.conftest import Serve
from tests.acceptance.documents import FRONT_PAGE, REGISTERED, UNKNOWN, WAYS, answered, apollo, get, post, refused


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service over the demo world, which keeps to itself what it is sent."""
    async with serve(demo_database) as client:
        yield client


@pytest.fixture(scope="module")
async def restricted(serve: Serve, newsless: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(newsless, registered_only=True) as client:
        yield client


# Registered documents ------------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("prefix", ["sha256:", ""])
async def test_a_registered_document_is_answered_by_its_id(client: httpx.AsyncClient, ask: Any, prefix: str) -> None:
    data = answered(await ask(client, documentId=prefix + FRONT_PAGE.id, variables={"first": 1}))
    assert data == {"stories": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}


@WAYS
async def test_a_registered_document_is_known_to_apollo_without_being_sent(client: httpx.AsyncClient, ask: Any) -> None:
    assert answered(await ask(client, extensions=apollo(FRONT_PAGE.id.upper())))["stories"]["nodes"] == []


@WAYS
async def test_a_text_beside_its_id_is_answered(client: httpx.AsyncClient, ask: Any) -> None:
    query = "{ __typename }"
    data = answered(await ask(client, query=query, documentId=id_of(query), extensions=apollo(id_of(query))))
    assert data == {"__typename": "Query"}


async def test_every_registered_document_is_answered_of_real_news(demo: httpx.AsyncClient) -> None:
    front = answered(await post(demo, documentId=FRONT_PAGE.id))["stories"]["nodes"]
    story = answered(await post(demo, documentId=REGISTERED["StoryPage"].id, variables={"slug": front[0]["slug"]}))
    outlet = story["story"]["articles"]["nodes"][0]["outlet"]["slug"]
    assert story["story"]["coverage"]["factuality"]["__typename"] == "UpgradeRequired"
    values: dict[str, Any] = {
        "outlet": outlet,
        "topic": story["story"]["topics"][0]["slug"],
        "place": story["story"]["places"][0]["slug"],
        "search": "strike",
        "domains": sorted({each["outlet"]["domain"] for each in story["story"]["articles"]["nodes"]})[:2],
    }
    for name, each in REGISTERED.items():
        if each.route or name.startswith(("Export", "Feed", "News")) or each.document.operations[name].kind != "query":
            continue  # tests of what they are for ask these
            continue
        values["slug"] = outlet if name == "OutletPage" else front[0]["slug"]
        values["published"] = {"after": front[-1]["lastPublishedAt"]}
        variables = {name: value for name, value in values.items() if f"${name}" in each.text}
        data = answered(await post(demo, documentId=each.id, variables=variables))
        assert next(iter(data.values())), name


@pytest.mark.parametrize(
    "variables",
    [{"sides": ["LEFT"]}, {"sort": "RIGHT_TO_LEFT"}, {"first": 3, "interval": "HOUR"}, {"sides": ["CENTER", "RIGHT"]}],
)
async def test_a_story_page_can_be_filtered_and_sorted(demo: httpx.AsyncClient, variables: dict[str, Any]) -> None:
    query = "{ stories(first: 1, sort: MOST_COVERED) { nodes { slug } } }"
    slug = answered(await post(demo, query=query))["stories"]["nodes"][0]["slug"]
    page = answered(await get(demo, documentId=REGISTERED["StoryPage"].id, variables={"slug": slug, **variables}))
    articles = page["story"]["articles"]
    if sides := variables.get("sides"):
        query = """query Total($slug: String!, $sides: [Side!]) {
          story(by: {slug: $slug}) { articles(filter: {sides: $sides}) { totalCount { value } } }
        }"""
        total = answered(await post(demo, query=query, variables={"slug": slug, "sides": sides}))
        assert articles["totalCount"]["value"] == total["story"]["articles"]["totalCount"]["value"] > 0
    assert len(articles["nodes"]) == min(variables.get("first", 24), articles["totalCount"]["value"])


async def worked_example(client: httpx.AsyncClient) -> Any:
    query = "query Slug($words: String!) { stories(filter: {search: $words}) { nodes { slug title } } }"
    found = answered(await post(client, query=query, variables={"words": WORKED_EXAMPLE_TITLE}))["stories"]["nodes"]
    (slug,) = (story["slug"] for story in found if story["title"] == WORKED_EXAMPLE_TITLE)
    return answered(await get(client, documentId=REGISTERED["StoryPage"].id, variables={"slug": slug}))["story"]


async def test_a_story_page_holds_all_that_a_reader_sees(demo: httpx.AsyncClient) -> None:
    story = await worked_example(demo)
    coverage, bias = story["coverage"], story["coverage"]["bias"]
    assert (coverage["articleCount"], coverage["outletCount"]) == (24, 24)
    assert [bias[side]["percent"] for side in ("left", "center", "right")] == [40, 20, 40]
    assert (bias["ratedCount"], bias["unratedCount"], coverage["blindspot"]) == (10, 14, None)
    assert coverage["factuality"]["feature"] == "FACTUALITY"
    assert story["perspectives"]["feature"] == "PERSPECTIVES"
    assert story["summary"]
    assert len(story["keyPoints"]) == 5
    articles = story["articles"]["nodes"]
    assert len(articles) == 24
    assert len({article["language"] for article in articles}) > 1
    assert story["firstArticle"]["publishedAt"] == min(article["publishedAt"] for article in articles)
    assert sum(bucket["articleCount"] for bucket in story["timeline"]) == 24


async def test_who_has_the_features_gets_the_whole_of_the_same_page(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, granted_features="FACTUALITY,OWNERSHIP,PERSPECTIVES") as client:
        story = await worked_example(client)
    coverage = story["coverage"]
    assert coverage["factuality"]["ratedCount"] + coverage["factuality"]["unratedCount"] == 24
    assert sum(category["share"]["count"] for category in coverage["ownership"]["categories"]) > 0
    assert story["perspectives"]["__typename"] == "PerspectiveList"


# What is refused -----------------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("asked", [{"documentId": UNKNOWN}, {"extensions": apollo(UNKNOWN)}])
async def test_an_unknown_id_is_told_as_clients_expect_it(client: httpx.AsyncClient, ask: Any, asked: Any) -> None:
    error = refused(await ask(client, **asked), 400, "PERSISTED_QUERY_NOT_FOUND")
    assert error["message"] == "PersistedQueryNotFound"
    lenient = await client.post("/graphql", json=asked)
    assert (lenient.status_code, lenient.headers["cache-control"]) == (200, "no-store")
    assert lenient.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


@WAYS
async def test_a_document_under_the_hash_of_another_is_refused_and_not_kept(
    client: httpx.AsyncClient, ask: Any
) -> None:
    wrong = id_of("{ __typename }  # another")
    refused(await ask(client, query="{ __typename }", extensions=apollo(wrong)), 400, "PERSISTED_QUERY_MISMATCH")
    refused(await ask(client, extensions=apollo(wrong)), 400, "PERSISTED_QUERY_NOT_FOUND")
    taken = await ask(client, query="{ __typename }", extensions=apollo(FRONT_PAGE.id))
    refused(taken, 400, "PERSISTED_QUERY_MISMATCH")
    assert "stories" in answered(await ask(client, documentId=FRONT_PAGE.id))


@WAYS
@pytest.mark.parametrize(("query", "code"), [("{ nothing }", "VALIDATION"), ("{", "PARSE")])
async def test_an_invalid_document_is_not_kept(client: httpx.AsyncClient, ask: Any, query: str, code: str) -> None:
    refused(await ask(client, query=query, extensions=apollo(id_of(query))), 400, f"GRAPHQL_{code}_FAILED")
    refused(await ask(client, extensions=apollo(id_of(query))), 400, "PERSISTED_QUERY_NOT_FOUND")


@WAYS
@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": "StoryPage"},
        {"documentId": ""},
        {"documentId": "sha256:"},
        {"documentId": "sha512:" + UNKNOWN},
        {"documentId": UNKNOWN[1:]},
        {"documentId": UNKNOWN + "\n"},
        {"documentId": "٣" * 64},
        {"extensions": apollo("")},
        {"extensions": apollo("sha256:" + UNKNOWN)},
        {"extensions": apollo(None)},
        {"extensions": apollo([UNKNOWN])},
        {"extensions": apollo(UNKNOWN, version=2)},
        {"extensions": apollo(UNKNOWN, version=True)},
        {"extensions": apollo(UNKNOWN, version="1")},
        {"extensions": apollo(UNKNOWN, version=None)},
        {"extensions": {"persistedQuery": {"sha256Hash": UNKNOWN}}},
        {"extensions": {"persistedQuery": UNKNOWN}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": False}},
        {"query": "{ __typename }", "documentId": UNKNOWN},
        {"documentId": FRONT_PAGE.id, "extensions": apollo(UNKNOWN)},
        {"query": ""},
    ],
)
async def test_what_names_no_document_is_refused(client: httpx.AsyncClient, ask: Any, asked: dict[str, Any]) -> None:
    refused(await ask(client, **asked), 400, "BAD_REQUEST")


@pytest.mark.parametrize("document_id", [1, True, [FRONT_PAGE.id], {}])
async def test_an_id_is_a_string(client: httpx.AsyncClient, document_id: Any) -> None:
    refused(await post(client, documentId=document_id), 400, "BAD_REQUEST")


async def test_an_extension_that_is_null_is_none(client: httpx.AsyncClient) -> None:
    body = {"query": "{ __typename }", "documentId": None, "extensions": {"persistedQuery": None}}
    assert answered(await post(client, **body)) == {"__typename": "Query"}


# Registered documents only -------------------------------------------------------------------------------------------


@WAYS
async def test_where_only_registered_documents_are_answered_any_other_is_refused(
    restricted: httpx.AsyncClient, ask: Any
) -> None:
    query = "{ __typename }"
    for extensions in ({}, apollo(id_of(query))):
        error = refused(await ask(restricted, query=query, extensions=extensions), 400, "PERSISTED_QUERY_REQUIRED")
        assert "documentId" in error["message"]
    refused(await ask(restricted, query="{", extensions={}), 400, "PERSISTED_QUERY_REQUIRED")
    refused(await ask(restricted, extensions=apollo(id_of(query))), 400, "PERSISTED_QUERY_NOT_FOUND")
    refused(await ask(restricted, query=query, extensions=apollo(UNKNOWN)), 400, "PERSISTED_QUERY_MISMATCH")


@WAYS
async def test_where_only_registered_documents_are_answered_these_are_in_every_form(
    restricted: httpx.AsyncClient, ask: Any
) -> None:
    for asked in (
        {"documentId": FRONT_PAGE.id},
        {"extensions": apollo(FRONT_PAGE.id)},
        {"query": FRONT_PAGE.text},
        {"query": FRONT_PAGE.text, "extensions": apollo(FRONT_PAGE.id)},
    ):
        assert answered(await ask(restricted, **asked))["stories"]["nodes"] == []


async def test_a_browser_is_told_which_documents_there_are_in_place_of_graphiql(restricted: httpx.AsyncClient) -> None:
    page = await restricted.get("/graphql", headers={"accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Registered documents only" in page.text
    assert "<script" not in page.text
    for each in REGISTERED.values():
        assert f"<dt>{each.name}</dt><dd><code>sha256:{each.id}</code></dd>" in page.text


async def test_tighter_limits_do_not_keep_registered_documents_from_being_answered(serve: Serve, newsless: str) -> None:
    async with serve(newsless, max_depth=2, max_tokens=10) as client:
        answered(await post(client, documentId=FRONT_PAGE.id))
        refused(await post(client, query=FRONT_PAGE.text), 400, "GRAPHQL_PARSE_FAILED")
