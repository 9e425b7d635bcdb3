"""What REST tells of itself, the same for everyone: its OpenAPI document, and which paths there are."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.forms import Form
from service.http.requests import headers_of
from service.http.responses import not_modified, reply
from service.http.shortcuts import lines_of
from service.rest.endpoint import is_preliminary

CACHE_CONTROL = b"public, max-age=60"


class JsonFile:
    """Answers one JSON value, as a plain ASGI application that raises ApiError; with further `lines` of headers."""

    def __init__(self, value: Any, content_type: bytes = b"application/json", lines: bytes = b"") -> None:
        body = orjson.dumps(value)
        self._form = Form("file", content_type, orjson.dumps)
        self._lines = lines + lines_of((b"cache-control", CACHE_CONTROL))
        self._bodies = {"": body}
        self._digest = hashlib.sha256(body).hexdigest()[:32]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if await is_preliminary(scope, send):
            return
        headers = headers_of(scope)
        accepts = headers.get(b"accept-encoding")
        long = len(self._bodies[""]) >= SMALLEST
        encoding = accepted_encoding(accepts) if accepts and long else ""
        etag = f'"{self._digest}{encoding}"'.encode()
        lines = self._lines + lines_of((b"etag", etag))
        known = {each.strip().removeprefix(b"W/") for each in headers.get(b"if-none-match", b"").split(b",")}
        if etag in known or b"*" in known:
            await send(not_modified(lines))
            return
        if encoding:
            lines += lines_of((b"content-encoding", encoding.encode()))
        await send(reply(200, self._form, self._body(encoding), lines))

    def _body(self, encoding: str) -> bytes:
        """The body in an encoding, made once."""
        if encoding not in self._bodies:
            self._bodies[encoding] = ENCODERS[encoding](self._bodies[""])
        return self._bodies[encoding]
