"""Counts what becomes of every line, and tells of it. Knows nothing of where lines come from or go."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter, defaultdict

from service.events import Observer
from service.load.events import Counts, LineRefused, LinesRead, Summary

KEPT_ERRORS = 1_000
"""How many errors a summary holds: a stream of millions may have as many. The observer is told of every one."""


class LoadRefused(Exception):
    """A strict load has met a line that is wrong."""


class Tally:
    """The books of one load. Lines are numbered through all its files from 1."""

    def __init__(self, observer: Observer, *, strict: bool) -> None:
        self.observer = observer
        self.strict = strict
        self.lines = 0
        self._started = time.monotonic()
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._counts: defaultdict[str, Counts] = defaultdict(Counts)
        self._errors: list[LineRefused] = []
        self._files: list[str] = []
        self._starts: list[int] = []

    def begin_file(self, name: str) -> None:
        """The lines that follow are of this file."""
        self._files.append(name)
        self._starts.append(self.lines + 1)

    def accept(self, kind: str, lines: int) -> None:
        """So many lines of a type are right."""
        self._accepted[kind] += lines

    def tell_progress(self, part: float | None) -> None:
        """Tells how many lines there have been, and what part of all."""
        self.observer(LinesRead(self.lines, self._refused.total(), part))

    def refuse(
        self, line: int, field: str | None, reason: str, kind: str | None, *, text: str = "", at: int | None = None
    ) -> None:
        """Tells that a line, of which that text is shown, is wrong. Raises LoadRefused where the load is strict."""
        file = bisect_right(self._starts, line) - 1
        error = LineRefused(self._files[file], line - self._starts[file] + 1, field, reason, text, at)
        self._refused[kind or "unknown"] += 1
        if len(self._errors) < KEPT_ERRORS:
            self._errors.append(error)
        self.observer(error)
        if self.strict:
            raise LoadRefused

    def refuse_accepted(self, line: int, field: str | None, reason: str, kind: str, *, text: str = "") -> None:
        """Tells that a line, right in itself, does not fit what it names."""
        self._accepted[kind] -= 1
        self.refuse(line, field, reason, kind, text=text)

    def count(self, kind: str, *, created: int = 0, updated: int = 0) -> None:
        """So many things of a type were created and updated."""
        self._counts[kind].created += created
        self._counts[kind].updated += updated

    def summary(self, *, completed: bool) -> Summary:
        """What all of it comes to. Where the load was refused nothing became of any line."""
        counts: dict[str, Counts] = {}
        for kind in sorted(self._accepted.keys() | self._refused.keys()):
            done = self._counts[kind] if completed else Counts()
            unchanged = self._accepted[kind] - done.created - done.updated if completed else 0
            counts[kind] = Counts(done.created, done.updated, unchanged, self._refused[kind])
        return Summary(counts, tuple(self._errors), self.lines, time.monotonic() - self._started, completed)
