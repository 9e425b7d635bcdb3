"""What a cache holds: an answer, what it was made of, and when. Knows nothing of GraphQL, SQL or HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any, cast
from zlib import crc32

import orjson
import zstandard

FORMAT = 2
OVERHEAD = 1_000
"""Bytes that an entry takes in memory besides its body: objects, keys, its places in the indexes."""
TAG = 70
"""Bytes that each of its tags takes."""

MOST_FORMS = 32
"""Forms in which a body is kept beside itself. Some are as many as callers can name hosts for their links."""

# Either takes longer to be made than to do its work, and does it for one after the other: there is one thread.
# Level -1 takes half of level 3's time, both ways, and a quarter more room.
_COMPRESSOR = zstandard.ZstdCompressor(level=-1, write_checksum=True)
_DECOMPRESSOR = zstandard.ZstdDecompressor()


class Kind(Enum):
    """How an answer becomes old."""

    PAGE = "page"
    """With a change of one of the things that it was made of, which its tags name."""
    LIST = "list"
    """With time: anything may enter a list."""


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Filled:
    """A new answer. `as_of` is a transaction id: what transactions before it changed, and nothing later, is in it."""

    kind: Kind
    body: bytes
    as_of: int
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Entry:
    """An answer as it is kept. `encoded` holds the body once more, compressed or in other forms.

    It was begun to be made at `stored_at`, in seconds since 1970, which is `since` by this process' steady clock.
    """

    kind: Kind
    body: bytes
    as_of: int
    tags: tuple[str, ...]
    stored_at: float
    etag: bytes
    since: float = 0.0
    encoded: dict[str, bytes] = field(default_factory=dict[str, bytes])
    counted: int = 0
    """What its size was when it was last put where entries are counted by size: one place at most."""

    @classmethod
    def of(cls, filled: Filled, stored_at: float, since: float) -> Entry:
        return cls(filled.kind, filled.body, filled.as_of, filled.tags, stored_at, _etag(filled.body), since)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return OVERHEAD + TAG * len(self.tags) + len(self.body) + sum(map(len, self.encoded.values()))

    def add(self, form: str, body: bytes) -> None:
        """Keeps a form of the body; the one that was made first gives way to one too many."""
        if len(self.encoded) >= MOST_FORMS:
            del self.encoded[next(iter(self.encoded))]
        self.encoded[form] = body

    def packed(self) -> bytes:
        """The entry as bytes for another process."""
        head = {
            "format": FORMAT,
            "kind": self.kind.value,
            "as_of": self.as_of,
            "tags": self.tags,
            "stored_at": self.stored_at,
            "etag": self.etag.decode(),
        }
        return _summed(orjson.dumps(head)) + b"\n" + _COMPRESSOR.compress(self.body)

    @classmethod
    def unpacked(cls, packed: bytes, most: int) -> Entry | None:
        """The entry that another process packed, its body at most `most` bytes; None where that is not what it is."""
        summed, _, compressed = packed.partition(b"\n")
        head = summed[9:]
        # A bit that has turned in what it is as of, or in a tag, would make it true for ever.
        if summed != _summed(head):
            return None
        try:
            told = cast("dict[str, Any]", orjson.loads(head))
            if told["format"] != FORMAT:
                return None
            if zstandard.get_frame_parameters(compressed).content_size > most:
                return None
            kind, tags, etag = _KINDS[told["kind"]], tuple(told["tags"]), str(told["etag"]).encode()
            # The frame's own sum tells whether the body is whole, for a tenth of what its ETag would take.
            body = _DECOMPRESSOR.decompress(compressed)
            return cls(kind, body, int(told["as_of"]), tags, float(told["stored_at"]), etag)
        except (ValueError, KeyError, TypeError, zstandard.ZstdError):
            return None


def _summed(head: bytes) -> bytes:
    return b"%08x %b" % (crc32(head), head)


def _etag(body: bytes) -> bytes:
    return sha256(body).hexdigest()[:32].encode()
