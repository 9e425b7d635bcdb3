"""What is the same for everyone who asks: an ETag to ask by, and codings that are made once."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from starlette.types import Message

from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.forms import Form
from service.http.kept import is_known
from service.http.media import MediaType
from service.http.requests import Headers
from service.http.responses import not_modified, reply
from service.http.shortcuts import lines_of


class Fixed(NamedTuple):
    """A body that does not change, of a type, in every coding that is worth it; `digest` is made of its SHA-256."""

    kind: MediaType | Form
    digest: str
    codings: Mapping[str, bytes]

    @classmethod
    def of(cls, kind: MediaType | Form, body: bytes) -> Fixed:
        coded = {name: encode(body) for name, encode in ENCODERS.items()} if len(body) >= SMALLEST else {}
        return cls(kind, sha256(body).hexdigest()[:32], {"": body, **coded})

    def reply(self, headers: Headers, lines: bytes) -> Message:
        """What answers a request of these headers, with further `lines`: 304 where it has the body already."""
        accepts = headers.get(b"accept-encoding")
        encoding = accepted_encoding(accepts) if accepts and len(self.codings) > 1 else ""
        etag = f'"{self.digest}-{encoding}"'.encode()
        lines += lines_of((b"etag", etag))
        if is_known(etag, headers.get(b"if-none-match")):
            return not_modified(lines)
        if encoding:
            lines += lines_of((b"content-encoding", encoding.encode()))
        return reply(200, self.kind, self.codings[encoding], lines)
