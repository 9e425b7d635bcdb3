"""Cursors that were not given for the list they are used on."""

from __future__ import annotations

import base64
import hashlib
import string
from typing import Any

import pytest

from service.db.pool import Database
from tests.planner.asking import Asking

LISTS = {
    "stories": "stories({0}) {{ {1} }}",
    "stories, most covered": "stories({0}, sort: MOST_COVERED) {{ {1} }}",
    "stories, trending": "stories({0}, sort: TRENDING) {{ {1} }}",
    "stories, newest": "stories({0}, sort: NEWEST) {{ {1} }}",
    "stories found": 'stories({0}, filter: {{ search: "council" }}) {{ {1} }}',
    "stories by relevance": 'stories({0}, filter: {{ search: "council" }}, sort: RELEVANCE) {{ {1} }}',
    "stories of a topic": 'topic(by: {{ slug: "politics" }}) {{ stories({0}) {{ {1} }} }}',
    "stories of a place": 'place(by: {{ slug: "leeds" }}) {{ stories({0}) {{ {1} }} }}',
    "stories of an outlet": 'outlet(by: {{ domain: "outlet3.example" }}) {{ stories({0}) {{ {1} }} }}',
    "stories of another outlet": 'outlet(by: {{ domain: "outlet4.example" }}) {{ stories({0}) {{ {1} }} }}',
    "articles": "articles({0}) {{ {1} }}",
    "articles, oldest": "articles({0}, sort: OLDEST) {{ {1} }}",
    "articles of a story": 'story(by: {{ id: "STORY" }}) {{ articles({0}) {{ {1} }} }}',
    "articles, left to right": 'story(by: {{ id: "STORY" }}) {{ articles({0}, sort: LEFT_TO_RIGHT) {{ {1} }} }}',
    "articles of an outlet": 'outlet(by: {{ domain: "outlet3.example" }}) {{ articles({0}) {{ {1} }} }}',
    "reports": 'story(by: {{ id: "STORY" }}) {{ reports({0}) {{ {1} }} }}',
    "reports of a side": 'story(by: {{ id: "STORY" }}) {{ reports({0}, side: LEFT) {{ {1} }} }}',
    "outlets": "outlets({0}) {{ {1} }}",
    "outlets, left to right": "outlets({0}, sort: LEFT_TO_RIGHT) {{ {1} }}",
    "outlets, most articles": "outlets({0}, sort: MOST_ARTICLES) {{ {1} }}",
    "topics": "topics({0}) {{ {1} }}",
}


async def text_of(ask: Asking, name: str, arguments: str, fields: str) -> str:
    """The text of a list, as a field of Query."""
    (story,) = (await ask("{ stories(first: 1) { nodes { id } } }"))["stories"]["nodes"]
    return "list: " + LISTS[name].format(arguments, fields).replace("STORY", story["id"])


async def asked(ask: Asking, name: str, size: str, *, after: str | None = None) -> dict[str, Any]:
    """The connection."""
    fields = "edges { cursor } pageInfo { hasPreviousPage }"
    text = await text_of(ask, name, f"{size}, after: $after", fields)
    answer = (await ask(f"query ($after: String) {{ {text} }}", {"after": after}))["list"]
    return answer if "edges" in answer else next(iter(answer.values()))


async def refused(ask: Asking, name: str, cursor: str, side: str = "after") -> str:
    """The message by which the list refuses the cursor."""
    size = "first: 2" if side == "after" else "last: 2"
    text = await text_of(ask, name, f"{size}, {side}: $cursor", "edges { cursor }")
    error = await ask.refusal(f"query ($cursor: String) {{ {text} }}", {"cursor": cursor})
    assert error.code == "BAD_USER_INPUT"
    return error.message


