"""What was written and when: by this, an answer can be told from one that is too old, and from one that never was.

A writer counts its changes. The title of a story tells which of them was the story's last: `Story 17`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Write:
    """A change: when it was begun, and when it was known to be committed; None where nobody knows whether it was."""

    number: int
    began: float
    committed: float | None = None


@dataclass
class History:
    """All writes to each story, in their order. Times are seconds of one clock.

    `initial` is what stories had when it began, where that was not 0; all that is written has a higher number than any,
    and what they had before has a lower one: that was out of date then, and nobody knows since when.
    """

    initial: dict[int, int] = field(default_factory=dict[int, int])
    began: float = 0.0
    _writes: dict[int, list[Write]] = field(default_factory=dict[int, list[Write]])
    attempts: int = 0
    commits: int = 0

    def __post_init__(self) -> None:
        self.attempts = max(self.initial.values(), default=0)

    def begin(self, story: int, now: float) -> Write:
        """A write that is begun now, with the next number."""
        self.attempts += 1
        write = Write(self.attempts, now)
        self._writes.setdefault(story, []).append(write)
        return write

    def commit(self, write: Write, now: float) -> None:
        """It is known to be committed."""
        write.committed = now
        self.commits += 1

    def may_be(self, story: int, number: int, by: float) -> bool:
        """Whether the story can have had that number by then."""
        if number <= self.initial.get(story, 0):
            return True
        writes = self._writes.get(story, [])
        at = bisect_left(writes, number, key=lambda write: write.number)
        return at < len(writes) and writes[at].number == number and writes[at].began <= by

    def behind(self, story: int, number: int, at: float) -> float:
        """For how many seconds that number had been out of date at that time; 0 where it was not known to be."""
        if number < self.initial.get(story, 0):
            return max(0.0, at - self.began)
        writes = self._writes.get(story, [])
        for later in writes[bisect_right(writes, number, key=lambda write: write.number) :]:
            if later.committed is not None:
                return max(0.0, at - later.committed)
        return 0.0
