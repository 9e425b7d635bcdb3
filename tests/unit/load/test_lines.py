from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from service.load.lines import MAX_LINE, Line, LineError, read_line

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ARTICLE = {"type": "article", "url": "https://a.example/1", "outlet": "a.example", "title": "T"}
ARTICLE["publishedAt"] = "2026-02-28T12:00:00Z"
STORY = {"type": "story", "key": "k", "title": "T"}
OUTLET = {"type": "outlet", "domain": "a.example"}
TOPIC = {"type": "topic", "slug": "t"}
MERGE = {"type": "merge", "from": "a", "into": "b"}


def read(line: object) -> Line:
    return read_line(line if isinstance(line, bytes) else orjson.dumps(line), NOW)


def error(line: object) -> LineError:
    with pytest.raises(LineError) as caught:
        read(line)
    return caught.value


def given(line: object) -> dict[str, Any]:
    return orjson.loads(read(line).fields)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"{",
        b'{"type": "topic", "slug": "t"',
        b'{"type": "topic", "slug": "t"} {}',
        b"\xff\xfe",
        b'{"type": "topic", "slug": "\xc3',
        b'{"type": "topic", "slug": "\xc3"}',
        b'{"type": "topic", "slug": "\\ud800"}',
        b'{"type": "topic", "slug": "a\x00"}',
        b'{"type": "topic", "slug": "t", "other": NaN}',
        b"[" * 100_000,
        b'{"type": "topic", "slug": "t", "other": 1' + b"0" * 400 + b"}",
        "{}".encode("utf-16"),
    ],
)
def test_what_is_not_json_is_wrong_as_a_whole(text: bytes) -> None:
    found = error(text)
    assert (found.field, found.type) == (None, None)
    assert found.reason.startswith("not JSON")


@pytest.mark.parametrize("line", [1, "x", None, [], [STORY]])
def test_a_line_is_an_object(line: object) -> None:
    assert error(line).reason == "the line must be an object"


@pytest.mark.parametrize("kind", [None, "", "Story", "stories", 1, [], {}])
def test_an_unknown_type_is_wrong(kind: object) -> None:
    assert error({"type": kind}).field == "type"
    assert error({}).field == "type"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (ARTICLE, {"url": None}, "url"),
    (ARTICLE, {"url": ""}, "url"),
    (ARTICLE, {"outlet": " \t\u2003"}, "outlet"),
    (ARTICLE, {"title": ""}, "title"),
    (ARTICLE, {"title": 5}, "title"),
    (ARTICLE, {"title": "x" * 1_001}, "title"),
    (ARTICLE, {"excerpt": "x" * 10_001}, "excerpt"),
    (ARTICLE, {"authors": ["x"] * 101}, "authors"),
    (ARTICLE, {"authors": ["x" * 301]}, "authors[0]"),
    (ARTICLE, {"authors": [None]}, "authors[0]"),
    (ARTICLE, {"authors": "Ann"}, "authors"),
    (ARTICLE, {"kind": "news"}, "kind"),
    (ARTICLE, {"kind": "COMMENT"}, "kind"),
    (ARTICLE, {"language": ""}, "language"),
    (ARTICLE, {"language": "en_GB"}, "language"),
    (ARTICLE, {"paywalled": "true"}, "paywalled"),
    (ARTICLE, {"paywalled": 1}, "paywalled"),
    (ARTICLE, {"story": ""}, "story"),
    (ARTICLE, {"imageUrl": "/relative"}, "imageUrl"),
    (STORY, {"key": " "}, "key"),
    (STORY, {"key": "x" * 301}, "key"),
    (STORY, {"summary": "x" * 10_001}, "summary"),
    (STORY, {"perspectives": {"LEFT": "x" * 10_001}}, "perspectives.LEFT"),
    (STORY, {"perspectives": {"FAR_LEFT": "x"}}, "perspectives.FAR_LEFT"),
    (STORY, {"perspectives": []}, "perspectives"),
    (STORY, {"topics": ["a", ""]}, "topics[1]"),
    (STORY, {"topics": ["x" * 301]}, "topics[0]"),
    (STORY, {"places": [{}]}, "places[0]"),
    (STORY, {"keyPoints": [str(n) for n in range(101)]}, "keyPoints"),
    (STORY, {"title": "a\0b"}, "title"),
    (STORY, {"keyPoints": ["a", "\0"]}, "keyPoints[1]"),
    (STORY, {"perspectives": {"RIGHT": "\0"}}, "perspectives.RIGHT"),
    (OUTLET, {"domain": ""}, "domain"),
    (OUTLET, {"domain": "x" * 301}, "domain"),
    (OUTLET, {"name": "x" * 301}, "name"),
    (OUTLET, {"country": "GBR"}, "country"),
    (OUTLET, {"country": "gb"}, "country"),
    (OUTLET, {"medium": "BLOG"}, "medium"),
    (OUTLET, {"owners": [{"name": "A"}]}, "owners[0].category"),
    (OUTLET, {"owners": [{"name": "A", "category": "STATE"}]}, "owners[0].category"),
    (OUTLET, {"ratings": [{"bias": "LEFT"}]}, "ratings[0].agency"),
    (OUTLET, {"ratings": [{"agency": "A", "bias": "Left"}]}, "ratings[0].bias"),
    (OUTLET, {"ratings": [{"agency": "A", "factuality": "TRUE"}]}, "ratings[0].factuality"),
    (OUTLET, {"ratings": [{"agency": "A", "ratedAt": "2020-01-01"}]}, "ratings[0].ratedAt"),
    (OUTLET, {"ratings": [{"agency": "A", "url": "x"}]}, "ratings[0].url"),
    (TOPIC, {"parent": " "}, "parent"),
    (MERGE, {"from": None}, "from"),
    (MERGE, {"into": ""}, "into"),
    ({"type": "remove"}, {}, "story"),
    ({"type": "remove"}, {"story": "a", "article": "http://x"}, "story"),
    ({"type": "remove"}, {"article": "a"}, "article"),
]


