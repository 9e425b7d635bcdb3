"""REST over the demo world: each path answers what its document answers by GraphQL, page after page."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.acceptance.conftest import Serve
from tests.acceptance.rest import RECENT, ROUTED, by_graphql, by_rest, path_of, wrong_with

pytestmark = pytest.mark.any_engine

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
ALL = "FACTUALITY,OWNERSHIP,PERSPECTIVES,HISTORY"
WINDOW = {"publishedAfter": RECENT, "interval": "WEEK"}
STORY, OUTLET, TOPIC, PLACE, ARTICLE = ("<story>", "<outlet>", "<topic>", "<place>", "<article>")
# Of each document: where in GraphQL's `data` the answer is, and variables. What is in <> is looked up.
ASKED: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("ListStories", ("stories",), {}),
    ("ListStories", ("stories",), {"first": 3, "total": True, "sort": "MOST_COVERED"}),
    ("ListStories", ("stories",), {"topics": ["politics", "economy"], "minOutlets": 5, "blindspot": "LEFT"}),
    ("ListStories", ("stories",), {"search": "the of", "sort": "RELEVANCE", "countries": ["US", "GB"]}),
    ("ListStories", ("stories",), {"lastPublishedAfter": RECENT, "updatedAfter": RECENT, "leadingSide": "RIGHT"}),
    ("GetStory", ("story",), {"slug": STORY}),
    ("GetStoryCoverage", ("story", "coverage"), {"slug": STORY}),
    ("GetStoryTimeline", ("story",), {"slug": STORY}),
    ("GetStoryTimeline", ("story",), {"slug": STORY, "interval": "DAY"}),
    ("ListStoryArticles", ("story", "articles"), {"slug": STORY, "total": True}),
    ("ListStoryArticles", ("story", "articles"), {"slug": STORY, "sides": ["LEFT", "RIGHT"], "sort": "LEFT_TO_RIGHT"}),
    ("ListStoryArticles", ("story", "articles"), {"slug": STORY, "unrated": True, "paywalled": False}),
    ("ListStoryReports", ("story", "reports"), {"slug": STORY, "first": 5}),
    ("ListStoryReports", ("story", "reports"), {"slug": STORY, "side": "CENTER", "total": True}),
    ("ListArticles", ("articles",), {}),
    ("ListArticles", ("articles",), {"kinds": ["OPINION", "ANALYSIS"], "languages": ["en", "fr"], "sort": "OLDEST"}),
    ("ListArticles", ("articles",), {"bias": ["FAR_LEFT"], "publishedAfter": RECENT, "first": 2, "total": True}),
    ("GetArticle", ("article",), {"id": ARTICLE}),
    ("ListOutlets", ("outlets",), {}),
    ("ListOutlets", ("outlets",), {"prefix": "the", "mediums": ["NEWSPAPER"], "sort": "RIGHT_TO_LEFT"}),
    ("GetOutlet", ("outlet",), {"slug": OUTLET}),
    ("GetOutletActivity", ("outlet", "activity"), {"slug": OUTLET, **WINDOW}),
    ("ListTopics", ("topics",), {"first": 100, "total": True}),
    ("GetTopic", ("topic",), {"slug": TOPIC}),
    ("GetTopicCoverage", ("topic", "coverage"), {"slug": TOPIC, **WINDOW}),
    ("ListPlaces", ("places",), {"first": 100}),
    ("GetPlace", ("place",), {"slug": PLACE}),
    ("GetCoverage", ("coverage",), {**WINDOW, "topics": [TOPIC], "countries": ["US", "GB", "FR"]}),
    ("GetCoverage", ("coverage",), {**WINDOW, "outlets": [OUTLET]}),
    ("CompareOutlets", (), {"outlets": ["<domains>"], "publishedAfter": RECENT}),
    ("ListChanges", ("changes",), {"first": 10}),
    ("GetService", ("service",), {}),
]


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(demo_database, allowances="off") as client:
        yield client


@pytest.fixture(scope="module")
async def featured(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that withholds nothing."""
    async with serve(demo_database, allowances="off", granted_features=ALL) as client:
        yield client


@pytest.fixture(scope="module")
def both(demo: httpx.AsyncClient, featured: httpx.AsyncClient) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    return demo, featured


