"""The examples of the documentation: its fenced blocks, as tests find them.

How a block is meant is told by the words after its language:

    graphql         sent to the demo world; valid, and without errors unless the block of JSON after it has some
    json variables  the variables of the operation before it
    json            the shape of what the block before it answered: every key, with a value of that kind
    json exactly    what the block before it answered; "…" stands for anything
    sh, python      run as they are, but for the address; `endless` is ended once it has told something
    js, ts          the same, by Node.js; TypeScript is checked before
    text, xml, …    nothing to run: what something looks like
    swift           not run, and the page says so

Answers may have more keys than are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson

from service.manual.contents import CALLERS, REFERENCE

DOCS = Path(__file__).parents[1] / "docs"
RUN = ("graphql", "sh", "python", "js", "ts")
SHOWN = ("text", "http", "xml", "csv", "yaml", "swift")
ANYTHING = "…"
MISSING = object()
"""In the place of what is shown and was not answered: it is like nothing."""

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: where it stands, what is said of it, and its text."""

    page: str
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""


class Example(NamedTuple):
    """A block that runs, with what belongs to it."""

    block: Block
    variables: dict[str, Any]
    answer: Any
    exactly: bool

    @property
    def name(self) -> str:
        """Where it stands, as a test is called."""
        return f"{self.block.page}:{self.block.line}"


def callers_pages() -> list[str]:
    """The pages whose examples run: the README's, and all that users of the API read."""
    return ["../README", *(entry.name for group in CALLERS for entry in group.entries if entry.name != REFERENCE)]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    found = _FENCE.finditer(text)
    return [Block(page, text.count("\n", 0, each.start()) + 1, tuple(each[1].split()), each[2]) for each in found]


def examples(*languages: str) -> list[Example]:
    """The examples in these languages, in the order of the pages."""
    return [each for page in callers_pages() for each in _examples(page) if each.block.language in languages]


def _examples(page: str) -> Iterator[Example]:
    found = blocks(page)
    for index, block in enumerate(found):
        if block.language not in RUN:
            continue
        variables, answer, exactly = {}, None, False
        for after in found[index + 1 : index + 3]:
            if after.info == ("json", "variables"):
                variables = orjson.loads(after.text)
            elif after.language == "json":
                answer, exactly = orjson.loads(after.text), "exactly" in after.info
                break
            else:
                break
        yield Example(block, variables, answer, exactly)


def disagreement(shown: Any, answered: Any, *, exactly: bool, at: str = "answer") -> str:
    """Where an answer is not as the documentation shows it; empty where it is."""
    if isinstance(shown, str) and shown == ANYTHING:
        return ""
    if isinstance(shown, dict) and isinstance(answered, dict):
        parts = _values(cast("dict[str, Any]", shown), cast("dict[str, Any]", answered), at)
    elif isinstance(shown, list) and isinstance(answered, list):
        items, found = cast("list[Any]", shown), cast("list[Any]", answered)
        if len(items) != len(found) if exactly else bool(items) != bool(found):
            return f"{at}: {len(found)} items"
        # The last item that is shown stands for the rest.
        parts = ((items[min(index, len(items) - 1)], each, f"{at}[{index}]") for index, each in enumerate(found))
    else:
        return "" if _alike(shown, answered, exactly=exactly) else f"{at}: {answered!r}"
    wrong = (disagreement(mine, theirs, exactly=exactly, at=where) for mine, theirs, where in parts)
    return next(filter(None, wrong), "")


def _values(shown: dict[str, Any], answered: dict[str, Any], at: str) -> Iterator[tuple[Any, Any, str]]:
    for key, value in shown.items():
        yield (value if key in answered else MISSING), answered.get(key), f"{at}.{key}"


def _alike(shown: Any, answered: Any, *, exactly: bool) -> bool:
    """Whether two values are the same, or at least of one kind: a number, a text, something that may be null."""
    if exactly or shown is MISSING:
        return shown == answered
    if shown is None or answered is None:
        return True
    return _kind(shown) is _kind(answered)


def _kind(value: Any) -> type:
    return float if type(value) is int else type(cast("object", value))
