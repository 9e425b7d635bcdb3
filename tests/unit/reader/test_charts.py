from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.reader.charts import COUNTS, DAY, WEEK, columns, segments

START = datetime(2026, 3, 2, tzinfo=UTC)
SIDES = ("left", "center", "right", "unrated")


def bucket(after: timedelta, **counts: int) -> dict[str, Any]:
    return {"start": (START + after).isoformat(), **dict.fromkeys(COUNTS, 0), **counts}


def test_a_bar_is_filled_by_what_is_there() -> None:
    parts = segments([("left", 40), ("center", 0), ("right", 60)])
    assert [(part.series, part.x, part.width) for part in parts] == [("left", 0, 40), ("right", 40, 60)]


def test_columns_stand_at_their_time_and_on_the_floor() -> None:
    plotted = columns([bucket(0 * DAY, left=2, right=2), bucket(3 * DAY, unrated=1)], SIDES, DAY)
    assert plotted
    assert (plotted.most, plotted.step) == (4, "day")
    left, right, unrated = plotted.parts
    assert (left.series, left.y, left.height) == ("left", 50, 50)
    assert (right.series, right.y, right.height) == ("right", 0, 50)
    assert (unrated.y, unrated.height) == (75, 25)
    assert left.x == right.x
    assert unrated.x - left.x == 75  # three of four days on
    assert all(part.x >= 0 and part.x + part.width <= 100 for part in plotted.parts)


def test_hours_become_days_where_they_span_more_than_two() -> None:
    short = [bucket(timedelta(hours=each), left=1) for each in (0, 5, 48)]
    told = columns(short, SIDES)
    assert told
    assert (told.step, len(told.buckets)) == ("hour", 3)
    long = [bucket(timedelta(hours=each), left=1, articleCount=2) for each in (0, 5, 25, 60)]
    told = columns(long, SIDES)
    assert told
    assert told.step == "day"
    assert [(each["left"], each["articleCount"]) for each in told.buckets] == [(2, 4), (1, 2), (1, 2)]


def test_weeks_keep_their_step() -> None:
    told = columns([bucket(0 * WEEK, left=1), bucket(2 * WEEK, left=1)], SIDES, WEEK)
    assert told
    assert told.step == "week"


def test_nothing_is_no_chart() -> None:
    assert columns([], SIDES) is None


def test_a_bucket_without_reports_has_no_column() -> None:
    told = columns([bucket(0 * DAY, articleCount=3)], SIDES, DAY)
    assert told
    assert (told.parts, told.most) == ([], 1)


@pytest.mark.parametrize(
    ("count", "most"),
    [(1, 1), (9, 9), (10, 10), (11, 12), (99, 100), (101, 120), (131, 150), (601, 800), (1_001, 1_200)],
)
def test_the_top_of_an_axis_is_round_and_near(count: int, most: int) -> None:
    told = columns([bucket(0 * DAY, left=count)], SIDES, DAY)
    assert told
    assert told.most == most