@pytest.fixture(scope="module")
async def names(demo: httpx.AsyncClient) -> dict[str, str]:
    """What is looked up: names of things that are there."""
    query = """{
      stories(first: 1, sort: MOST_COVERED) { nodes { slug topics { slug } places { slug } } }
      outlets(first: 4, sort: MOST_ARTICLES) { nodes { slug domain } }
      articles(first: 1) { nodes { id } }
    }"""
    data = (await demo.post("/graphql", json={"query": query})).json()["data"]
    [story], outlets = data["stories"]["nodes"], data["outlets"]["nodes"]
    return {
        STORY: story["slug"],
        TOPIC: story["topics"][0]["slug"],
        PLACE: story["places"][0]["slug"],
        OUTLET: outlets[0]["slug"],
        ARTICLE: data["articles"]["nodes"][0]["id"],
        "<domains>": ",".join(each["domain"] for each in outlets),
    }


def looked_up(variables: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    def named(value: Any) -> Any:
        if isinstance(value, list):
            return ",".join(map(named, cast("list[str]", value))).split(",")
        return names.get(value, value) if isinstance(value, str) else value

    return {name: named(value) for name, value in variables.items()}


def test_every_route_is_asked() -> None:
    assert {name for name, _, _ in ASKED} | {"GetViewer"} == set(ROUTED)


@pytest.mark.parametrize(("name", "under", "variables"), ASKED)
async def test_a_path_answers_what_its_document_answers(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], names: dict[str, str], name: str, under: Any, variables: Any
) -> None:
    given, route = looked_up(variables, names), ROUTED[name].route
    assert route
    for client in both:
        response = await by_rest(client, name, **given)
        assert (response.status_code, response.headers["content-type"]) == (200, "application/json"), response.text
        answer = response.json()
        assert answer == await by_graphql(client, name, under, **given)
        assert answer.get("items") != []
        document = (await client.get("/v1/openapi.json")).json()
        assert wrong_with(answer, document, route.path) == []


async def test_what_is_withheld_says_so_in_its_place(
    demo: httpx.AsyncClient, featured: httpx.AsyncClient, names: dict[str, str]
) -> None:
    withheld = (await by_rest(demo, "GetStoryCoverage", slug=names[STORY])).json()["factuality"]
    assert withheld["type"] == "UpgradeRequired"
    assert (withheld["feature"], withheld["tier"]) == ("FACTUALITY", "premium")
    told = (await by_rest(featured, "GetStoryCoverage", slug=names[STORY])).json()["factuality"]
    assert (told["type"], len(told["levels"])) == ("FactualityDistribution", 5)


async def followed(client: httpx.AsyncClient, name: str, **variables: Any) -> list[httpx.Response]:
    """All pages, by their links."""
    pages = [await by_rest(client, name, **variables)]
    while next_ := pages[-1].links.get("next"):
        pages.append(await client.get(next_["url"]))
        assert len(pages) < 200
    assert {page.status_code for page in pages} == {200}
    return pages


@pytest.mark.parametrize(
    ("name", "key", "variables"),
    [
        ("ListArticles", "id", {"sides": ["LEFT", "CENTER"], "publishedAfter": RECENT, "sort": "OLDEST", "first": 93}),
        ("ListStories", "id", {"search": "the of", "sort": "TRENDING", "first": 17}),
        ("ListOutlets", "id", {"first": 41}),
        ("ListStoryArticles", "id", {"slug": STORY, "sort": "RIGHT_TO_LEFT", "first": 40}),
        ("ListStoryReports", "firstArticle", {"slug": STORY, "first": 15}),
        ("ListTopics", "id", {"first": 7}),
        ("ListPlaces", "id", {"first": 9}),
        ("ListChanges", "cursor", {"first": 77}),
    ],
)
async def test_links_lead_through_all_pages_without_gaps_or_repeats(
    demo: httpx.AsyncClient, names: dict[str, str], name: str, key: str, variables: Any
) -> None:
    given = looked_up(variables, names)
    pages = await followed(demo, name, **given)
    assert len(pages) > 2
    found = [str(item[key]) for page in pages for item in page.json()["items"]]
    assert len(found) == len(set(found))
    assert {len(page.json()["items"]) for page in pages[:-1]} == {given["first"]}
    if name != "ListChanges":
        total = (await by_rest(demo, name, **{**given, "first": 0, "total": True})).json()["total"]
        assert total == {"value": len(found), "precision": "EXACT"}
    cursor: str | None = None
    expected: list[str] = []
    while True:  # the same by GraphQL, on pages of another size
        size: dict[str, Any] = {"first": 100, "after": cursor}
        data = await by_graphql(demo, name, (), **{**given, **size})
        page = next(iter(data.values()))
        page = page if "items" in page else next(iter(page.values()))
        expected += [str(item[key]) for item in page["items"]]
        about = page.get("page") or {"hasNextPage": page["hasMore"], "endCursor": page["endCursor"]}
        if not about["hasNextPage"]:
            break
        cursor = about["endCursor"]
    assert found == expected


