"""What is the same for everyone who asks: an ETag to ask by, and codings that are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256

from starlette.types import Message, Receive, Scope, Send

from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.kept import is_known
from service.http.media import Typed
from service.http.requests import Headers, headers_of
from service.http.responses import not_modified, reply
from service.http.shortcuts import lines_of


class Fixed:
    """A body that does not change, of a type; each coding is made when it is asked for. `digest` is of its SHA-256."""

    def __init__(self, kind: Typed, body: bytes) -> None:
        self.digest = sha256(body).hexdigest()[:32]
        self._kind = kind
        self._codings = {"": body}

    def reply(self, headers: Headers, lines: bytes) -> Message:
        """What answers a request of these headers, with further `lines`: 304 where it has the body already."""
        accepts = headers.get(b"accept-encoding")
        encoding = accepted_encoding(accepts) if accepts and len(self._codings[""]) >= SMALLEST else ""
        etag = f'"{self.digest}-{encoding}"'.encode()
        lines += lines_of((b"etag", etag))
        if is_known(etag, headers.get(b"if-none-match")):
            return not_modified(lines)
        if encoding:
            lines += lines_of((b"content-encoding", encoding.encode()))
        return reply(200, self._kind, self._coded(encoding), lines)

    def _coded(self, encoding: str) -> bytes:
        if encoding not in self._codings:
            self._codings[encoding] = ENCODERS[encoding](self._codings[""])
        return self._codings[encoding]


class FixedEndpoint:
    """Answers with one such body, as a plain ASGI application; for GET and HEAD alone.

    It is made for whoever asks first, in a thread: neither a start nor anybody else waits for it.
    """

    def __init__(self, make: Callable[[], Fixed], lines: bytes) -> None:
        self._make = make
        self._file: Fixed | None = None
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        if self._file is None:
            self._file = await asyncio.to_thread(self._make)
        await send(self._file.reply(headers_of(scope), self._lines))
