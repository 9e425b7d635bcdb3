"""Coverage over many stories in a window, counted one report and one article after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from tests.reference import rules
from tests.reference.coverage import BiasDistribution, FactualityDistribution, OwnershipDistribution, buckets
from tests.reference.paging import Arguments

if TYPE_CHECKING:
    from tests.reference.entities import Article, Outlet, Report, Story

MOST_DAYS = 366
MOST_LISTED = 50
USUAL = timedelta(days=30)


class Window:
    """From `after`, up to but without `before`."""

    def __init__(self, published: Mapping[str, str] | None) -> None:
        now = datetime.now(UTC)
        given = published or {"after": (now - USUAL).isoformat()}
        self.after = datetime.fromisoformat(given["after"])
        before = given.get("before")
        self.before = datetime.fromisoformat(before) if before else now
        if not timedelta() < self.before - self.after <= timedelta(days=MOST_DAYS):
            raise GraphQLError("This is no window that can be asked for.")

    def __contains__(self, moment: datetime) -> bool:
        return self.after <= moment < self.before


class Covered:
    """What is counted of some stories, by some outlets, in a window."""

    def __init__(self, stories: Iterable[Story], window: Window, covers: Callable[[Outlet], bool]) -> None:
        every = [report for story in stories for report in story.report_list if covers(report.outlet)]
        self._reports: Sequence[Report] = [r for r in every if r.first_article.published in window]
        self._articles: Sequence[Article] = [
            article for report in every for article in report.article_list if article.published in window
        ]
        self._stories = list({report.story: None for report in self._reports})

    @property
    def story_count(self) -> int:
        return len(self._stories)

    @property
    def article_count(self) -> int:
        return len(self._articles)

    @property
    def report_count(self) -> int:
        return len(self._reports)

    @property
    def outlet_count(self) -> int:
        return len({report.outlet for report in self._reports})

    @property
    def bias(self) -> BiasDistribution:
        return BiasDistribution([report.outlet for report in self._reports])

    @property
    def factuality(self) -> FactualityDistribution:
        return FactualityDistribution([report.outlet for report in self._reports])

    @property
    def ownership(self) -> OwnershipDistribution:
        return OwnershipDistribution([report.outlet for report in self._reports])

    @cached_property
    def _blindspots(self) -> Counter[str]:
        found = (rules.blindspot(*story.bias.side_counts) for story in self._stories)
        return Counter(each[0] for each in found if each is not None)

    @property
    def blindspots(self) -> dict[str, int]:
        return {"left": self._blindspots["LEFT"], "right": self._blindspots["RIGHT"]}

    @property
    def blindspot_count(self) -> int:
        return self._blindspots.total()

    @property
    def first_report_count(self) -> int:
        return sum(report.story.first_article is report.first_article for report in self._reports)

    def timeline(self, args: Arguments) -> list[dict[str, Any]]:
        return buckets(self._articles, self._reports, args["interval"])

    def top_outlets(self, args: Arguments) -> list[dict[str, Any]]:
        reports = Counter(report.outlet for report in self._reports)
        articles = Counter(article.outlet for article in self._articles)
        first = sorted(reports, key=lambda outlet: (-reports[outlet], -articles[outlet], -outlet.key))
        return [
            {"outlet": outlet, "report_count": reports[outlet], "article_count": articles[outlet]}
            for outlet in first[: _listed(args)]
        ]

    def top_topics(self, args: Arguments) -> list[dict[str, Any]]:
        stories = Counter(topic for story in self._stories for topic in story.topics)
        first = sorted(stories, key=lambda topic: (-stories[topic], topic.slug))
        return [{"topic": topic, "story_count": stories[topic]} for topic in first[: _listed(args)]]


class CoverageReport(Covered):
    """Named as the type of the API."""


class OutletActivity(Covered):
    """Named as the type of the API."""


def chosen(stories: Sequence[Story], asked: Arguments) -> CoverageReport:
    """The coverage that a CoverageFilter asks for."""
    topics, places, outlets, countries = (asked.get(name) for name in ("topics", "places", "outlets", "countries"))

    def is_about(story: Story) -> bool:
        slugs = {under.slug for topic in story.topics for under in topic.lineage()}
        return (topics is None or not slugs.isdisjoint(topics)) and (
            places is None or not {place.slug for place in story.places}.isdisjoint(places)
        )

    def covers(outlet: Outlet) -> bool:
        return (outlets is None or outlet.domain in outlets) and (countries is None or outlet.country in countries)

    return CoverageReport([story for story in stories if is_about(story)], Window(asked["published"]), covers)


def overlaps(outlets: Mapping[str, Outlet], args: Arguments) -> list[dict[str, Any]]:
    """How alike the outlets of those domains choose, for each pair."""
    domains, window = args["domains"], Window(args["published"])
    if not 2 <= len(domains) <= 10 or len(set(domains)) < len(domains) or not set(domains) <= outlets.keys():
        raise GraphQLError("These are not 2 to 10 different known outlets.")
    stories = {domain: _taken_up(outlets[domain], window) for domain in domains}
    found: list[dict[str, Any]] = []
    for a, b in combinations(domains, 2):
        both, either = stories[a] & stories[b], stories[a] | stories[b]
        found.append(
            {
                "a": outlets[a],
                "b": outlets[b],
                "both_count": len(both),
                "only_a_count": len(stories[a] - both),
                "only_b_count": len(stories[b] - both),
                "jaccard": len(both) / len(either) if either else 0,
            }
        )
    return found


def _taken_up(outlet: Outlet, window: Window) -> set[Story]:
    firsts: dict[Story, datetime] = {}
    for article in outlet.article_list:
        firsts[article.story] = min(article.published, firsts.get(article.story, article.published))
    return {story for story, first in firsts.items() if first in window}


def _listed(args: Arguments) -> int:
    if not 0 <= args["first"] <= MOST_LISTED:
        raise GraphQLError("That many are not listed.")
    return args["first"]
