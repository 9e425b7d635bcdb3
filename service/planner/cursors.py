"""Cursors: positions bound to the list that gave them. Postgres writes them (`list_cursor`), this reads them."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, cast

import orjson

from schema.binding import Key, Order
from schema.vocabulary import Bias
from service.errors import BadUserInput
from service.planner.inputs import Input
from service.planner.plan import Position
from service.planner.sql import Sql, Values, parameter

LONGEST = 4_000


def binding(field: str, *asked: Input | str) -> Sql:
    """What a list's cursors are bound to beside their parent: the field, and what chooses and orders its rows."""
    return parameter("text", lambda values: _digest(field, asked, values))


def position(cursor: Input, name: str, order: Order, bound_to: Sql) -> Position:
    """The position that the argument `name` gives; a cursor that is not one of this list is the caller's error."""
    expected = bound_to.parts[0]
    assert not isinstance(expected, str)

    def reader(part: int) -> Any:
        def read(values: Values) -> Any:
            return _decode(cursor.read(values), name, expected.read(values), order)[part]

        return read

    keys = tuple(parameter(key.type, reader(number)) for number, key in enumerate(order.keys, 1))
    return Position(parameter("text", reader(0)), keys)


def _digest(field: str, asked: tuple[Input | str, ...], values: Values) -> str:
    said = [item if isinstance(item, str) else _plain(item.read(values)) for item in asked]
    return hashlib.sha256(f"{field}:{said!r}".encode(errors="surrogatepass")).hexdigest()[:12]


def _plain(value: Any) -> Any:
    """The value in one spelling: null as absent, names of enums, members in the order of their names."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _plain(members[name]) for name in sorted(members) if members[name] is not None}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None


@lru_cache(maxsize=512)
def _decode(cursor: str, name: str, expected: str, order: Order) -> tuple[Any, ...]:
    try:
        bound_to, parent, keys = _payload(cursor).split(":", 2)
        _text(parent)
        if bound_to != expected:
            raise BadUserInput(f"'{name}' is a cursor of another list, sort or filter.")
        read = [_key(value, key) for value, key in zip(orjson.loads(keys), order.keys, strict=True)]
    except (ValueError, TypeError, OverflowError):
        raise BadUserInput(f"'{name}' is not a cursor of this list.") from None
    return parent, *read


def _payload(cursor: str) -> str:
    """What Postgres wrote; ValueError where the text is longer than a cursor or its check sum is wrong."""
    if len(cursor) > LONGEST:
        raise ValueError(cursor[:LONGEST])
    written = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    if hashlib.md5(written[8:], usedforsecurity=False).hexdigest()[:8].encode() != written[:8]:
        raise ValueError(cursor)
    return written[8:].decode()


def _key(value: Any, key: Key) -> Any:
    """A key as the driver takes it. Anyone can make a check sum, so a value may be anything: ValueError where it is."""
    if value is None and key.nullable:
        return None
    return _KEY_READERS[key.type](value)


def _whole_number(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError
        return value

    return read


def _number(largest: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > largest:
            raise ValueError
        return value

    return read


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value


def _bias(value: Any) -> str:
    if value not in Bias.__members__:
        raise ValueError
    return value


_KEY_READERS: dict[str, Callable[[Any], Any]] = {
    "integer": _whole_number(32),
    "bigint": _whole_number(64),
    "real": _number(3.4e38),
    "double precision": _number(sys.float_info.max),
    "timestamptz": _moment,
    "text": _text,
    "bias": _bias,
}