@pytest.mark.parametrize(("line", "wrong", "field"), WRONG)
def test_a_wrong_field_is_told_by_its_name_and_reason(line: dict[str, Any], wrong: dict[str, Any], field: str) -> None:
    found = error({**line, **wrong})
    assert (found.type, found.field) == (line["type"], field)
    assert found.reason


@pytest.mark.parametrize("line", [ARTICLE, STORY, OUTLET, TOPIC, MERGE])
def test_required_fields_are_required_on_every_line(line: dict[str, Any]) -> None:
    for field in line.keys() - {"type"}:
        found = error({name: value for name, value in line.items() if name != field})
        assert (found.field, found.reason) == (field, "is required")


def test_limits_count_characters_and_are_reached() -> None:
    read(
        {
            **STORY,
            "key": "é" * 300,
            "title": "𝄞" * 1_000,
            "summary": "é" * 10_000,
            "topics": [str(n) for n in range(100)],
        }
    )
    read({**ARTICLE, "url": "http://" + "é" * 2_041})
    assert error({**ARTICLE, "url": "http://" + "é" * 2_042}).reason == "must have at most 2,048 characters"


def test_a_line_over_1_mib_is_wrong() -> None:
    line = orjson.dumps({**STORY, "keyPoints": ["x"] * 5, "other": ""})
    fits = line[:-2] + b"x" * (MAX_LINE - len(line)) + b'"}'
    assert read(fits).key == "k"
    assert error(fits[:-2] + b'x"}').reason == "the line is over 1 MiB"


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "https://a.example:8080/?q#f",
        "http://u:p@a/",
        "http://[::1]/",
        "http://a/\\x y",
        "http://пример.рф/ü",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert read({**ARTICLE, "url": url}).key == url


