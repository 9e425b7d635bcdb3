"""The demo world, looked at as a stream of lines: nothing here trusts the code that made it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from service.demo import WORKED_EXAMPLE_KEY, WORKED_EXAMPLE_TITLE, world
from service.demo.material import events
from tests.demo_figures import BIASES, DemoFigures

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LEVELS = {"VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH"}
OWNERSHIP = {"INDEPENDENT", "MEDIA_CONGLOMERATE", "CORPORATION", "PRIVATE_EQUITY"} | {
    *("TELECOM", "BILLIONAIRE", "GOVERNMENT", "OTHER")
}
MEDIUMS = {"WEBSITE", "NEWSPAPER", "MAGAZINE", "TELEVISION", "RADIO"} | {
    *("NEWS_AGENCY", "ORGANIZATION", "JOURNAL", "OTHER")
}
REQUIRED = {
    "topic": ["slug"],
    "place": ["slug"],
    "outlet": ["domain"],
    "story": ["key", "title"],
    "article": ["url", "outlet", "title", "publishedAt"],
    "merge": ["from", "into"],
    "remove": ["story"],
}
LISTS = ["keyPoints", "topics", "places", "owners", "ratings", "authors"]
LIMITS = {"title": 1000, "summary": 10_000, "excerpt": 10_000, "url": 2048, "imageUrl": 2048, "name": 300, "key": 300}


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return list(world(NOW))


@pytest.fixture(scope="module")
def figures(lines: list[dict[str, Any]]) -> DemoFigures:
    return DemoFigures(lines)


def of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == kind]


def parts_of(line: dict[str, Any], field: str) -> list[Any]:
    return line.get(field) or []


def urls_of(line: dict[str, Any]) -> list[str]:
    urls: list[str | None] = [line.get("url"), line.get("imageUrl"), line.get("homepageUrl")]
    urls += [rating["url"] for rating in parts_of(line, "ratings")]
    return [url for url in urls if url]


def dated(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Copies of the objects of a line that hold dates: the line itself, and its ratings apart from it."""
    ratings = [dict(rating) for rating in parts_of(line, "ratings")]
    return [{key: value for key, value in line.items() if key != "ratings"}, *ratings]


