"""Content codings, by what callers send and by what other programs read."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
from __future__ import annotations

import gzip

import brotli
import pytest
import zstandard

from service.http.encoding import ENCODERS, accepted_encoding


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (b"", ""),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"gzip, deflate, br", "br"),
        (b"gzip", "gzip"),
        (b"GZIP;q=0.5, br;q=0.4", "gzip"),
        (b"br;q=0, gzip", "gzip"),
        (b"*", "zstd"),
        (b"*;q=0", ""),
        (b"identity, gzip;q=0.5", ""),
        (b"identity;q=0.5, gzip;q=0.5", "gzip"),
        (b"deflate", ""),
        (b"zstd;q=nonsense, br;q=2, gzip;q=-1", ""),
        (b"br;q=1.0", "br"),
        (b"gzip" + b"," * 2_000, ""),
    ],
)
def test_the_coding_that_a_caller_likes_best(header: bytes, chosen: str) -> None:
    assert accepted_encoding(header) == chosen


def test_bodies_are_read_as_they_were_written() -> None:
    body = b'{"title":"7 nights on a cold dome"}' * 100
    assert gzip.decompress(ENCODERS["gzip"](body)) == body
    assert brotli.decompress(ENCODERS["br"](body)) == body
    assert zstandard.ZstdDecompressor().decompress(ENCODERS["zstd"](body)) == body
