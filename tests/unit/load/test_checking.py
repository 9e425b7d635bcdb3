"""Lines that are looked at without a database: by `check`, and by anyone who has the JSON Schema."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import jsonschema
import orjson
import pytest

from service.demo import world
from service.events import Event
from service.load import LineRefused, check
from service.load.json_schema import json_schema

ARTICLE = {
    "type": "article",
    "url": "https://courier.example/a",
    "outlet": "courier.example",
    "title": "A",
    "publishedAt": "2026-03-01T09:30:00Z",
}
WRONG: list[Any] = [
    {"type": "topic"},
    {"type": "planet", "slug": "x"},
    {"slug": "x"},
    [],
    "topic",
    {"type": "topic", "slug": " "},
    {"type": "topic", "slug": "x" * 301},
    {"type": "place", "slug": "x", "country": "usa"},
    {"type": "outlet", "domain": "x.example", "medium": "PIGEON"},
    {"type": "outlet", "domain": "x.example", "owners": [{"name": "Y"}]},
    {"type": "outlet", "domain": "x.example", "ratings": [{"agency": "A", "bias": "left"}]},
    {"type": "story", "key": "k", "title": "T", "perspectives": {"UP": "x"}},
    {"type": "story", "key": "k", "title": "T", "keyPoints": ["x"] * 101},
    {**ARTICLE, "url": "ftp://courier.example/a"},
    {**ARTICLE, "url": "https://"},
    {**ARTICLE, "publishedAt": "2026-03-01T09:30:00"},
    {**ARTICLE, "paywalled": "yes"},
    {**ARTICLE, "title": 7},
    {"type": "merge", "from": "a"},
    {"type": "remove"},
    {"type": "remove", "story": "a", "article": "https://courier.example/a"},
]
RIGHT: list[Any] = [
    ARTICLE,
    {**ARTICLE, "authors": None, "paywalled": True, "kind": "OPINION", "unknown": "is passed over"},
    {"type": "outlet", "domain": "x.example", "ratings": [{"agency": "A", "bias": "FAR_LEFT", "ratedAt": None}]},
    {"type": "story", "key": "k", "title": "T", "perspectives": {"LEFT": "x"}},
    {"type": "merge", "from": "a", "into": "b"},
    {"type": "remove", "article": "https://courier.example/a"},
]


def checked(text: bytes) -> tuple[Any, list[LineRefused]]:
    seen: list[Event] = []
    summary = check([io.BytesIO(text)], seen.append)
    return summary, [event for event in seen if isinstance(event, LineRefused)]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = orjson.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("line", WRONG, ids=str)
def test_a_wrong_line_is_found_by_the_check_and_by_the_schema(line: Any, validator: Any) -> None:
    summary, refused = checked(orjson.dumps(line))
    assert (summary.refused, summary.exit_code, len(refused)) == (1, 2, 1)
    assert not validator.is_valid(line)


@pytest.mark.parametrize("line", RIGHT, ids=str)
def test_a_right_line_is_right_for_both(line: Any, validator: Any) -> None:
    assert checked(orjson.dumps(line))[0].exit_code == 0
    validator.validate(line)


def test_the_whole_demo_world_is_right_for_both(validator: Any) -> None:
    lines = [*world(datetime.now(UTC))]
    summary, refused = checked(b"\n".join(map(orjson.dumps, lines)))
    assert (summary.lines, summary.exit_code, refused) == (len(lines), 0, [])
    assert all(validator.is_valid(orjson.loads(orjson.dumps(line))) for line in lines)


def test_what_is_wrong_is_told_with_its_place_and_its_beginning() -> None:
    long = orjson.dumps({**ARTICLE, "url": "x", "excerpt": "y" * 5_000})
    summary, refused = checked(b"\n".join([orjson.dumps(ARTICLE), b"", b"nonsense \xff", long]))
    assert [(each.line, each.field) for each in refused] == [(3, None), (4, "url")]
    assert [each.text for each in refused] == ["nonsense \N{REPLACEMENT CHARACTER}", long[:200].decode()]
    assert summary.exit_code == 1
    assert {kind: (counts.unchanged, counts.refused) for kind, counts in summary.counts.items()} == {
        "article": (1, 1),
        "unknown": (0, 1),
    }


@pytest.mark.parametrize(
    ("line", "text", "at"),
    [
        (b'{"type": "topic", }', '{"type": "topic", }', 16),
        ("{'ä': 1}".encode(), "{'ä': 1}", 1),
        (b'{"type": "topic"', '{"type": "topic"', 16),
        (b'{"x": "' + b"y" * 300 + b'", }', "…" + "y" * 39 + '", }', 41),
        (b'{"x": "\xff"}', '{"x": "\ufffd"}', None),
        (b'{"type": "topic"}', '{"type": "topic"}', None),
        (b'{"type": "story", "key": "' + b"k" * 100 + b'", "title": 7}', "…" + "k" * 37 + '", "title": 7}', None),
        (b'{"type": "topic", "slug": "' + b"x" * 301 + b'"}', '{"type": "topic", "slug": "' + "x" * 173, None),
    ],
)
def test_what_is_shown_of_a_wrong_line_is_where_it_is_wrong(line: bytes, text: str, at: int | None) -> None:
    _, (refused,) = checked(line)
    assert (refused.text, refused.at) == (text, at)