def test_the_same_moment_gives_the_same_bytes(lines: list[dict[str, Any]]) -> None:
    again = world(NOW.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert [orjson.dumps(line) for line in again] == [orjson.dumps(line) for line in lines]


def test_another_moment_changes_nothing_but_dates(lines: list[dict[str, Any]]) -> None:
    moved = timedelta(days=17, hours=3)
    for line, later in zip(lines, world(NOW + moved), strict=True):
        for before, after in zip(dated(line), dated(dict(later)), strict=True):
            for key in {"publishedAt", "ratedAt"} & set(before):
                if before[key]:
                    before[key] = (datetime.fromisoformat(before[key]) + moved).isoformat()
            assert before == after


def test_200_outlets_400_stories_and_8000_articles_show(figures: DemoFigures) -> None:
    assert len(figures.outlets) == 200
    assert len(figures.articles_of) == 400
    assert sum(map(len, figures.articles_of.values())) == 8_000


def test_few_stories_are_large_and_many_small(figures: DemoFigures) -> None:
    sizes = sorted(map(len, figures.articles_of.values()))
    assert sizes[-1] > 400
    assert sum(size > 100 for size in sizes) < 20
    assert sum(2 <= size <= 5 for size in sizes) > 120


def test_every_line_keeps_the_rules_of_the_load_stream(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        assert all(str(line.get(field) or "").strip() for field in REQUIRED[line["type"]]), line
        assert all(len(str(line.get(field) or "")) <= limit for field, limit in LIMITS.items()), line
        assert all(len(parts_of(line, field)) <= 100 for field in LISTS), line
        assert len(orjson.dumps(line)) < 2**20
        assert all(url.startswith("https://") for url in urls_of(line))


def test_articles_are_of_the_last_thirty_days(lines: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(line["publishedAt"]) for line in of(lines, "article")]
    assert all(time.utcoffset() is not None for time in times)
    assert NOW - timedelta(days=30) <= min(times) < NOW - timedelta(days=28)
    assert max(times) <= NOW


def test_what_lines_refer_to_is_there(lines: list[dict[str, Any]]) -> None:
    keys = {line["key"] for line in of(lines, "story")}
    topics = {line["slug"] for line in of(lines, "topic")}
    places = {line["slug"] for line in of(lines, "place")}
    assert {line["parent"] for line in of(lines, "topic")} <= topics | {None}
    assert {slug for line in of(lines, "story") for slug in parts_of(line, "topics")} <= topics
    assert {slug for line in of(lines, "story") for slug in parts_of(line, "places")} <= places
    assert {line["story"] for line in of(lines, "article") if "story" in line} <= keys
    assert {line[end] for line in of(lines, "merge") for end in ("from", "into")} <= keys
    assert len(keys) == len(of(lines, "story"))
    assert len({line["url"] for line in of(lines, "article")}) == len(of(lines, "article"))


def test_titles_of_stories_differ(lines: list[dict[str, Any]]) -> None:
    titles = Counter(line["title"] for line in of(lines, "story"))
    assert max(titles.values()) == 1


def test_nothing_leads_to_a_real_domain(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        assert all((urlsplit(url).hostname or "").endswith(".example") for url in urls_of(line)), line
    assert all(line["domain"].endswith(".example") for line in of(lines, "outlet"))


def test_no_slot_is_left_unfilled(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        if line["type"] in {"story", "article"}:
            assert not set(orjson.dumps([line["title"], line.get("excerpt")]).decode()) & set("{}")


def test_every_case_of_every_event_is_written_in_each_of_its_languages() -> None:
    for event in events():
        for case in event.cases:
            for slot, word in case.items():
                if isinstance(word, dict):
                    assert set(word) == set(event.tellings), (event.topics, slot)


def test_every_value_of_every_enum_occurs(lines: list[dict[str, Any]], figures: DemoFigures) -> None:
    outlets = of(lines, "outlet")
    articles = of(lines, "article")
    assert {owner["category"] for line in outlets for owner in line["owners"]} == OWNERSHIP
    assert {line["medium"] for line in outlets} == MEDIUMS
    assert {figures.bias(line["domain"]) for line in outlets} == {*BIASES, None}
    assert {rating["factuality"] for line in outlets for rating in line["ratings"]} == {*LEVELS, None}
    assert {line.get("kind") for line in articles} == {"NEWS", "OPINION", "ANALYSIS", None}
    assert {line.get("paywalled") for line in articles} == {True, False, None}
    assert {line.get("language") for line in articles} >= {"en", "es", "fr", "de", "pt", "it", "ja", "ar", None}


def test_outlets_are_rated_in_every_way(lines: list[dict[str, Any]]) -> None:
    ways: Counter[str] = Counter()
    for line in of(lines, "outlet"):
        biases = {rating["bias"] for rating in line["ratings"]} - {None}
        levels = {rating["factuality"] for rating in line["ratings"]} - {None}
        ways[f"{bool(biases)}/{bool(levels)}"] += 1
        ways["disagree"] += len(biases) > 1
        ways["several owners"] += len(line["owners"]) > 1
        ways["no owner"] += not line["owners"]
        ways["placed"] += line["place"] is not None
    assert set(ways) >= {"True/True", "True/False", "False/True", "False/False"}
    assert min(ways.values()) >= 3
    assert ways["disagree"] > 30


def test_stories_are_of_every_kind(lines: list[dict[str, Any]], figures: DemoFigures) -> None:
    told = [line for line in of(lines, "story") if line["key"] in figures.articles_of]
    sides = Counter(len(line.get("perspectives") or {}) for line in told)
    assert set(sides) == {0, 1, 2, 3}
    assert any(not line.get("topics") for line in told)
    assert any(line["summary"] is None for line in told)
    assert {line["imageUrl"] is None for line in told} == {True, False}
    assert any("excerpt" in line and line["excerpt"] is None for line in of(lines, "article"))
    assert any("story" not in line for line in of(lines, "article"))
    assert of(lines, "merge")
    assert of(lines, "remove")


def test_topics_lie_three_deep(lines: list[dict[str, Any]]) -> None:
    parents = {line["slug"]: line["parent"] for line in of(lines, "topic")}
    depths: defaultdict[int, int] = defaultdict(int)
    for parent in parents.values():
        depth, above = 1, parent
        while above:
            depth, above = depth + 1, parents[above]
        depths[depth] += 1
    assert set(depths) == {1, 2, 3}


def test_blindspots_of_both_sides_and_ties_occur(figures: DemoFigures) -> None:
    found = Counter(figures.blindspot(key) for key in figures.articles_of)
    leading = Counter(figures.leading_side(key) for key in figures.articles_of)
    assert found["LEFT"] >= 10
    assert found["RIGHT"] >= 10
    assert set(leading) == {"LEFT", "CENTER", "RIGHT", None}


def test_the_worked_example_has_its_figures(lines: list[dict[str, Any]], figures: DemoFigures) -> None:
    articles = figures.articles_of[WORKED_EXAMPLE_KEY]
    counts = Counter(figures.bias(article["outlet"]) for article in articles)
    assert len(articles) == len({article["outlet"] for article in articles}) == 24
    assert counts == {"LEAN_LEFT": 2, "LEFT": 2, "CENTER": 2, "LEAN_RIGHT": 3, "RIGHT": 1, None: 14}
    assert figures.side_counts(WORKED_EXAMPLE_KEY) == (4, 2, 4)
    assert figures.mean(WORKED_EXAMPLE_KEY) == Fraction(-1, 10)
    assert figures.blindspot(WORKED_EXAMPLE_KEY) is None
    story = next(line for line in of(lines, "story") if line["key"] == WORKED_EXAMPLE_KEY)
    assert story["title"] == WORKED_EXAMPLE_TITLE
    assert len(story["keyPoints"]) == 5
    assert set(story["perspectives"]) == {"LEFT", "CENTER", "RIGHT"}
    assert len({article["language"] for article in articles}) > 4
    assert any(article["excerpt"] is None for article in articles)


def test_the_worked_example_stands_near_the_front(figures: DemoFigures) -> None:
    latest = sorted(figures.articles_of, key=lambda key: max(a["publishedAt"] for a in figures.articles_of[key]))
    assert WORKED_EXAMPLE_KEY in latest[-5:]