@pytest.fixture(scope="module")
async def cursors(small_database: Database) -> dict[str, str]:
    """The cursor of the second item of every list."""
    ask = Asking(small_database)
    return {name: (await asked(ask, name, "first: 2"))["edges"][1]["cursor"] for name in LISTS}


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_goes_on_from_its_own_cursor(ask: Asking, name: str, cursors: dict[str, str]) -> None:
    three = await asked(ask, name, "first: 3")
    rest = await asked(ask, name, "first: 1", after=cursors[name])
    assert rest["edges"] == three["edges"][2:]
    assert rest["pageInfo"]["hasPreviousPage"] is True


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_refuses_the_cursors_of_every_other(ask: Asking, name: str, cursors: dict[str, str]) -> None:
    for other, cursor in cursors.items():
        if other != name:
            message = await refused(ask, name, cursor)
            assert message in (
                "'after' is a cursor of another list, sort or filter.",
                "The cursor belongs to another list.",
            )
            assert "another list" in await refused(ask, name, cursor, "before")


@pytest.mark.parametrize("name", ["stories, trending", "articles, left to right"])
async def test_a_cursor_with_any_letter_changed_is_refused(ask: Asking, name: str, cursors: dict[str, str]) -> None:
    cursor = cursors[name]
    letters = string.ascii_letters + string.digits + "-_"
    for place, letter in enumerate(cursor):
        other = letters[(letters.index(letter) + 1 + place) % 64]
        changed = cursor[:place] + (other if other != letter else "A") + cursor[place + 1 :]
        if _bytes(changed) != _bytes(cursor):
            assert await refused(ask, name, changed) == "'after' is not a cursor of this list."


def _bytes(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


async def test_a_cursor_cut_off_anywhere_is_refused(ask: Asking, cursors: dict[str, str]) -> None:
    cursor = cursors["stories"]
    for end in range(1, len(cursor)):
        assert await refused(ask, "stories", cursor[:end]) == "'after' is not a cursor of this list."
        assert await refused(ask, "stories", cursor[end:]) == "'after' is not a cursor of this list."


@pytest.mark.parametrize(
    "cursor",
    [
        *("", " ", "0", "=", "====", "null", "x" * 10_000, "A" * 4_000, "A" * 4_001, "é", "\0", "\ud800", "🙈", "-_-_"),
        *("' or 1=1 --", "$1", "%00", "eyJpZCI6MX0=", "YXJyYXljb25uZWN0aW9uOjA="),
    ],
)
async def test_what_is_no_cursor_is_refused(ask: Asking, cursor: str) -> None:
    for side in ("after", "before"):
        assert await refused(ask, "stories", cursor, side) == f"'{side}' is not a cursor of this list."


def forged(payload: str) -> str:
    """A cursor whose check sum is right."""
    checked = hashlib.md5(payload.encode(), usedforsecurity=False).hexdigest()[:8] + payload
    return base64.urlsafe_b64encode(checked.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "keys",
    [
        *("", "[", "[]", "[1]", "[1,2,3]", "{}", "null", '["2026-03-01T00:00:00+00:00"]', "[null,null]", "[1,1]"),
        *('["now",1]', '["infinity",1]', '["2026-03-01T00:00:00",1]', '["2026-03-01T00:00:00+00:00","1"]'),
        *('["2026-03-01T00:00:00+00:00",1.5]', '["2026-03-01T00:00:00+00:00",true]', '["0000-00-00T00:00:00Z",1]'),
        *('["2026-03-01T00:00:00+00:00",1e400]', '["2026-03-01T00:00:00+00:00",99999999999999999999]'),
        *('["2026-03-01T00:00:00+00:00",-9223372036854775809]', '["\\u0000",1]', '["2026-03-01T00:00:00+00:00",[1]]'),
        *("[" * 3_000, '["20260301T00",1]', '["2026-03-01T00:00:00+00:00",9223372036854775808]'),
    ],
)
async def test_a_forged_cursor_with_other_keys_is_refused(ask: Asking, cursors: dict[str, str], keys: str) -> None:
    bound_to, parent, _ = _bytes(cursors["stories"])[8:].decode().split(":", 2)
    message = await refused(ask, "stories", forged(f"{bound_to}:{parent}:{keys}"))
    assert message == "'after' is not a cursor of this list."


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("stories, most covered", '[2147483648,"2026-03-01T00:00:00+00:00",1]'),
        ("stories, most covered", '[1.0,"2026-03-01T00:00:00+00:00",1]'),
        ("stories, trending", '["1","2026-03-01T00:00:00+00:00",1]'),
        ("stories, trending", '[true,"2026-03-01T00:00:00+00:00",1]'),
        ("articles, left to right", '["LEFTISH","2026-03-01T00:00:00+00:00",1]'),
        ("articles, left to right", '[1,"2026-03-01T00:00:00+00:00",1]'),
        ("stories by relevance", '[1e300,"2026-03-01T00:00:00+00:00",1]'),
        ("stories by relevance", '[0.5,"10000-03-01T00:00:00+00:00",1]'),
        ("stories by relevance", '[0.5,"0001-01-01T00:00:00+23:59",1]'),
        ("stories by relevance", '["NaN","2026-03-01T00:00:00+00:00",1]'),
        ("topics", "[1]"),
        ("topics", "[null]"),
        ("topics", '["\\u0000"]'),
        ("topics", '["a","b"]'),
        ("outlets", '["a\\u0000",1]'),
    ],
)
async def test_forged_keys_of_other_types_are_refused(
    ask: Asking, cursors: dict[str, str], name: str, keys: str
) -> None:
    bound_to, parent, _ = _bytes(cursors[name])[8:].decode().split(":", 2)
    assert await refused(ask, name, forged(f"{bound_to}:{parent}:{keys}")) == "'after' is not a cursor of this list."


