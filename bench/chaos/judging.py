"""What an answer was: served, stale and marked so, refused as it should be, failed, or wrong.

An answer is wrong that holds what never was, that is older than what the same process gave before, or older than it may
be: of a page, longer than it takes to notice that changes are not heard of; of a list, as docs/caching.md says; of what
is stale, what its `Age` says. What nobody asked for before may not be old at all.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from bench.asking import Reply
from bench.history import History
from service.db.changes import SILENCE

SLACK = 0.5
"""Seconds that a busy machine may take to get something from one process to another."""
LIST_SECONDS = 2.0
WHILE_REFRESHED = LIST_SECONDS + 2.0
"""So old a list may be, marked, in the best of times: somebody has it made anew just then."""
MOST_REMEMBERED = 400


class Kind(Enum):
    """What is asked for: a page that is read often, a list, a page that nobody has asked for."""

    PAGE = "page"
    LIST = "list"
    RARE = "rare"


OLDEST = {Kind.PAGE: SILENCE + SLACK, Kind.LIST: LIST_SECONDS + SLACK, Kind.RARE: 0.0}
"""Seconds for which what is not marked may have been out of date."""


class Outcome(Enum):
    """What became of a request."""

    SERVED = "served"
    STALE = "stale"
    REFUSED = "refused"
    FAILED = "failed"
    WRONG = "wrong"


GOOD = frozenset({Outcome.SERVED})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: when it was sent, which process was asked for what, and what became of it.

    `behind` is for how many seconds the oldest of what was not marked had been out of date.
    """

    asked: float
    process: str
    kind: Kind
    outcome: Outcome
    why: str = ""
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, of which process in which of its lives, and from when to when."""

    process: str
    life: int
    kind: Kind
    asked: float
    answered: float
    story: int | None = None


@dataclass
class Judge:
    """Holds answers against what was written, and against those before."""

    history: History
    _given: dict[tuple[Any, ...], list[tuple[float, int]]] = field(
        default_factory=dict[tuple[Any, ...], list[tuple[float, int]]]
    )

    def judge(self, question: Question, reply: Reply) -> Seen:
        """What the answer was."""
        outcome, why, behind = self._weigh(question, reply)
        return Seen(question.asked, question.process, question.kind, outcome, why, behind)

    def _weigh(self, question: Question, reply: Reply) -> tuple[Outcome, str, float]:
        if reply.status != 200:
            return (*_refusal(reply), 0.0)
        try:
            stories = _stories(question, orjson.loads(reply.body))
        except (ValueError, KeyError, TypeError) as error:
            return Outcome.WRONG, f"not an answer: {error!r} in {reply.body[:200]!r}", 0.0
        marked = "ttl=-1" in reply.headers.get("cache-status", "")
        age = int(reply.headers.get("age", "0"))
        behind = 0.0
        for story, number in stories:
            past = self.history.behind(story, number, question.asked)
            if wrong := self._fault(question, story, number, past, age + 1 if marked else None):
                return Outcome.WRONG, f"story {story} was {number}: {wrong}", past
            behind = max(behind, past)
        if not marked:
            return Outcome.SERVED, "", behind
        normal = question.kind is Kind.LIST and age < WHILE_REFRESHED
        return Outcome.SERVED if normal else Outcome.STALE, "", 0.0

    def _fault(self, question: Question, story: int, number: int, past: float, told_age: int | None) -> str:
        if not self.history.may_be(story, number, question.answered):
            return "it never was"
        may = OLDEST[question.kind] + (told_age or 0)
        if past > may:
            marked = "not marked" if told_age is None else f"said to be {told_age - 1} s old"
            return f"out of date for {past:.1f} s when it was asked for, {marked}"
        before = self._before(question, story, number)
        return f"the same process had given {before} before" if before > number else ""

    def _before(self, question: Question, story: int, number: int) -> int:
        """The latest that the process had given when this was asked; notes what it gives now."""
        key = question.process, question.life, question.kind, story
        given = self._given.setdefault(key, [])
        at = bisect_right(given, (question.asked, 0))
        before = given[at - 1][1] if at else 0
        given.append((question.answered, max(number, given[-1][1] if given else 0)))
        del given[:-MOST_REMEMBERED]
        return before


def _refusal(reply: Reply) -> tuple[Outcome, str]:
    known = reply.status == 504 or (reply.status in {429, 503} and reply.headers.get("retry-after", "").isdigit())
    return Outcome.REFUSED if known else Outcome.FAILED, str(reply.status)


def _stories(question: Question, answer: Any) -> list[tuple[int, int]]:
    """The stories in an answer, each with its number; raises what it has nothing else for."""
    nodes = answer["data"]["stories"]["nodes"] if question.kind is Kind.LIST else [answer["data"]["story"]]
    found = [(int(node["id"].removeprefix("story_")), int(node["title"].removeprefix("Story "))) for node in nodes]
    if not found or (question.story is not None and found[0][0] != question.story):
        raise ValueError("another story, or none")
    return found