@pytest.mark.parametrize(
    "url",
    [
        "a.example/1",
        "//a.example/1",
        "ftp://a.example",
        "HTTP://a.example",
        " http://a.example",
        "http://",
        "http:///path",
        "http://?q",
        "http://#f",
        "http://:80/",
        "http://user@/",
        "http://u:p@/x",
        "http:// /",
        "http://a.example/\n",
        "http://a.example/\x7f",
        "http://a.example/\x85",
        "http://a.example/\0",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    assert error({**ARTICLE, "url": url}).field == "url"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-02-28T12:00:00Z", "2026-02-28T12:00:00+00:00"),
        ("2026-02-28t12:00:00z", "2026-02-28T12:00:00+00:00"),
        ("2026-02-28T12:00:00.5+05:30", "2026-02-28T06:30:00.500000+00:00"),
        ("2026-02-28T12:00:00.123456-00:00", "2026-02-28T12:00:00.123456+00:00"),
        ("2026-02-28T23:59:59-23:59", "2026-03-01T23:58:59+00:00"),
    ],
)
def test_times_are_stored_in_utc(text: str, utc: str) -> None:
    assert given({**ARTICLE, "publishedAt": text})["publishedAt"] == utc


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-28T12:00:00",
        "2026-02-28",
        "2026-02-28 12:00:00Z",
        "2026-02-28T12:00Z",
        "20260228T120000Z",
        "2026-02-28T12:00:00+0100",
        "2026-02-28T12:00:00.1234567Z",
        "2026-02-28T12:00:00.Z",
        "2026-02-28T24:00:00Z",
        "2026-02-28T23:59:60Z",
        "2026-02-29T12:00:00Z",
        "2026-02-28T12:00:00+24:00",
        "٢٠٢٦-02-28T12:00:00Z",
        "2026-02-28T12:00:00Z\n",
        "1899-12-31T23:59:59Z",
        "2026-03-02T00:00:01Z",
        1_772_000_000,
    ],
)
def test_times_that_are_refused(text: object) -> None:
    assert error({**ARTICLE, "publishedAt": text}).field == "publishedAt"


def test_a_rating_may_be_of_any_time_that_can_be_told_in_utc() -> None:
    rating = {"agency": "A", "ratedAt": "0001-01-01T00:00:00+14:00"}
    assert error({**OUTLET, "ratings": [rating]}).reason == "must be a time that exists"
    read({**OUTLET, "ratings": [{**rating, "ratedAt": "9999-12-31T23:59:59Z"}]})


def test_what_a_line_does_not_mention_is_not_in_its_fields() -> None:
    assert given(OUTLET) == given(TOPIC) == {}
    assert given(ARTICLE).keys() == {"outlet", "title", "publishedAt", "slug"}
    assert given({**ARTICLE, "story": "k"}).keys() == {"outlet", "title", "publishedAt", "story"}


def test_null_is_told_from_missing() -> None:
    assert given({**OUTLET, "name": None, "ratings": None, "owners": None, "country": None}) == {
        "name": "a.example",
        "ratings": None,
        "owners": [],
        "country": None,
    }
    assert given({**ARTICLE, "kind": None, "authors": None})["kind"] == "NEWS"


def test_a_list_of_keys_names_each_once() -> None:
    assert given({**STORY, "topics": ["b", "a", "b"], "places": ["p", "p"]})["topics"] == ["b", "a"]


def test_of_two_ratings_of_one_agency_the_later_wins() -> None:
    ratings = [{"agency": "A", "bias": "LEFT"}, {"agency": "A", "bias": "RIGHT"}]
    assert given({**OUTLET, "ratings": ratings})["ratings"] == [{"agency": "A", "bias": "RIGHT"}]


def test_a_perspective_without_text_is_none() -> None:
    assert given({**STORY, "perspectives": {"LEFT": None, "CENTER": " ", "RIGHT": "r"}})["perspectives"] == {
        "RIGHT": "r"
    }


def test_fields_that_nobody_asked_for_are_passed_over() -> None:
    assert given({**TOPIC, "colour": "red", "id": None}) == {}
    assert given(b'{"type": "topic", "slug": "t", "name": "A", "name": "B"}') == {"name": "B"}


def test_a_field_that_is_not_there_is_named_in_few_characters() -> None:
    assert error({**STORY, "perspectives": {"x" * 900_000: "y"}}).field == f"perspectives.{'x' * 40}…"


def test_an_own_storys_key_may_be_as_long_as_a_url() -> None:
    key = "url:https://a.example/" + "x" * 2_000
    assert given({**ARTICLE, "story": key})["story"] == key
    assert error({**ARTICLE, "story": "url:" + "x" * 300}).field == "story"
