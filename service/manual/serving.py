"""How the manual is asked for: paths, ETags and codings. Knows nothing of what stands in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from service.errors import ApiError, MethodNotAllowed, NotFound
from service.http.fixed import Fixed
from service.http.forms import Form
from service.http.media import MediaType
from service.http.pages import page_lines
from service.http.requests import headers_of
from service.http.responses import Refusal
from service.http.shortcuts import lines_of
from service.manual.pages import STYLES, Manual
from service.settings import Settings

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""No script at all, and no style but the manual's file."""

_CSS = Form("css", b"text/css; charset=utf-8", orjson.dumps)
_PAGE_LINES = page_lines(POLICY)
_FRESH = lines_of((b"cache-control", b"public, max-age=60"))


def manual_routes(settings: Settings) -> list[BaseRoute]:
    """`/docs`, its pages, and their stylesheet."""
    manual = Manual(introspection=settings.introspection, graphiql=settings.graphiql)
    refuse = partial(_refuse, manual)
    styles = _Reading(_CSS, lambda _name: STYLES, refuse)
    pages = _Reading(MediaType.HTML, manual.page, refuse)
    return [
        Route("/docs/manual.css", styles),
        Route("/docs", pages),
        Route("/docs/{name:path}", pages),
    ]


class _Reading:
    """Answers GET with what `made` makes of the name in the path, once for each; KeyError is not found."""

    def __init__(self, kind: MediaType | Form, made: Callable[[str], bytes], refuse: Any) -> None:
        self._kind = kind
        self._made = made
        self._refuse = refuse
        self._kept: dict[str, Fixed] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        scope["refusing"] = self._refuse
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("This is only read: use GET.", allow="GET, HEAD")
        name = scope["path_params"].get("name", "").removesuffix("/")
        page = self._kept.get(name) or await self._prepared(name)
        await send(page.reply(headers_of(scope), _FRESH + _PAGE_LINES))

    async def _prepared(self, name: str) -> Fixed:
        try:
            # The first time takes some hundredths of a second, for which other requests need not wait.
            made = await asyncio.to_thread(lambda: Fixed.of(self._kind, self._made(name)))
        except KeyError:
            raise NotFound("There is no such page of the documentation.") from None
        return self._kept.setdefault(name, made)


def _refuse(manual: Manual, error: ApiError, _request_id: str) -> Refusal:
    page = manual.refusal(HTTPStatus(error.status).phrase, error.message)
    return Refusal(error.status, MediaType.HTML, page, _PAGE_LINES)
