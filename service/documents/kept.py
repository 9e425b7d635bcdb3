"""Documents that callers have the service keep, for a while and within a quota. Knows nothing of what is in them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """How many documents are kept, of how many bytes together, for how many seconds after their last use."""

    documents: int
    bytes: int
    seconds: int

    def admits(self, text: str) -> bool:
        """Whether a document can be kept at all."""
        return self.documents > 0 and len(text.encode()) <= self.bytes


class DocumentStore(Protocol):
    """Texts by their SHA-256; those that were not used for longest make room. No call raises."""

    async def get(self, document_id: str) -> str | None:
        """The text of that id, which counts as used; None where it is not kept, or no longer."""
        ...

    async def put(self, document_id: str, text: str) -> None:
        """Keeps a text, which has that id, if the quota admits it."""
        ...


@dataclass(slots=True)
class Kept:
    """A text in memory; times are those of the store's clock."""

    text: str
    size: int
    put_at: float
    used_at: float


class KeptHere:
    """A DocumentStore in the memory of the process."""

    def __init__(self, quota: Quota, now: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._now = now
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, document_id: str) -> str | None:
        found = self.find(document_id)
        return found.text if found else None

    async def put(self, document_id: str, text: str) -> None:
        self.keep(document_id, text)

    def find(self, document_id: str) -> Kept | None:
        """What is kept under the id, which counts as used."""
        self._drop_expired()
        found = self._kept.get(document_id)
        if found is not None:
            found.used_at = self._now()
            self._kept.move_to_end(document_id)
        return found

    def keep(self, document_id: str, text: str) -> None:
        """Keeps a text, or keeps it anew."""
        if not self._quota.admits(text):
            return
        self._drop(document_id)
        size, now = len(text.encode()), self._now()
        self._kept[document_id] = Kept(text, size, now, now)
        self.bytes += size
        while len(self._kept) > self._quota.documents or self.bytes > self._quota.bytes:
            self._drop(next(iter(self._kept)))

    def age(self, kept: Kept) -> float:
        """Seconds since it was put."""
        return self._now() - kept.put_at

    def _drop_expired(self) -> None:
        # The least lately used stand first.
        while self._kept and next(iter(self._kept.values())).used_at + self._quota.seconds <= self._now():
            self._drop(next(iter(self._kept)))

    def _drop(self, document_id: str) -> None:
        dropped = self._kept.pop(document_id, None)
        if dropped is not None:
            self.bytes -= dropped.size
