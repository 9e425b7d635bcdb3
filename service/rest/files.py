"""What REST tells of itself, the same for everyone: its OpenAPI document, and which paths there are."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from service.http.fixed import Fixed
from service.http.media import ContentType
from service.http.requests import headers_of
from service.http.shortcuts import lines_of
from service.rest.endpoint import is_preliminary

CACHE_CONTROL = b"public, max-age=60"


class JsonFile:
    """Answers one JSON value, as a plain ASGI application that raises ApiError; with further `lines` of headers."""

    def __init__(self, value: Any, content_type: bytes = b"application/json", lines: bytes = b"") -> None:
        self._file = Fixed(ContentType(content_type), orjson.dumps(value))
        self._lines = lines + lines_of((b"cache-control", CACHE_CONTROL))

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if not await is_preliminary(scope, send):
            await send(self._file.reply(headers_of(scope), self._lines))
