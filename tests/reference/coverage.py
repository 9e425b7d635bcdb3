"""How reports divide: distributions and what is read from them. Knows outlets and articles by their attributes only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.reference import rules

if TYPE_CHECKING:
    from tests.reference.entities import Article, Outlet, Report, Story


def shares(values: Sequence[str], counts: Counter[str]) -> list[dict[str, Any]]:
    """The share of every value, in the order given, over all that is counted of them."""
    numbers = [counts[value] for value in values]
    total = sum(numbers)
    return [
        {"count": number, "fraction": number / total if total else 0, "percent": percent}
        for number, percent in zip(numbers, rules.percents(numbers), strict=True)
    ]


class BiasDistribution:
    def __init__(self, outlets: Iterable[Outlet]) -> None:
        biases = [outlet.bias for outlet in outlets]
        rated = [bias for bias in biases if bias is not None]
        sides = Counter(side for bias in rated if (side := rules.side_of(bias)))
        self.left, self.center, self.right = shares(rules.SIDES, sides)
        self.side_counts = tuple(sides[side] for side in rules.SIDES)
        self.rated_count = len(rated)
        self.unrated_count = len(biases) - len(rated)
        points = shares(rules.BIASES, Counter(rated))
        self.points = [{"bias": bias, "share": share} for bias, share in zip(rules.BIASES, points, strict=True)]
        mean = rules.mean([rules.point(bias) for bias in rated])
        self.mean = None if mean is None else float(mean)


class FactualityDistribution:
    def __init__(self, outlets: Iterable[Outlet]) -> None:
        levels = [outlet.level for outlet in outlets]
        counts = Counter(level for level in levels if level is not None)
        self.rated_count = counts.total()
        self.unrated_count = len(levels) - counts.total()
        parts = zip(rules.LEVELS, shares(rules.LEVELS, counts), strict=True)
        self.levels = [{"factuality": level, "share": share} for level, share in parts]


class OwnershipDistribution:
    def __init__(self, outlets: Iterable[Outlet]) -> None:
        categories = [outlet.category for outlet in outlets]
        counts = Counter(category for category in categories if category is not None)
        self.known_count = counts.total()
        self.unknown_count = len(categories) - counts.total()
        parts = zip(rules.CATEGORIES, shares(rules.CATEGORIES, counts), strict=True)
        self.categories = [{"category": category, "share": share} for category, share in parts]


class Coverage:
    """Who covers one story."""

    rule_version = rules.RULE_VERSION

    def __init__(self, story: Story) -> None:
        self._story = story
        self._outlets = [report.outlet for report in story.report_list]
        self.id = f"coverage_{story.key}"
        self.article_count = len(story.article_list)
        self.outlet_count = len(self._outlets)
        self.computed_at = rules.rfc3339(story.computed)

    @property
    def bias(self) -> BiasDistribution:
        return self._story.bias

    @property
    def factuality(self) -> FactualityDistribution:
        return FactualityDistribution(self._outlets)

    @property
    def ownership(self) -> OwnershipDistribution:
        return OwnershipDistribution(self._outlets)

    @property
    def countries(self) -> list[dict[str, Any]]:
        return _most_first("country", (outlet.country for outlet in self._outlets))

    @property
    def languages(self) -> list[dict[str, Any]]:
        return _most_first("language", (article.language for article in self._story.article_list))

    @property
    def blindspot(self) -> dict[str, Any] | None:
        found = rules.blindspot(*self._story.bias.side_counts)
        if found is None:
            return None
        side, own, opposite = found
        return {"side": side, "fraction": float(own), "opposite_fraction": float(opposite)}


def _most_first(name: str, values: Iterable[str | None]) -> list[dict[str, Any]]:
    counts = Counter(value for value in values if value is not None)
    return [{name: value, "count": count} for value, count in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))]


def buckets(articles: Iterable[Article], reports: Iterable[Report], interval: str) -> list[dict[str, Any]]:
    """Articles by their own time and reports by that of their first article, oldest interval first."""
    found: dict[datetime, dict[str, Any]] = {}

    def count(moment: datetime, *names: str) -> None:
        start = rules.interval_start(moment, interval)
        zeros = dict.fromkeys(("article_count", "report_count", "left", "center", "right", "unrated"), 0)
        bucket = found.setdefault(start, {"start": rules.rfc3339(start), **zeros})
        for name in names:
            bucket[name] += 1

    for article in articles:
        count(article.published, "article_count")
    for report in reports:
        count(report.first_article.published, "report_count", (report.outlet.side or "unrated").lower())
    return [found[start] for start in sorted(found)]
