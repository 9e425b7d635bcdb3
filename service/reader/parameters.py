"""What a page's query string asks for. Knows nothing of documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl

from service.errors import BadRequest

MOST = 40
LONGEST = 400
"""Characters of a text; a cursor may have more."""
LONGEST_CURSOR = 4_000

Value = TypeVar("Value")


class Parameters:
    """The parameters of a query string; those that nobody asks for are passed over. Every reading raises BadRequest.

    `told` is what a link to the same page has: what was read, and is not as without it; cursors left out.
    """

    def __init__(self, query_string: bytes) -> None:
        self.told: dict[str, str] = {}
        self._given: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=MOST)
        except ValueError:
            raise BadRequest(f"The address must be UTF-8, percent-encoded, with at most {MOST} parameters.") from None
        for name, value in pairs:
            if "\0" in value:
                raise BadRequest(f"`{name[:40]}` holds a NUL character.")
            self._given.setdefault(name, []).append(value)

    def text(self, name: str, most: int = LONGEST) -> str | None:
        """A text without blanks around it; None where there is none."""
        text = self._one(name, most)
        if text:
            self.told[name] = text
        return text or None

    def choice(self, name: str, choices: Mapping[str, Value], default: str) -> Value:
        """What stands for the word that was given, of those there are."""
        word = self._one(name, LONGEST) or default
        if word not in choices:
            raise BadRequest(f"`{name}` must be one of {', '.join(choices)}.")
        if word != default:
            self.told[name] = word
        return choices[word]

    def cursor(self) -> str | None:
        """Where a list goes on."""
        return self._one("after", LONGEST_CURSOR) or None

    def several(self, name: str, most: int) -> list[str]:
        """Different texts, given as one with commas or one by one, each once."""
        found = [each.strip().lower() for value in self._given.get(name, ()) for each in value.split(",")]
        different = list(dict.fromkeys(filter(None, found)))
        if len(different) > most:
            raise BadRequest(f"`{name}` may name {most} at most.")
        if any(len(each) > LONGEST for each in different):
            raise BadRequest(f"`{name}` holds a text of more than {LONGEST} characters.")
        if different:
            self.told[name] = ",".join(different)
        return different

    def _one(self, name: str, most: int) -> str:
        values = self._given.get(name, [])
        if len(values) > 1:
            raise BadRequest(f"`{name}` is given twice.")
        text = values[0].strip() if values else ""
        if len(text) > most:
            raise BadRequest(f"`{name}` is longer than {most:,} characters.")
        return text


def last_days(days: int, now: datetime) -> dict[str, str]:
    """The window of that many whole days in UTC of which today is the last: the same all day, so that it is kept."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, end = today - timedelta(days=days - 1), today + timedelta(days=1)
    return {"after": first.isoformat(), "before": end.isoformat()}