async def test_forged_parents_are_refused(ask: Asking, cursors: dict[str, str]) -> None:
    bound_to, _, keys = _bytes(cursors["articles of a story"])[8:].decode().split(":", 2)
    for parent in ("", "0", "x", "9" * 100, "' or true --"):
        message = await refused(ask, "articles of a story", forged(f"{bound_to}:{parent}:{keys}"))
        assert message == "The cursor belongs to another list."
    message = await refused(ask, "articles of a story", forged(f"{bound_to}:\0:{keys}"))
    assert message == "'after' is not a cursor of this list."
    bound_to, _, keys = _bytes(cursors["stories"])[8:].decode().split(":", 2)
    assert await refused(ask, "stories", forged(f"{bound_to}:7:{keys}")) == "The cursor belongs to another list."


async def test_one_cursor_for_lists_of_several_parents_is_refused(ask: Asking, cursors: dict[str, str]) -> None:
    query = "query ($c: String) { stories { nodes { articles(first: 1, after: $c) { nodes { id } } } } }"
    error = await ask.refusal(query, {"c": cursors["articles of a story"]})
    assert error.code == "BAD_USER_INPUT"


async def test_a_cursor_holds_for_the_same_filter_written_otherwise(ask: Asking) -> None:
    query = "query ($f: StoryFilter, $c: String) { stories(filter: $f, first: 2, after: $c) { edges { cursor } } }"
    given = {"topics": ["elections", "100%"], "search": "council", "minOutlets": 1}
    (_, edge) = (await ask(query, {"f": given}))["stories"]["edges"]
    wanted = await ask(query, {"f": given, "c": edge["cursor"]})
    other = {"minOutlets": 1, "blindspot": None, "search": "council", "topics": ["elections", "100%"]}
    assert await ask(query, {"f": other, "c": edge["cursor"]}) == wanted
    literal = """query ($t: String!, $c: String) {
      stories(first: 2, after: $c, filter: { minOutlets: 1, search: "council", topics: [$t, "100%"] }) {
        edges { cursor }
      }
    }"""
    assert await ask(literal, {"t": "elections", "c": edge["cursor"]}) == wanted
    for changed in ({"minOutlets": 2}, {"topics": ["elections"]}, {"search": "Council"}, {"leadingSide": "LEFT"}):
        error = await ask.refusal(query, {"f": {**given, **changed}, "c": edge["cursor"]})
        assert error.message == "'after' is a cursor of another list, sort or filter."
