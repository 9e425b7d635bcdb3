from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from service.access_arguments import Duration, Features, Network, Origin, When


def read(kind: click.ParamType[Any], given: str) -> object:
    return kind.convert(given, None, None)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("90d", timedelta(days=90)),
        ("0s", timedelta()),
        ("2w", timedelta(days=14)),
        ("1h30m", timedelta(minutes=90)),
        ("1d1d", timedelta(days=2)),
    ],
)
def test_a_length_of_time_is_numbers_with_units(given: str, meant: timedelta) -> None:
    assert read(Duration(), given) == meant


@pytest.mark.parametrize("given", ["", "90", "d", "-1d", "1.5d", "1y", "1d ", "٣d", "1D", "9999999d", "999999w" * 999])
def test_what_is_no_length_of_time_is_told(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is no length of time: write 90d"):
        read(Duration(), given)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_day_or_has_a_zone(given: str, meant: datetime) -> None:
    assert read(When(), given) == meant


def test_a_time_may_be_told_from_now() -> None:
    before = datetime.now(UTC)
    when = read(When(), "90d")
    assert isinstance(when, datetime)
    assert before <= when - timedelta(days=90) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("soon", "is no time"),
        ("2027-02-30", "is no time"),
        ("999999w", "is no time"),
        ("2027-01-31T12:00:00", "names no time zone"),
        ("9999-01-31", "too far ahead"),
    ],
)
def test_what_is_no_time_is_told(given: str, told: str) -> None:
    with pytest.raises(click.BadParameter, match=told):
        read(When(), given)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://Example.org", "https://example.org"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:80000"[:-1], "http://[::1]:8000"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given: str, meant: str) -> None:
    assert read(Origin(), given) == meant


@pytest.mark.parametrize(
    "given",
    ["", "null", "*", "example.org", "https://", "https://a.org/", "https://a.org/x", "https://a.org:443", "ftp://a.org",
     "https://me@a.org", "https://a.org?x", "https://a.org:port", "http://a.org:80", "https://bücher.example", "https://*.a.org"],
)  # fmt: skip
def test_what_no_browser_sends_is_no_origin(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is no origin"):
        read(Origin(), given)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.1", "192.0.2.1/32"), ("2001:DB8::/32", "2001:db8::/32"),
     ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("::ffff:192.0.2.1", "192.0.2.1/32"), ("::/0", "::/0")],
)  # fmt: skip
def test_a_network_is_a_range_or_an_address(given: str, meant: str) -> None:
    assert read(Network(), given) == meant


@pytest.mark.parametrize("given", ["", "192.0.2.1/24", "192.0.2.0/33", "example.org"])
def test_what_is_no_network_is_told(given: str) -> None:
    with pytest.raises(click.BadParameter, match=r"write 192\.0\.2\.0/24"):
        read(Network(), given)


def test_features_are_named_in_any_case_or_are_none() -> None:
    assert read(Features(), "factuality, EXPORT") == {"FACTUALITY", "EXPORT"}
    assert read(Features(), "none") == frozenset()


@pytest.mark.parametrize("given", ["", "none,EXPORT", "TELEPATHY", "EXPORT,"])
def test_what_is_no_feature_is_told(given: str) -> None:
    with pytest.raises(click.BadParameter, match="there are FACTUALITY"):
        read(Features(), given)
