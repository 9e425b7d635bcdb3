"""Real news: every figure of every story, computed from the stream in plain Python, beside what the service says."""

from __future__ import annotations

import gzip
import io
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from service.load import Summary, load
from tests.acceptance.conftest import serving
from tests.databases import database

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "news-2014.ndjson.gz"
pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus lies beside the project, where there is one")

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH")
SIDES = ("LEFT", "CENTER", "RIGHT")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LARGEST = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Line = dict[str, Any]


class Story:
    """One story as the stream tells it."""

    def __init__(self, line: Line, articles: list[Line], outlets: Mapping[str, Line]) -> None:
        self.line = line
        self.articles = sorted(articles, key=lambda article: article["publishedAt"])
        self.outlets = {domain: outlets[domain] for domain in {article["outlet"] for article in articles}}
        self.begun = {
            domain: min(a["publishedAt"] for a in articles if a["outlet"] == domain) for domain in self.outlets
        }
        self.points = Counter(bias for outlet in self.outlets.values() if (bias := rating(outlet, "bias")))
        self.sides = Counter({side: sum(self.points[p] for p in BIASES if side_of(p) == side) for side in SIDES})

    @property
    def first(self) -> datetime:
        return self.articles[0]["publishedAt"]

    def coverage(self) -> dict[str, Any]:
        """As GraphQL tells it."""
        rated = self.points.total()
        levels = Counter(level for outlet in self.outlets.values() if (level := rating(outlet, "factuality")))
        score = sum((BIASES.index(point) - 3) * count for point, count in self.points.items())
        unrated = len(self.outlets) - rated
        return {
            "articleCount": len(self.articles),
            "outletCount": len(self.outlets),
            "bias": {
                **{side.lower(): share for side, share in shares(self.sides, SIDES).items()},
                "ratedCount": rated,
                "unratedCount": unrated,
                "points": [{"bias": point, "share": share} for point, share in shares(self.points, BIASES).items()],
                "mean": score / rated if rated else None,
            },
            "factuality": {
                "ratedCount": levels.total(),
                "unratedCount": len(self.outlets) - levels.total(),
                "levels": [{"factuality": level, "share": share} for level, share in shares(levels, LEVELS).items()],
            },
            "ownership": {"knownCount": 0, "unknownCount": len(self.outlets)},
            "countries": ranked("country", (outlet.get("country") for outlet in self.outlets.values())),
            "languages": ranked("language", (article["language"] for article in self.articles)),
            "blindspot": self.blindspot(),
            "ruleVersion": "1",
        }

    def blindspot(self) -> dict[str, Any] | None:
        rated = self.sides.total()
        for side, opposite in (("LEFT", "RIGHT"), ("RIGHT", "LEFT")):
            own, other = (Fraction(self.sides[each], max(rated, 1)) for each in (side, opposite))
            if rated >= 5 and own <= Fraction(1, 5) and other >= Fraction(7, 20) and other >= 2 * own:
                return {"side": side, "fraction": float(own), "oppositeFraction": float(other)}
        return None

    def leading_side(self) -> str | None:
        (side, most), (_, second), _ = self.sides.most_common()
        return side if most > second else None

    def timeline(self, interval: timedelta) -> list[dict[str, Any]]:
        buckets: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
        for article in self.articles:
            buckets[start_of(article["publishedAt"], interval)]["articleCount"] += 1
        for domain, begun in self.begun.items():
            bias = rating(self.outlets[domain], "bias")
            buckets[start_of(begun, interval)] += Counter(
                {"reportCount": 1, side_of(bias).lower() if bias else "unrated": 1}
            )
        names = ("articleCount", "reportCount", "left", "center", "right", "unrated")
        return [{"start": start, **{name: buckets[start][name] for name in names}} for start in sorted(buckets)]


def rating(outlet: Line, what: str) -> str | None:
    """The outlet's only agency's rating."""
    return next((found[what] for found in outlet.get("ratings", [])), None)


def side_of(point: str) -> str:
    place = BIASES.index(point)
    return SIDES[(place > 2) + (place > 3)]


