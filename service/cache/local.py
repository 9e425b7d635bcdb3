"""The first level: entries in the memory of the process, the least lately used given up first."""

from __future__ import annotations

from collections import OrderedDict

from service.cache.entry import Entry

LARGEST_PART = 8
"""An entry of more than one part in so many of the whole is not kept: it would drive out too much."""


class LocalCache:
    """Entries by key, together at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Entry | None:
        """The entry, which counts as used."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Keeps an entry, unless it is too large; also one that is there already and has grown."""
        self.drop(key)
        size = entry.size
        if size * LARGEST_PART > self.max_bytes:
            return
        self._entries[key] = entry
        entry.counted = size
        self.bytes += size
        while self.bytes > self.max_bytes:
            self.drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forgets all."""
        self._entries.clear()
        self.bytes = 0

    def drop(self, key: bytes) -> None:
        """Forgets an entry, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.counted