async def test_a_link_keeps_all_other_parameters(demo: httpx.AsyncClient) -> None:
    path, _ = path_of("ListArticles", {})
    asked = "kinds=NEWS&kinds=OPINION,ANALYSIS&search=the+%22%26%22+-caf%C3%A9&first=2&total=false"
    response = await demo.get(f"{path}?{asked}")
    first = httpx.URL(response.links["next"]["url"])
    given = [(key, value) for key, value in first.params.multi_items() if key != "after"]
    assert given == httpx.QueryParams(asked).multi_items()
    second = await demo.get(first)
    again = httpx.URL(second.links["next"]["url"])
    assert again.params.get_list("after") != first.params.get_list("after")
    assert [(key, value) for key, value in again.params.multi_items() if key != "after"] == given
    assert str(first).startswith(f"{demo.base_url}/v1/articles?")


async def test_a_page_of_nothing_has_no_next(demo: httpx.AsyncClient) -> None:
    none = await by_rest(demo, "ListStories", first=0)
    assert none.json() == {"items": [], "page": {"hasNextPage": True, "endCursor": None}}
    assert "link" not in none.headers
    unknown = await by_rest(demo, "ListStories", topics=["there-is-none"])
    assert unknown.json() == {"items": [], "page": {"hasNextPage": False, "endCursor": None}}


async def test_a_page_whose_size_is_not_given_is_one_that_the_caller_may_have(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, max_page_size=10) as client:
        for name in ("ListStories", "ListChanges"):
            assert len((await by_rest(client, name)).json()["items"]) == 10
        assert (await by_rest(client, "ListStories", first=11)).status_code == 400


async def test_lists_may_be_repeated_or_separated_by_commas(demo: httpx.AsyncClient) -> None:
    joined = await demo.get("/v1/articles?countries=US,GB&first=5")
    repeated = await demo.get("/v1/articles?countries=US&countries=GB&first=5")
    encoded = await demo.get("/v1/articles?countries=US%2CGB&first=5")
    assert joined.json() == repeated.json() == encoded.json()
    assert len(joined.json()["items"]) == 5


async def test_who_polls_changes_goes_on_from_the_end(demo: httpx.AsyncClient) -> None:
    head = (await by_rest(demo, "ListChanges", first=0)).json()["headCursor"]
    none = await by_rest(demo, "ListChanges", after=head)
    assert (none.json()["items"], none.json()["hasMore"], none.json()["endCursor"]) == ([], False, head)
    assert "link" not in none.headers
    assert none.headers["cache-control"] == "no-store"


async def test_links_through_pages_of_no_changes_end(demo: httpx.AsyncClient) -> None:
    none = await by_rest(demo, "ListChanges", first=0)
    assert (none.json()["items"], none.json()["hasMore"]) == ([], True)
    again = await demo.get(none.links["next"]["url"])
    assert again.json() == none.json()
    assert "link" not in again.headers


async def test_a_merged_story_or_none_is_told_by_its_path(demo: httpx.AsyncClient, names: dict[str, str]) -> None:
    for document in ("GetStory", "GetStoryCoverage", "GetStoryTimeline", "ListStoryArticles", "ListStoryReports"):
        assert (await by_rest(demo, document, slug="there-is-none")).status_code == 404
        assert (await by_rest(demo, document, slug=names[STORY])).status_code == 200


async def test_the_requests_of_the_page_are_answered(demo: httpx.AsyncClient) -> None:
    urls = re.findall(r"curl -si? '(http://127.0.0.1:8000/\S+)'", PAGE)
    assert len(urls) == 3
    for url in urls:
        response = await demo.get(url.removeprefix("http://127.0.0.1:8000"))
        assert response.status_code == 200
        assert response.json().get("items") != []


async def test_the_program_of_the_page_reads_every_page(demo: httpx.AsyncClient) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    text = program.replace("http://127.0.0.1:8000", str(demo.base_url))
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", text, stdout=asyncio.subprocess.PIPE)
    titles = (await run.communicate())[0].decode().splitlines()
    assert run.returncode == 0
    total = await by_rest(demo, "ListArticles", kinds=["OPINION"], first=0, total=True)
    assert len(titles) == total.json()["total"]["value"] > 50