def shares(counts: Counter[str], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The shares of one distribution: whole percents by largest remainder, a tie to the earlier."""
    order, total = list(names), counts.total()
    if not total:
        return {name: {"count": 0, "fraction": 0.0, "percent": 0} for name in order}
    exact = {name: Fraction(100 * counts[name], total) for name in order}
    percents = {name: math.floor(exact[name]) for name in order}
    by_remainder = sorted(order, key=lambda name: percents[name] - exact[name])
    for name in by_remainder[: 100 - sum(percents.values())]:
        percents[name] += 1
    return {n: {"count": counts[n], "fraction": counts[n] / total, "percent": percents[n]} for n in order}


def ranked(name: str, values: Iterable[str | None]) -> list[dict[str, Any]]:
    """Counts of what is known, most first, then by code."""
    counts = Counter(value for value in values if value)
    return [
        {name: value, "count": counts[value]} for value in sorted(counts, key=lambda value: (-counts[value], value))
    ]


def start_of(moment: datetime, interval: timedelta) -> datetime:
    return moment - (moment - EPOCH) % interval


def read_corpus() -> list[Story]:
    found: dict[str, dict[str, Line]] = {"topic": {}, "outlet": {}, "story": {}, "article": {}}
    with gzip.open(CORPUS) as lines:
        for text in lines:
            line = orjson.loads(text)
            kind = found[line["type"]]
            key = line.get("url") or line.get("domain") or line.get("key") or line["slug"]
            kind[key] = kind.get(key, {}) | line
    articles: defaultdict[str, list[Line]] = defaultdict(list)
    for article in found["article"].values():
        published = datetime.fromisoformat(article["publishedAt"])
        articles[article["story"]].append(article | {"publishedAt": published})
    return [Story(line, articles[key], found["outlet"]) for key, line in found["story"].items()]


@pytest.fixture(scope="module")
def corpus() -> dict[str, Story]:
    """All stories, by the URL of any of their articles."""
    return {article["url"]: story for story in read_corpus() for article in story.articles}


async def load_corpus(dsn: str) -> Summary:
    return await load(dsn, [io.BytesIO(CORPUS.read_bytes())])


@pytest.fixture(scope="module")
async def loaded(server_dsn: str, template: str) -> AsyncIterator[tuple[str, Summary]]:
    """The DSN of a database with the corpus in it, and what loading it came to."""
    async with database(server_dsn, template) as dsn:
        yield dsn, await load_corpus(dsn)


@pytest.fixture(scope="module")
async def service(loaded: tuple[str, Summary]) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(loaded[0], granted_features={"FACTUALITY", "OWNERSHIP"}, allowances="off") as client:
        yield client


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    answer = response.json()
    assert response.status_code == 200, answer
    assert "errors" not in answer, answer
    return answer["data"]


SHARE = "{ count fraction percent }"
STORIES = f"""query ($after: String) {{
  stories(first: 10, after: $after, sort: MOST_COVERED) {{
    pageInfo {{ hasNextPage endCursor }}
    totalCount {{ value precision }}
    nodes {{
      id title firstPublishedAt lastPublishedAt topics {{ slug }} keyPoints mergedFrom
      firstArticle {{ url publishedAt }}
      coverage {{
        articleCount outletCount ruleVersion
        bias {{ ratedCount unratedCount mean left {SHARE} center {SHARE} right {SHARE} points {{ bias share {SHARE} }}
        }}
        factuality {{ ... on FactualityDistribution {{
          ratedCount unratedCount levels {{ factuality share {SHARE} }}
        }} }}
        ownership {{ ... on OwnershipDistribution {{ knownCount unknownCount }} }}
        countries {{ country count }}
        languages {{ language count }}
        blindspot {{ side fraction oppositeFraction }}
      }}
      hours: timeline {{ ...bucket }}
      days: timeline(interval: DAY) {{ ...bucket }}
    }}
  }}
}}
fragment bucket on TimelineBucket {{ start articleCount reportCount left center right unrated }}"""


async def told(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every story that the service tells of, page by page."""
    nodes: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = (await ask(client, STORIES, after=after))["stories"]
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == {"value": len(nodes), "precision": "EXACT"}
            return nodes


async def test_the_corpus_is_taken_in_whole(loaded: tuple[str, Summary]) -> None:
    dsn, summary = loaded
    assert (summary.created, summary.updated, summary.refused) == (12_170, 0, 0)
    again = await load_corpus(dsn)
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 12_170, 0)


