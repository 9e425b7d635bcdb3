"""JSON as callers must send it: nothing doubtful is let through. Knows nothing of what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import orjson

# Every key of a JSON text ends like this. So may a string that holds an escaped quote: this can only count too many.
_END_OF_KEY = re.compile(rb'"[ \t\r\n]*:')


class NotStrictJson(ValueError):
    """The text is not JSON in UTF-8, repeats a key in an object, or holds a NUL character; its message says which."""


def read_json(text: bytes | str) -> Any:
    """The value of a JSON text; raises NotStrictJson.

    orjson itself refuses NaN, numbers beyond a double, lone surrogates and nesting over 1,024 levels, but keeps the
    last of several equal keys: two readers of one request could then disagree about what it asks.
    """
    encoded = text.encode() if isinstance(text, str) else text
    try:
        value = orjson.loads(encoded)
    except orjson.JSONDecodeError as error:
        raise NotStrictJson(f"not JSON: {error}") from None
    if len(_END_OF_KEY.findall(encoded)) != _keys(value):
        json.loads(encoded, object_pairs_hook=_distinct)
    if b"\\u0000" in encoded and any("\0" in each for each in _strings(value)):
        raise NotStrictJson("a string holds a NUL character")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("an object has the same key twice")
    return found


def _keys(value: Any) -> int:
    """How many keys all objects have together. Every request comes by here, so it makes as little as it can."""
    found = 0
    todo: list[Any] = [value]
    while todo:
        each = todo.pop()
        if type(each) is dict:
            found += len(cast("dict[str, Any]", each))
            todo += cast("dict[str, Any]", each).values()
        elif type(each) is list:
            todo += cast("list[Any]", each)
    return found


def _within(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """Every object and array of a value, at any depth."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            yield (found := cast("dict[str, Any]", each))
            todo.extend(found.values())
        elif isinstance(each, list):
            yield (items := cast("list[Any]", each))
            todo.extend(items)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in _within(value):
        if isinstance(each, dict):
            yield from each
            yield from (item for item in each.values() if isinstance(item, str))
        else:
            yield from (item for item in each if isinstance(item, str))
