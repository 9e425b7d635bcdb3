"""Content codings: which one a caller takes, and how a body is put into it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

import brotli
import zstandard

SMALLEST = 1_000
"""Bytes from which on a body is worth it."""

MAX_ACCEPT = 1_000


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=6).compress(body),
    "br": lambda body: cast("bytes", brotli.compress(body, quality=5)),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}
"""Of those that a caller likes equally, the first."""


@lru_cache(maxsize=256)
def accepted_encoding(accept_encoding: bytes) -> str:
    """The coding that the header allows and likes best; empty for a body as it is."""
    if len(accept_encoding) > MAX_ACCEPT:
        return ""
    weights: dict[str, float] = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = _weight(parameter)
    best = max(ENCODERS, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    liked = weights.get(best, weights.get("*", 0.0))
    return best if liked > 0 and liked >= weights.get("identity", 0.0) else ""


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
