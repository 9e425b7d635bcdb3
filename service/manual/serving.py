"""How the manual is asked for: paths, ETags and codings. Knows nothing of what stands in it."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from service.errors import ApiError, MethodNotAllowed, NotFound
from service.http.fixed import Fixed
from service.http.kept import READING
from service.http.media import ContentType, MediaType
from service.http.pages import page_lines
from service.http.requests import headers_of
from service.http.responses import Refusal
from service.http.shortcuts import lines_of
from service.settings import Settings

if TYPE_CHECKING:
    from service.manual.pages import Manual

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""No script at all, and no style but the manual's file."""

_CSS = ContentType(b"text/css; charset=utf-8")
_PAGE_LINES = page_lines(POLICY)
_FRESH = lines_of((b"cache-control", b"public, max-age=60"))


def manual_routes(settings: Settings) -> list[BaseRoute]:
    """`/docs`, its pages, and their stylesheet."""
    endpoint = _ManualEndpoint(settings)
    return [Route("/docs", endpoint), Route("/docs/{name:path}", endpoint)]


class _ManualEndpoint:
    """Answers GET with the page or the stylesheet that the path names, made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manual: Manual | None = None
        self._kept: dict[str, Fixed] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        # The first time takes a tenth of a second, and each page some hundredths, for which others need not wait.
        manual = self._manual = self._manual or await asyncio.to_thread(_manual_of, self._settings)
        scope["refusing"] = partial(_refuse, manual)
        if scope["method"] not in READING:
            raise MethodNotAllowed("This is only read: use GET.", allow="GET, HEAD")
        name = scope["path_params"].get("name", "").removesuffix("/")
        page = self._kept.get(name) or await self._prepared(manual, name)
        await send(page.reply(headers_of(scope), _FRESH + _PAGE_LINES))

    async def _prepared(self, manual: Manual, name: str) -> Fixed:
        try:
            made = await asyncio.to_thread(_made, manual, name)
        except KeyError:
            raise NotFound("There is no such page of the documentation.") from None
        return self._kept.setdefault(name, made)


def _manual_of(settings: Settings) -> Manual:
    # Markdown, and what colours code, take longer to import than all else here; most processes never show a page.
    from service.manual.pages import Manual

    return Manual(introspection=settings.introspection, graphiql=settings.graphiql)


def _made(manual: Manual, name: str) -> Fixed:
    return Fixed(_CSS, manual.styles) if name == "manual.css" else Fixed(MediaType.HTML, manual.page(name))


def _refuse(manual: Manual, error: ApiError, _request_id: str) -> Refusal:
    page = manual.refusal(HTTPStatus(error.status).phrase, error.message)
    return Refusal(error.status, MediaType.HTML, page, _PAGE_LINES)
