"""Public ids: opaque to clients, tagged with their type, made of the row's key."""

from __future__ import annotations

import re
from collections.abc import Callable

_ID = re.compile(r"(story|article|outlet|topic|place)_([1-9][0-9]{0,18})", re.ASCII)
_LARGEST_KEY = 2**63 - 1


def identity(tag: str, column: str = "id") -> str:
    """The template of an id, of the key in a row's column; null where that is."""
    return f"'{tag}_' || {{{column}}}"


def standing_for(condition: str) -> str:
    """A subselect of the key that stands for the story `m` that meets the condition: what it went into, or its own."""
    return f"(select coalesce(m.merged_into, m.id) from stories m where {condition})"


def decode(value: str) -> tuple[str, int] | None:
    """Tag and key of an id; None where it is malformed or of no type here."""
    match = _ID.fullmatch(value)
    if match is None or int(match[2]) > _LARGEST_KEY:
        return None
    return match[1], int(match[2])


def key_of(tag: str) -> Callable[[str], int | None]:
    """A converter of ids to keys; an id that is malformed or of another type is the key of nothing."""

    def convert(value: str) -> int | None:
        decoded = decode(value)
        return decoded[1] if decoded and decoded[0] == tag else None

    return convert
