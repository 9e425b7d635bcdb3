"""What REST tells of itself, the same for everyone: its OpenAPI document, and which paths there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from service.http.fixed import Fixed, FixedEndpoint
from service.http.media import ContentType
from service.http.shortcuts import lines_of
from service.rest.endpoint import is_preliminary

CACHE_CONTROL = b"public, max-age=60"


class JsonFile(FixedEndpoint):
    """Answers one JSON value, as a plain ASGI application that raises ApiError; with further `lines` of headers."""

    def __init__(self, value: Callable[[], Any], lines: bytes = b"") -> None:
        super().__init__(
            lambda: Fixed(ContentType(b"application/json"), orjson.dumps(value())),
            lines + lines_of((b"cache-control", CACHE_CONTROL)),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await is_preliminary(scope, send):
            await super().__call__(scope, receive, send)
