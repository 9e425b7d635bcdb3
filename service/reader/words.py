"""How pages say what the API names: words for enum values, dates, numbers, languages, links. Knows no markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

SIDES: Mapping[str, str] = {"LEFT": "Left", "CENTER": "Center", "RIGHT": "Right"}
BIASES: Mapping[str, str] = {
    "FAR_LEFT": "Far left",
    "LEFT": "Left",
    "LEAN_LEFT": "Lean left",
    "CENTER": "Center",
    "LEAN_RIGHT": "Lean right",
    "RIGHT": "Right",
    "FAR_RIGHT": "Far right",
}
SIDE_OF: Mapping[str, str] = {
    "FAR_LEFT": "LEFT",
    "LEFT": "LEFT",
    "LEAN_LEFT": "LEFT",
    "CENTER": "CENTER",
    "LEAN_RIGHT": "RIGHT",
    "RIGHT": "RIGHT",
    "FAR_RIGHT": "RIGHT",
}
"""The side that each point folds into."""
OPPOSITE: Mapping[str, str] = {"LEFT": "RIGHT", "RIGHT": "LEFT"}

_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"})
_SCRIPTS_TO_LEFT = frozenset({"adlm", "arab", "hebr", "nkoo", "syrc", "thaa"})


def words(name: str) -> str:
    """An enum's value as words: NEWS_AGENCY as "News agency"."""
    return BIASES.get(name) or name.replace("_", " ").capitalize()


def direction(language: str | None) -> str:
    """What `dir` is for a text in that language (BCP 47): the browser looks at the text where it is unknown."""
    if language is None:
        return "auto"
    primary, *others = language.lower().split("-")
    scripts = [each for each in others if len(each) == 4 and each.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _SCRIPTS_TO_LEFT else "ltr"
    return "rtl" if primary in _RIGHT_TO_LEFT else "ltr"


def web_url(url: str | None) -> str | None:
    """The URL where it is one that a page may link to: of http or https."""
    # No more is looked at: what comes after is kept as it was loaded, and need be nothing that can be taken apart.
    return url if url and url.lower().startswith(("http://", "https://")) else None


def moment(time: str) -> str:
    """A time of the API as a page tells it without a script: "3 Nov 2026, 17:18 UTC"."""
    told = _parsed(time)
    return f"{told.day} {told:%b %Y, %H:%M} UTC"


def hour(time: str) -> str:
    """The hour of a time of the API, of a year that goes without saying: "3 Nov, 17:00"."""
    told = _parsed(time)
    return f"{told.day} {told:%b, %H:%M}"


def day(time: str) -> str:
    """The day of a time of the API: "3 Nov 2026"."""
    told = _parsed(time)
    return f"{told.day} {told:%b %Y}"


def number(count: int) -> str:
    """A count with its thousands told apart."""
    return f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 source", "24 sources"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shortened(text: str, most: int = 158) -> str:
    """The text, cut between words where it is longer, with an ellipsis: for descriptions in search results."""
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _parsed(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC)
