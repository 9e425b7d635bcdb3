"""Windows whose edges lie amid stories: what is kept of a story, less what is outside, is what was read within."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import asyncpg
import pytest

from service.load import load_lines
from tests.databases import database
from tests.reference.comparison import Comparison, comparison
from tests.reference.operations import Operation

START = datetime(2026, 3, 4, tzinfo=UTC)
"""A Wednesday, so that weeks begin within."""
SIDES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT", None)
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH", None)
OWNERS = ("INDEPENDENT", "MEDIA_CONGLOMERATE", "GOVERNMENT", "OTHER", None)
OUTLETS = 16
AS_REPORTED = (0, 0, 1, 1, 2, 3, 4, 6, 9, 14, 20, 30, 50, 90, 200, 300)
"""Hours after the beginning at which a story's reports came: most of them soon."""
STORIES = {
    "within a day": (30, 0.05),
    "till the last microsecond": (0, 0.08),
    "across one edge, mostly after": (22, 0.5),
    "across one edge, mostly before": (-40, 0.5),
    "across both edges": (-60, 2),
    "long before": (-900, 0.1),
    "all of it in an hour": (26, 0.001),
    "merged": (10, 0.3),
    "what it went into": (47, 0.4),
    "removed": (20, 0.2),
}
"""For each the hour of its beginning, and the pace at which reports came."""

BOUNDS = (-30.0, 0.0, 24.0, 24.5, 25.0, 26.0, 48.0, 71.9, 72.0, 400.0)
WINDOWS = [(after, before) for after, before in product(BOUNDS, BOUNDS) if after < before]

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"topics": ["news"]},
    {"topics": ["news", "sport", "football"]},
    {"topics": ["football"], "places": ["here"]},
    {"places": ["here", "there"]},
    {"outlets": ["o3.example"]},
    {"topics": ["news"], "outlets": ["o1.example", "o2.example", "o15.example"]},
    {"countries": ["DE"], "places": ["here"]},
    {"topics": []},
    {"places": [], "topics": ["news"]},
    {"outlets": []},
    {"topics": ["nothing"]},
)
EVERY_FIGURE = """
query($filter: CoverageFilter!) {
  coverage(filter: $filter) {
    storyCount articleCount reportCount outletCount
    bias { left { count percent } right { fraction } ratedCount unratedCount mean points { share { count percent } } }
    factuality { ... on FactualityDistribution { ratedCount unratedCount levels { share { count } } } }
    ownership { ... on OwnershipDistribution { knownCount unknownCount categories { share { count } } } }
    blindspots { left right }
    hours: timeline(interval: HOUR) { ...bucket }
    days: timeline { ...bucket }
    weeks: timeline(interval: WEEK) { ...bucket }
    topOutlets(first: 5) { outlet { domain } reportCount articleCount }
    topTopics { topic { slug } storyCount }
  }
}
fragment bucket on TimelineBucket { start articleCount reportCount left center right unrated }
"""
FEATURES = frozenset({"FACTUALITY", "OWNERSHIP", "HISTORY"})


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def outlet(number: int, *, shift: int = 0) -> dict[str, Any]:
    """An outlet with a rating that `shift` changes."""
    owner = OWNERS[(number + shift) % len(OWNERS)]
    return {
        "type": "outlet",
        "domain": f"o{number}.example",
        "country": ("DE", "US", None)[number % 3],
        "owners": [{"name": "Owner", "category": owner}] if owner else [],
        "ratings": [
            {
                "agency": "A",
                "bias": SIDES[(number + shift) % len(SIDES)],
                "factuality": LEVELS[(number + shift) % len(LEVELS)],
            }
        ],
    }


