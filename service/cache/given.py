"""What was given last under each key, so that nothing older comes after it."""

from __future__ import annotations

from collections import OrderedDict

from service.cache.entry import Entry

MOST = 10_000
"""Keys that are remembered: nothing older is given of those that are forgotten than what was given last of any."""


class Given:
    """Answers that were given, by key: what each is as of, and its digest."""

    def __init__(self) -> None:
        self._last: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._forgotten = 0

    def clear(self) -> None:
        """Forgets all: what is told from now on is of another past."""
        self._last.clear()
        self._forgotten = 0

    def note(self, key: bytes, entry: Entry) -> None:
        """An answer is given."""
        self._last[key] = entry.as_of, entry.etag
        self._last.move_to_end(key)
        if len(self._last) > MOST:
            self._forgotten = max(self._forgotten, self._last.popitem(last=False)[1][0])

    def allows(self, key: bytes, entry: Entry) -> bool:
        """Of two answers as of the same transaction either may be the older, so only what is equal or later will do."""
        as_of, etag = self._last.get(key, (self._forgotten, b""))
        return entry.etag == etag or entry.as_of > as_of
