"""Answers on their way out: in the coding that a caller likes, with what HTTP says of one that is kept.

ETag, Age, Cache-Control, Cache-Status: RFC 9110, 9111, 9211.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Send

from service.access.limits import Balance
from service.cache import Answer, ResponseCache, Source
from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.media import MediaType
from service.http.requests import Headers
from service.http.responses import NO_STORE, Header, allowance_headers, send_not_modified, send_reply

_STATUS = {
    Source.LOCAL: b"parallax; hit; detail=memory",
    Source.SHARED: b"parallax; hit; detail=redis",
    Source.DATABASE: b"parallax; fwd=miss; stored",
}
_MARKS = {each: each.name[0].lower().encode() for each in MediaType}
READING = ("GET", "HEAD")


@dataclass(slots=True)
class Reader:
    """Who gets an answer: how they asked, what they accept, and what is left of their allowance."""

    method: str
    headers: Headers
    media_type: MediaType
    keyed: bool
    balance: Balance | None = None


class Kept(NamedTuple):
    """An answer with the cache and the key under which its body is kept, compressed too."""

    cache: ResponseCache
    key: bytes
    answer: Answer

    def body(self, encoding: str) -> bytes:
        entry = self.answer.entry
        return self.cache.encoded(self.key, entry, encoding, ENCODERS[encoding]) if encoding else entry.body


async def send_kept(send: Send, reader: Reader, kept: Kept, max_age: int) -> None:
    """Sends a kept answer; 304 to a reader who has it already. `max_age` is for caches outside."""
    entry, headers, media_type = kept.answer.entry, reader.headers, reader.media_type
    encoding = _encoding(headers, len(entry.body))
    # A strong tag tells apart what differs by a byte: the same body in another coding, or under another type.
    etag = b'"%b-%b%b"' % (entry.etag, _MARKS[media_type], encoding.encode())
    reads = reader.method in READING
    public = reads and not reader.keyed
    about = _about(kept.answer, etag, public=public, max_age=max_age)
    if reader.balance is not None and not public:  # what all may keep tells nothing of one
        about += allowance_headers(reader.balance)
    if reads and _is_known(etag, headers.get(b"if-none-match")):
        await send_not_modified(send, about)
        return
    if encoding:
        about.append((b"content-encoding", encoding.encode()))
    await send_reply(send, 200, media_type, kept.body(encoding), about)


async def send_body(send: Send, reader: Reader, body: bytes) -> None:
    """Sends an answer that is not kept, and that no cache is to keep."""
    encoding = _encoding(reader.headers, len(body))
    about = [NO_STORE]
    if reader.balance is not None:
        about += allowance_headers(reader.balance)
    if encoding:
        about.append((b"content-encoding", encoding.encode()))
    await send_reply(send, 200, reader.media_type, ENCODERS[encoding](body) if encoding else body, about)


def _encoding(headers: Headers, size: int) -> str:
    accepts = headers.get(b"accept-encoding")
    return accepted_encoding(accepts) if accepts and size >= SMALLEST else ""


def _is_known(etag: bytes, if_none_match: bytes | None) -> bool:
    if if_none_match is None:
        return False
    given = {each.strip().removeprefix(b"W/") for each in if_none_match.split(b",")}
    return etag in given or b"*" in given


def _about(answer: Answer, etag: bytes, *, public: bool, max_age: int) -> list[Header]:
    status = _STATUS[answer.source]
    scope = b"public" if public else b"private"
    return [
        (b"etag", etag),
        (b"age", b"%d" % answer.age),
        (b"cache-control", b"%s, max-age=%d" % (scope, 0 if answer.stale else max_age)),
        (b"cache-status", status + b"; ttl=-1" if answer.stale else status),
    ]
