"""Coverage by the day and by the hour: what it should be by the model's tables, and what the database has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
Counts = dict[Any, Row]
ALL = 0
"""The topic that stands for all stories."""
ARRAYS = {"bias_counts": ("bias", 7), "factuality_counts": ("factuality", 5), "ownership_counts": ("ownership", 8)}


def coverage_days(
    articles: Collection[Row],
    reports: Mapping[tuple[int, int], Row],
    topics: Mapping[int, set[int]],
    tags: Iterable[Row],
    rated: Mapping[int, Mapping[str, int | None]],
) -> Counts:
    """By topic and day: articles, reports by the places of their ratings, and stories that began."""
    counted = Counter[tuple[int, Any, str, int]]()
    for article in articles:
        for topic in topics[article["story_id"]] | {ALL}:
            counted[topic, article["published_at"].date(), "article_count", 0] += 1
    began: dict[int, datetime] = {}
    for (story, outlet), report in reports.items():
        at = report["first_published_at"]
        began[story] = min(at, began.get(story, at))
        for topic in topics[story] | {ALL}:
            counted[topic, at.date(), "report_count", 0] += 1
            for name, (rating, _) in ARRAYS.items():
                if (place := rated[outlet][rating]) is not None:
                    counted[topic, at.date(), name, place] += 1
    for tag in tags:
        if tag["story_id"] in began:
            counted[tag["topic_id"], began[tag["story_id"]].date(), "begun_count", 0] += 1
    return {
        key: {name: counted[*key, name, 0] for name in ("begun_count", "article_count", "report_count")}
        | {name: [counted[*key, name, place] for place in range(size)] for name, (_, size) in ARRAYS.items()}
        for key in {key[:2] for key in counted}
    }


def coverage_hours(
    articles: Iterable[Row],
    reports: Mapping[tuple[int, int], Row],
    topics: Mapping[int, set[int]],
    sides: Mapping[int, str | None],
) -> Counts:
    """By topic and hour: articles, and reports by the side of their outlet."""
    counted = Counter[tuple[int, datetime, str]]()
    for article in articles:
        for topic in topics[article["story_id"]] | {ALL}:
            counted[topic, _hour(article["published_at"]), "article_count"] += 1
    for (story, outlet), report in reports.items():
        for topic in topics[story] | {ALL}:
            side = (sides[outlet] or "unrated").lower()
            counted[topic, _hour(report["first_published_at"]), f"{side}_count"] += 1
    names = ("article_count", "left_count", "center_count", "right_count", "unrated_count")
    return {key[:2]: {name: counted[*key[:2], name] for name in names} for key in counted}


def coverage_outlets(
    articles: Iterable[Row], reports: Mapping[tuple[int, int], Row], topics: Mapping[int, set[int]]
) -> Counts:
    """By topic, day and outlet: articles and reports."""
    counted = Counter[tuple[int, Any, int, str]]()
    for article in articles:
        for topic in topics[article["story_id"]]:
            counted[topic, article["published_at"].date(), article["outlet_id"], "article_count"] += 1
    for (story, outlet), report in reports.items():
        for topic in topics[story]:
            counted[topic, report["first_published_at"].date(), outlet, "report_count"] += 1
    return {key[:3]: {name: counted[*key[:3], name] for name in ("article_count", "report_count")} for key in counted}


def over_parts(rows: Iterable[Row]) -> Counts:
    """What is stored by outlet, the sum of its parts; without what has nothing left."""
    return over_stripes(
        [
            {"key": (row["topic_id"], row["day"], outlet), "report_count": reports, "article_count": articles}
            for row in rows
            for outlet, reports, articles in zip(
                row["outlet_ids"], row["report_counts"], row["article_counts"], strict=True
            )
        ],
        lambda row: row["key"],
    )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def over_stripes(rows: Iterable[Row], key: Callable[[Row], Any]) -> Counts:
    """What is stored, the sum of its stripes; without what has nothing left."""
    sums: dict[Any, dict[str, Any]] = {}
    for row in rows:
        counts = {name: row[name] for name in row if name.endswith(("_count", "_counts"))}
        before = sums.get(key(row))
        sums[key(row)] = counts if before is None else {name: _plus(before[name], counts[name]) for name in counts}
    return {at: counts for at, counts in sums.items() if any(count not in _NOTHING for count in counts.values())}


_NOTHING: tuple[Any, ...] = (0, *([0] * size for _, size in ARRAYS.values()))


def _plus(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, int) else [x + y for x, y in zip(a, b, strict=True)]
