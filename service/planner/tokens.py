"""Whether a text has more tokens, or longer ones, than are read: told without a parser.

That takes microseconds for each token, and looks at each character of a string by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache

_IGNORED = r"(?:[ \t\r\n,\ufeff]++|#[^\r\n]*+)*+"
_ONE = (
    r"(?:[!$&()\[\]{}:=@|?]"
    r"|\.\.\."
    r"|[A-Za-z_][0-9A-Za-z_]*+"
    r"|-?[0-9][0-9.eE+-]*+"
    # What does not end is one token to the end: the parser will say so, and nothing is looked at twice.
    r'|"""(?:[^"\\]++|\\"""|\\|"(?!""))*+(?:"""|\Z)'
    r'|"(?:[^"\\\r\n]++|\\[^\r\n])*+"?)'
)
_NEXT = re.compile(rf"{_IGNORED}({_ONE})")


def end_of(text: str, number: int) -> int | None:
    """Where the token of that number, from 1, ends; None where the text has fewer, or no tokens of GraphQL before."""
    found = _first(number).match(text)
    return found.end() if found else None


def too_much_string(text: str, most: int) -> int | None:
    """Where the string begins with which all so far have more than so many characters; None where they never do."""
    if len(text) <= most:
        return None
    end = size = 0
    while found := _NEXT.match(text, end):
        end = found.end()
        size += len(found[1]) if found[1][0] == '"' else 0
        if size > most:
            return found.start(1)
    return None


@lru_cache(maxsize=8)
def _first(number: int) -> re.Pattern[str]:
    return re.compile(rf"(?:{_IGNORED}{_ONE}){{{number}}}+")
