from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from service.errors import BadRequest
from service.reader.parameters import Parameters, last_days

SORTS = {"latest": "LATEST", "trending": "TRENDING"}


def test_what_is_as_without_it_is_left_out_of_links() -> None:
    given = Parameters(b"sort=latest&q=+two%20words+&after=x&utm_source=y")
    assert given.choice("sort", SORTS, "latest") == "LATEST"
    assert given.text("q") == "two words"
    assert given.cursor() == "x"
    assert given.told == {"q": "two words"}


def test_several_come_as_one_or_one_by_one_each_once() -> None:
    assert Parameters(b"outlets=b.example,A.example&outlets=b.example&outlets=,").several("outlets", 10) == [
        "b.example",
        "a.example",
    ]


@pytest.mark.parametrize(
    "query", [b"sort=x", b"sort=latest&sort=trending", b"sort=%00", b"sort=" + b"x" * 401, b"sort=%ff"]
)
def test_what_will_not_do_is_told(query: bytes) -> None:
    with pytest.raises(BadRequest):
        Parameters(query).choice("sort", SORTS, "latest")


@pytest.mark.parametrize("query", [b"\xff", b"&".join([b"a=b"] * 41)])
def test_a_query_string_that_is_none_is_refused(query: bytes) -> None:
    with pytest.raises(BadRequest):
        Parameters(query)


def test_more_than_may_be_named_is_refused() -> None:
    with pytest.raises(BadRequest):
        Parameters(b"outlets=a,b,c").several("outlets", 2)


def test_a_window_is_of_whole_days_and_the_same_all_day() -> None:
    morning = datetime(2026, 3, 4, 0, 0, 1, tzinfo=UTC)
    told = last_days(7, morning)
    assert told == {"after": "2026-02-26T00:00:00+00:00", "before": "2026-03-05T00:00:00+00:00"}
    assert last_days(7, morning + timedelta(hours=23)) == told
    assert last_days(7, datetime(2026, 3, 4, 23, tzinfo=timezone(timedelta(hours=-5)))) != told
