"""Which answers are still true. Each process decides that by the changes it has seen; nobody purges for another.

An answer is as of a transaction id, below which it has seen all. A change is by a transaction. So an answer that has a
tag is out of date where a transaction that changed the tag's thing is not below what the answer is as of, whichever
came here first: a fill that a change overtakes is found out like one that was there long before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

MOST_REMEMBERED = 200_000

REFERENCES = "references"
"""The tag of all that stories refer to: outlets with their ratings and owners, topics, places. They seldom change."""


def story_tag(key: int) -> str:
    """The tag of a story, by its key."""
    return f"story:{key}"


class Invalidation:
    """The last change of each tag. Of tags that are not remembered, the last change is at most `floor`."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._last: OrderedDict[str, int] = OrderedDict()
        self._floor = 0
        self.told = 0
        """How often changes were told."""
        self.begun = 0
        """How often all that was told before became void."""

    def begin(self, floor: int) -> None:
        """Changes are told after that transaction id: nothing is known of those up to it; all told before is void."""
        self._last.clear()
        self._floor = floor
        self.told += 1
        self.begun += 1

    def changed(self, tags: Iterable[str], by: int) -> None:
        """What the tags stand for was changed by a transaction."""
        self.told += 1
        for tag in tags:
            self._last[tag] = max(by, self._last.pop(tag, 0))
        while len(self._last) > self._most:
            self._floor = max(self._floor, self._last.popitem(last=False)[1])

    def contradicts(self, tags: Iterable[str], as_of: int) -> bool:
        """Whether something that the tags stand for is known to have changed since, as far as that can be told."""
        return any(self._last.get(tag, 0) >= as_of for tag in tags)

    def admits(self, tags: Iterable[str], as_of: int) -> bool:
        """Whether nothing that the tags stand for has changed in ways that an answer as of then cannot have seen."""
        last, floor = self._last, self._floor
        for tag in tags:  # noqa: SIM110 - every hit comes by here: a generator would take three times as long
            if last.get(tag, floor) >= as_of:
                return False
        return True
