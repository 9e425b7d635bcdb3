"""Names for addresses: made once from a story's first title, the same wherever and whenever they are made."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

MAX_TITLE = 80
SUFFIX = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

# Latin letters that Unicode does not take for a base letter with a mark.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l", "þ": "th"}
)
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2019\u02bc"))
_OTHERS = re.compile("[^a-z0-9]+")


def story_slug(title: str, key: str) -> str:
    """The title folded to ASCII, at most 80 characters of it, and a suffix that depends on the story's key alone."""
    return f"{_folded(title) or 'story'}-{_suffix(key)}"


def _folded(title: str) -> str:
    letters = unicodedata.normalize("NFKD", title.casefold().translate(_LETTERS | _APOSTROPHES))
    if not letters.isascii():
        # A letter that ASCII lacks separates words; a mark over a letter does not.
        letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _OTHERS.sub("-", letters).strip("-")[:MAX_TITLE].rstrip("-")


def _suffix(key: str) -> str:
    number = int.from_bytes(sha256(key.encode()).digest()[:8])
    digits: list[str] = []
    for _ in range(SUFFIX):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)
