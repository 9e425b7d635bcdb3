"""Where the parts of a chart stand, in percent of its area. Knows neither markup nor colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
LONGEST_IN_HOURS = timedelta(hours=48)
"""The longest time that is told hour by hour."""
COUNTS = ("articleCount", "reportCount", "left", "center", "right", "unrated")
_GAP = 0.18
_WIDEST = 9.0

Bucket = Mapping[str, Any]


class Part(NamedTuple):
    """A rectangle, in percent, of the side or series that it counts."""

    series: str
    x: float
    y: float
    width: float
    height: float


class Columns(NamedTuple):
    """A chart of columns over time: its parts, the greatest column, and the buckets with the step between them."""

    parts: list[Part]
    most: int
    first: str
    last: str
    step: str
    buckets: Sequence[Bucket]


def segments(shares: Sequence[tuple[str, int]]) -> list[Part]:
    """One bar, divided by percents that add up to 100; what is 0 is left out."""
    parts: list[Part] = []
    x = 0
    for series, percent in shares:
        if percent:
            parts.append(Part(series, x, 0, percent, 100))
        x += percent
    return parts


def columns(timeline: Sequence[Bucket], series: Sequence[str], step: timedelta | None = None) -> Columns | None:
    """A column for each bucket, of `series` one on the other; None where there is nothing.

    Without a `step`, the buckets are hours, and become days where they span too many.
    """
    if not timeline:
        return None
    if step is None:
        timeline, step = _by_span(timeline)
    starts = [datetime.fromisoformat(each["start"]) for each in timeline]
    count = round((starts[-1] - starts[0]) / step) + 1
    most = _round_up(max(sum(each[name] for name in series) for each in timeline))
    slot = 100 / count
    width = min(slot * (1 - _GAP), _WIDEST)
    parts: list[Part] = []
    for start, each in zip(starts, timeline, strict=True):
        x, y = slot * (round((start - starts[0]) / step) + 0.5) - width / 2, 100.0
        for name in series:
            height = 100 * each[name] / most
            y -= height
            if height:
                parts.append(Part(name, _short(x), _short(y), _short(width), _short(height)))
    names = {HOUR: "hour", DAY: "day", WEEK: "week"}
    return Columns(parts, most, timeline[0]["start"], timeline[-1]["start"], names[step], timeline)


def _by_span(hours: Sequence[Bucket]) -> tuple[Sequence[Bucket], timedelta]:
    first, last = (datetime.fromisoformat(hours[at]["start"]) for at in (0, -1))
    if last - first <= LONGEST_IN_HOURS:
        return hours, HOUR
    days: dict[str, dict[str, Any]] = {}
    for each in hours:
        start = datetime.fromisoformat(each["start"]).astimezone(UTC).replace(hour=0).isoformat()
        summed = days.setdefault(start, {"start": start, **dict.fromkeys(COUNTS, 0)})
        for name in COUNTS:
            summed[name] += each[name]
    return list(days.values()), DAY


def _round_up(most: int) -> int:
    """A number for the top of an axis: the greatest count, or where that has several digits, the next round one."""
    if most < 10:
        return max(most, 1)
    unit = 10 ** (len(str(most)) - 2)
    return next(step * unit for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100) if step * unit >= most)


def _short(percent: float) -> float:
    return round(percent, 3)