def lines() -> Iterator[dict[str, Any]]:
    yield {"type": "topic", "slug": "nothing"}
    yield {"type": "topic", "slug": "football", "parent": "sport"}
    yield from (outlet(number) for number in range(OUTLETS))
    for number, (key, (begin, pace)) in enumerate(STORIES.items()):
        topics = [slug for place, slug in enumerate(("news", "football", "sport")) if (number + 1) >> place & 1]
        yield {
            "type": "story",
            "key": key,
            "title": key,
            "topics": topics,
            "places": ["here", "there", "far"][: number % 4],
        }
        for report, hours in enumerate(AS_REPORTED):
            # Some publish again, hours or days later: an article in the window need not begin a report there.
            for again in range(1 + report % 3 // 2):
                yield {
                    "type": "article",
                    "outlet": f"o{(report * 5 + number) % OUTLETS}.example",
                    "story": key,
                    "url": f"https://example.com/{number}/{report}/{again}",
                    "title": key,
                    "publishedAt": at(begin + pace * hours + again * 13),
                }
    yield {"type": "merge", "from": "merged", "into": "what it went into"}
    yield {"type": "remove", "story": "removed"}


@pytest.fixture(scope="module")
async def dsn(server_dsn: str, template: str) -> AsyncIterator[str]:
    async with database(server_dsn, template) as made:
        await load_lines(made, lines(), strict=True)
        yield made


@pytest.fixture(scope="module")
async def both(dsn: str) -> AsyncIterator[Comparison]:
    async with comparison(dsn) as made:
        yield made


async def agree(compared: Comparison, window: tuple[float, float], chosen: dict[str, Any]) -> dict[str, Any]:
    """The answer in which both agree."""
    given = {**chosen, "published": {"after": at(window[0]), "before": at(window[1])}}
    operation = Operation(EVERY_FIGURE, {"filter": given}, FEATURES)
    disagreement = await compared.disagreement(operation)
    assert disagreement is None, f"{window}, {chosen}: {disagreement}"
    return (await compared.by_service(operation)).data["coverage"]


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
async def test_every_figure_of_every_window_is_as_counted_one_by_one(both: Comparison, chosen: dict[str, Any]) -> None:
    for window in WINDOWS:
        await agree(both, window, chosen)


async def test_an_edge_at_the_very_time_of_an_article_has_it_after_and_not_before(both: Comparison) -> None:
    begin = STORIES["within a day"][0]
    chosen = {"topics": ["news"]}
    found = [(await agree(both, window, chosen))["storyCount"] for window in ((begin, 400), (begin + 1e-9, 400))]
    till = [(await agree(both, window, chosen))["storyCount"] for window in ((29, begin), (29, begin + 1e-8))]
    assert found[0] == found[1], "a difference below a microsecond is none"
    assert till[1] == till[0] + 1


async def test_a_rating_that_changed_is_counted_in_what_is_kept_and_in_what_is_read(
    server_dsn: str, template: str
) -> None:
    async with database(server_dsn, template) as changing:
        await load_lines(changing, lines(), strict=True)
        answers: list[dict[str, Any]] = []
        for shift in range(3):
            await load_lines(
                changing, [outlet(number, shift=shift * number % 7) for number in range(OUTLETS)], strict=True
            )
            async with comparison(changing) as compared:
                for window, chosen in product(((24.0, 48.0), (0.0, 400.0), (-30.0, 24.5)), FILTERS[:7]):
                    answers.append(await agree(compared, window, chosen))
        of_each_time = len(answers) // 3
        assert answers[1]["bias"] != answers[1 + of_each_time]["bias"]
        assert answers[1]["ownership"] != answers[1 + of_each_time]["ownership"]


async def test_the_edges_of_these_windows_cut_stories_in_every_way(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    cuts: set[tuple[bool, bool, bool]] = set()
    try:
        for after, before in WINDOWS:
            found = await conn.fetch(
                "select distinct s.mostly_within, s.lower > $1 or s.upper > $2 as at_the_end,"
                " s.first_published_at < $1 as earlier"
                " from window_spans($1, $2, array(select id from topics), null) s where s.crossing",
                START + timedelta(hours=after),
                START + timedelta(hours=before),
            )
            cuts.update((row["mostly_within"], row["at_the_end"], row["earlier"]) for row in found)
    finally:
        await conn.close()
    # What is kept less what is after or before it; what is within, of those that began within and before.
    assert cuts == {(True, True, False), (True, False, True), (False, False, False), (False, False, True)}
