"""Coverage over windows as clients ask for it: what is refused, and what a new rating does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.load import load_lines
from tests.acceptance.conftest import Serve

COVERAGE = """
query($published: Window!) {
  coverage(filter: {published: $published}) {
    storyCount articleCount reportCount outletCount
    bias { left { count percent } right { count percent } ratedCount unratedCount mean }
    factuality { __typename } timeline(interval: HOUR) { start articleCount reportCount left }
    topOutlets { outlet { domain } reportCount articleCount }
  }
}
"""
STRICT = {"accept": "application/graphql-response+json"}


def at(days: float) -> str:
    """So many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


SAME = at(1)


@pytest.fixture
async def news(serve: Serve, empty_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    async with serve(empty_database, allowances="off") as client:
        yield client, empty_database


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, "variables": variables}, headers=STRICT)


@pytest.mark.parametrize(
    ("window", "status", "code"),
    [
        ({"after": SAME, "before": SAME}, 400, "BAD_USER_INPUT"),
        ({"after": at(1), "before": at(2)}, 400, "BAD_USER_INPUT"),
        ({"after": at(-1)}, 400, "BAD_USER_INPUT"),
        ({"after": at(400), "before": at(1)}, 400, "BAD_USER_INPUT"),
        ({"after": at(91), "before": at(89)}, 403, "UPGRADE_REQUIRED"),
        ({"before": at(1)}, 400, "BAD_USER_INPUT"),
        ({"after": None}, 400, "BAD_USER_INPUT"),
        ({"after": "yesterday"}, 400, "BAD_USER_INPUT"),
    ],
)
async def test_a_window_that_cannot_be_had_is_refused(
    news: tuple[httpx.AsyncClient, str], window: dict[str, Any], status: int, code: str
) -> None:
    response = await ask(news[0], COVERAGE, published=window)
    assert response.status_code == status, response.text
    assert "data" not in response.json()
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == code
    if code == "UPGRADE_REQUIRED":
        assert (error["extensions"]["feature"], error["extensions"]["tier"]) == ("HISTORY", "vantage")
        assert "90 days" in error["message"]


async def test_the_same_is_asked_of_every_window(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    await load_lines(dsn, [{"type": "topic", "slug": "t"}, {"type": "outlet", "domain": "a.example"}])
    old = f'{{after: "{at(91)}"}}'
    for query in (
        f"{{ coverage(filter: {{published: {old}}}) {{ storyCount }} }}",
        f'{{ topic(by: {{slug: "t"}}) {{ coverage(published: {old}) {{ storyCount }} }} }}',
        f'{{ outlet(by: {{domain: "a.example"}}) {{ activity(published: {old}) {{ storyCount }} }} }}',
        f'{{ compareOutlets(domains: ["a.example", "b.example"], published: {old}) {{ jaccard }} }}',
    ):
        response = await ask(client, query)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (403, "UPGRADE_REQUIRED")


async def test_who_has_history_looks_back_for_as_long_as_is_set(serve: Serve, demo_database: str) -> None:
    async with serve(demo_database, granted_features="HISTORY", max_window_days=400) as client:
        response = await ask(client, COVERAGE, published={"after": at(399), "before": at(100)})
        assert response.json()["data"]["coverage"]["storyCount"] == 0
    async with serve(demo_database, open_window_days=10) as client:
        response = await ask(client, COVERAGE, published={"after": at(11)})
        assert "10 days" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "domains", [[], ["a.example"], ["a.example", "a.example"], ["a.example", "no.example"], ["x"] * 11]
)
async def test_outlets_to_compare_are_different_and_known(
    news: tuple[httpx.AsyncClient, str], domains: list[str]
) -> None:
    client, dsn = news
    await load_lines(dsn, [{"type": "outlet", "domain": "a.example"}])
    query = "query($d: [String!]!, $p: Window!) { compareOutlets(domains: $d, published: $p) { jaccard } }"
    response = await ask(client, query, d=domains, p={"after": at(1)})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    assert "'domains'" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("field", ["topOutlets", "topTopics"])
async def test_tops_are_no_longer_than_50(news: tuple[httpx.AsyncClient, str], field: str) -> None:
    query = (
        f"query($p: Window!, $n: Int!) {{ coverage(filter: {{published: $p}}) {{ {field}(first: $n) {{ __typename }}"
    )
    query += " } }"
    for first in (-1, 51):
        response = await ask(news[0], query, p={"after": at(1)}, n=first)
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_report_is_where_its_first_article_is_and_articles_are_where_they_are(
    news: tuple[httpx.AsyncClient, str],
) -> None:
    client, dsn = news
    start = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(days=5)

    def article(outlet: str, hours: float, number: int) -> dict[str, Any]:
        return {
            "type": "article", "outlet": outlet, "story": "s", "url": f"https://{outlet}/{number}", "title": "T",
            "publishedAt": (start + timedelta(hours=hours)).isoformat(),
        }  # fmt: skip

    await load_lines(
        dsn,
        [
            {"type": "story", "key": "s", "title": "S"},
            *(article("early.example", hours, number) for number, hours in enumerate((-1, 0, 30))),
            *(article("late.example", hours, number) for number, hours in enumerate((0, 1, 48))),
        ],
    )
    window = {"after": start.isoformat(), "before": (start + timedelta(hours=48)).isoformat()}
    coverage = (await ask(client, COVERAGE, published=window)).json()["data"]["coverage"]
    assert [coverage[f"{each}Count"] for each in ("story", "article", "report", "outlet")] == [1, 4, 1, 1]
    assert coverage["bias"]["unratedCount"] == 1
    assert coverage["topOutlets"] == [{"outlet": {"domain": "late.example"}, "reportCount": 1, "articleCount": 2}]
    hours = [(bucket["articleCount"], bucket["reportCount"]) for bucket in coverage["timeline"]]
    assert hours == [(2, 1), (1, 0), (1, 0)]


async def test_a_rating_is_in_the_next_answer(news: tuple[httpx.AsyncClient, str]) -> None:
    client, dsn = news
    await load_lines(
        dsn,
        [
            {
                "type": "article",
                "outlet": f"{n}.example",
                "url": f"https://{n}.example",
                "title": "T",
                "publishedAt": at(n),
            }
            for n in range(1, 4)
        ],
    )
    window = {"after": at(20)}

    async def left() -> tuple[int, int]:
        bias = (await ask(client, COVERAGE, published=window)).json()["data"]["coverage"]["bias"]
        return bias["left"]["count"], bias["ratedCount"]

    assert await left() == (0, 0)
    for rated in range(1, 4):
        await load_lines(
            dsn, [{"type": "outlet", "domain": f"{rated}.example", "ratings": [{"agency": "A", "bias": "LEFT"}]}]
        )
        seen = [await left() for _ in range(20)]
        assert seen[-1] == (rated, rated)
        assert seen == sorted(seen), "no answer is older than one before it"
