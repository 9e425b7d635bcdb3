"""Answers on their way out: in the coding that a caller likes, with what HTTP says of one that is kept.

ETag, Age, Cache-Control, Cache-Status: RFC 9110, 9111, 9211.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from starlette.types import Message

from service.access.limits import Balance
from service.cache import Answer, ResponseCache, Source
from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.forms import Form
from service.http.media import MediaType
from service.http.requests import Headers
from service.http.responses import NO_STORE, allowance_lines, not_modified, reply
from service.http.shortcuts import lines_of

_STATUS = {
    Source.LOCAL: b"parallax; hit; detail=memory",
    Source.SHARED: b"parallax; hit; detail=redis",
    Source.DATABASE: b"parallax; fwd=miss; stored",
}
_CODING = {"": b"", **{name: lines_of((b"content-encoding", name.encode())) for name in ENCODERS}}
_ABOUT = b"etag: %b\r\nage: %d\r\ncache-control: %b, max-age=%d\r\ncache-status: %b%b\r\n"
READING = ("GET", "HEAD")


@dataclass(slots=True)
class Reader:
    """Who gets an answer: how they asked, what they accept, and what is left of their allowance."""

    method: str
    headers: Headers
    media_type: MediaType | Form
    keyed: bool
    balance: Balance | None = None


class Kept(NamedTuple):
    """An answer with the cache and the key under which its body is kept, compressed and in other forms too."""

    cache: ResponseCache
    key: bytes
    answer: Answer
    form: Form | None = None

    def body(self, encoding: str) -> bytes:
        entry, form = self.answer.entry, self.form
        if form:
            return self.cache.encoded(self.key, entry, f"{form.name} {encoding}", partial(_formed, form, encoding))
        return self.cache.encoded(self.key, entry, encoding, ENCODERS[encoding]) if encoding else entry.body


def _formed(form: Form, encoding: str, response: bytes) -> bytes:
    body = form.of(response)
    return ENCODERS[encoding](body) if encoding else body


def kept_reply(reader: Reader, kept: Kept, max_age: int, *, lines: bytes = b"") -> Message:
    """A kept answer, with further `lines`; 304 to a reader who has it. `max_age` is for caches outside."""
    entry, headers, media_type = kept.answer.entry, reader.headers, reader.media_type
    encoding = _encoding(headers, len(entry.body))
    # A strong tag tells apart what differs by a byte: the same body in another coding, or under another type.
    etag = b'"%b-%b%b"' % (entry.etag, media_type.mark, encoding.encode())
    # Whether a form can be made at all is known by making it, and `If-None-Match: *` must not say that it was.
    formed = kept.body(encoding) if kept.form else None
    reads = reader.method in READING
    public = reads and not reader.keyed
    about = lines + _about(kept.answer, etag, public=public, max_age=max_age)
    if reader.balance is not None and not public:  # what all may keep tells nothing of one
        about += allowance_lines(reader.balance)
    if reads and is_known(etag, headers.get(b"if-none-match")):
        return not_modified(about)
    body = kept.body(encoding) if formed is None else formed
    return reply(200, media_type, body, about + _CODING[encoding])


def body_reply(reader: Reader, body: bytes, *, lines: bytes = b"") -> Message:
    """An answer that is not kept, and that no cache is to keep; with further `lines`."""
    encoding = _encoding(reader.headers, len(body))
    about = lines + lines_of(NO_STORE) + (allowance_lines(reader.balance) if reader.balance else b"")
    coded = ENCODERS[encoding](body) if encoding else body
    return reply(200, reader.media_type, coded, about + _CODING[encoding])


def _encoding(headers: Headers, size: int) -> str:
    accepts = headers.get(b"accept-encoding")
    return accepted_encoding(accepts) if accepts and size >= SMALLEST else ""


def is_known(etag: bytes, if_none_match: bytes | None) -> bool:
    """Whether a caller has what is of that strong ETag already."""
    if if_none_match is None:
        return False
    given = {each.strip().removeprefix(b"W/") for each in if_none_match.split(b",")}
    return etag in given or b"*" in given


def _about(answer: Answer, etag: bytes, *, public: bool, max_age: int) -> bytes:
    return _ABOUT % (
        etag,
        answer.age,
        b"public" if public else b"private",
        0 if answer.stale else max_age,
        _STATUS[answer.source],
        b"; ttl=-1" if answer.stale else b"",
    )
