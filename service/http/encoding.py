"""Content codings: which one a caller takes, and how a body is put into it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

import brotli
import zstandard

from service.http.media import MAX_ACCEPT, weighted

SMALLEST = 1_000
"""Bytes from which on a body is worth it."""

ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=6).compress(body),
    "br": lambda body: cast("bytes", brotli.compress(body, quality=5)),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}
"""Of those that a caller likes equally, the first."""


@lru_cache(maxsize=256)
def accepted_encoding(accept_encoding: bytes, among: tuple[str, ...] = tuple(ENCODERS)) -> str:
    """The coding of these that the header allows and likes best; empty for a body as it is."""
    if len(accept_encoding) > MAX_ACCEPT:
        return ""
    weights = dict(weighted(accept_encoding))
    best = max(among, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    liked = weights.get(best, weights.get("*", 0.0))
    return best if liked > 0 and liked >= weights.get("identity", 0.0) else ""
