from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.strict_json import NotStrictJson, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner)
    ),
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_is_read_however_it_is_written(value: Any, ascii_only: bool, indent: int | str | None) -> None:  # noqa: FBT001 (hypothesis fills it)
    import json

    assert read_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '[[{"b":{"a":1,"a" :1}}]]',
        '{"":1, "":1}',
        '{"\\"":1,"\\"":2}',
        '{"x":"\\":","a":1,"a":2}',
    ],
)
def test_an_object_with_a_key_twice_is_refused(text: str) -> None:
    with pytest.raises(NotStrictJson, match="same key twice"):
        read_json(text)


@pytest.mark.parametrize(
    "text", ['{"a":"\\":"}', '{"a":"\\" :","b":["\\":"]}', '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}']
)
def test_keys_in_different_objects_and_in_strings_are_no_repetition(text: str) -> None:
    read_json(text)


@pytest.mark.parametrize("text", ['"\\u0000"', '{"a":["b\\u0000"]}', '{"\\u0000":1}', '"\\\\\\u0000"'])
def test_a_nul_character_is_refused(text: str) -> None:
    with pytest.raises(NotStrictJson, match="NUL"):
        read_json(text)


def test_an_escaped_backslash_before_u0000_is_no_nul_character() -> None:
    assert read_json('{"query":"\\\\u0000"}') == {"query": "\\u0000"}


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "-Infinity", "1e400", "[1,]", "'a'", '"\\ud800"', "1 2", "9" * 5_000, "[" * 2_000]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(NotStrictJson, match="not JSON"):
        read_json(text)