async def test_every_figure_of_every_story_is_that_of_the_stream(
    service: httpx.AsyncClient, corpus: Mapping[str, Story]
) -> None:
    nodes = await told(service)
    assert len(nodes) == len({id(story) for story in corpus.values()}) == 87
    for node in nodes:
        story = corpus[node["firstArticle"]["url"]]
        assert node["title"] == story.line["title"]
        assert [topic["slug"] for topic in node["topics"]] == story.line["topics"]
        assert (node["keyPoints"], node["mergedFrom"]) == ([], [])
        assert datetime.fromisoformat(node["firstPublishedAt"]) == story.first
        assert datetime.fromisoformat(node["lastPublishedAt"]) == story.articles[-1]["publishedAt"]
        assert datetime.fromisoformat(node["firstArticle"]["publishedAt"]) == story.first
        assert node["coverage"] == story.coverage()
        for name, interval in (("hours", HOUR), ("days", DAY)):
            buckets = [{**bucket, "start": datetime.fromisoformat(bucket["start"])} for bucket in node[name]]
            assert buckets == story.timeline(interval)
    assert [node["coverage"]["outletCount"] for node in nodes] == sorted(
        (node["coverage"]["outletCount"] for node in nodes), reverse=True
    )


ARTICLES = """query ($id: ID!, $after: String) { story(by: { id: $id }) {
articles(first: 100, after: $after, sort: OLDEST) {
  pageInfo { hasNextPage endCursor }
  totalCount { value }
  nodes { url title language publishedAt kind outlet { domain name country bias side } }
} } }"""

REPORTS = """query ($id: ID!, $after: String) { story(by: { id: $id }) { reports(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  totalCount { value }
  nodes { articleCount firstPublishedAt firstArticle { publishedAt outlet { domain } } outlet { domain } }
} } }"""


async def pages(client: httpx.AsyncClient, query: str, id_: str) -> list[dict[str, Any]]:
    """All items of a story's list."""
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        (page,) = (await ask(client, query, id=id_, after=after))["story"].values()
        items += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"]["value"] == len(items)
            return items


async def test_every_article_and_report_of_the_largest_stories_is_found_page_by_page(
    service: httpx.AsyncClient, corpus: Mapping[str, Story]
) -> None:
    for node in (await told(service))[:LARGEST]:
        story = corpus[node["firstArticle"]["url"]]
        articles = await pages(service, ARTICLES, node["id"])
        assert [datetime.fromisoformat(article["publishedAt"]) for article in articles] == [
            article["publishedAt"] for article in story.articles
        ]
        wanted = {article["url"]: article for article in story.articles}
        assert {article["url"] for article in articles} == wanted.keys()
        for article in articles:
            outlet = story.outlets[wanted[article["url"]]["outlet"]]
            bias = rating(outlet, "bias")
            assert article["title"] == wanted[article["url"]]["title"]
            assert (article["language"], article["kind"]) == ("en", "NEWS")
            assert article["outlet"] == {
                "domain": outlet["domain"],
                "name": outlet["name"],
                "country": outlet.get("country"),
                "bias": bias,
                "side": bias and side_of(bias),
            }
        reports = await pages(service, REPORTS, node["id"])
        assert [datetime.fromisoformat(report["firstPublishedAt"]) for report in reports] == sorted(
            story.begun.values()
        )
        counts = Counter(article["outlet"] for article in story.articles)
        assert {report["outlet"]["domain"]: report["articleCount"] for report in reports} == dict(counts)
        for report in reports:
            domain = report["outlet"]["domain"]
            assert report["firstArticle"] == {"publishedAt": report["firstPublishedAt"], "outlet": {"domain": domain}}
            assert datetime.fromisoformat(report["firstPublishedAt"]) == story.begun[domain]


async def test_filters_find_what_the_figures_say(service: httpx.AsyncClient, corpus: Mapping[str, Story]) -> None:
    stories = {id(story): story for story in corpus.values()}.values()
    query = (
        """query ($filter: StoryFilter) { stories(first: 100, filter: $filter) { nodes { firstArticle { url } } } }"""
    )
    wanted: list[tuple[dict[str, Any], list[Story]]] = [
        *(({"blindspot": side}, [s for s in stories if (s.blindspot() or {}).get("side") == side]) for side in SIDES),
        *(({"leadingSide": side}, [s for s in stories if s.leading_side() == side]) for side in SIDES),
        *(({"minOutlets": n}, [s for s in stories if len(s.outlets) >= n]) for n in (1, 50, 100)),
        *(({"topics": [slug]}, [s for s in stories if slug in s.line["topics"]]) for slug in ("health", "business")),
        *(({"outlets": [d]}, [s for s in stories if d in s.outlets]) for d in ("reuters.com", "foxnews.com")),
        ({"countries": ["GB"]}, [s for s in stories if any(o.get("country") == "GB" for o in s.outlets.values())]),
    ]
    for given, found in wanted:
        nodes = (await ask(service, query, filter=given))["stories"]["nodes"]
        assert {id(corpus[node["firstArticle"]["url"]]) for node in nodes} == {id(story) for story in found}, given
        assert len(nodes) == len(found)
