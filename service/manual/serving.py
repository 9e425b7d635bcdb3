"""How the manual is asked for: paths, ETags and codings. Knows nothing of what stands in it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from service.errors import ApiError, MethodNotAllowed, NotFound
from service.http.encoding import ENCODERS, SMALLEST, accepted_encoding
from service.http.forms import Form
from service.http.media import MediaType
from service.http.pages import page_lines
from service.http.requests import headers_of
from service.http.responses import Refusal, not_modified, reply
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
_FRESH = (b"cache-control", b"public, max-age=60")


class _Prepared(NamedTuple):
    """A body in a coding, with the lines of its headers."""

    body: bytes
    lines: bytes
    etag: bytes


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
    """Answers GET with what `made` makes of the name in the path, once for each and coding; KeyError is not found."""

    def __init__(self, kind: MediaType | Form, made: Callable[[str], bytes], refuse: Any) -> None:
        self._kind = kind
        self._made = made
        self._refuse = refuse
        self._kept: dict[tuple[str, str], _Prepared] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        scope["refusing"] = self._refuse
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("This is only read: use GET.", allow="GET, HEAD")
        headers = headers_of(scope)
        coding = accepted_encoding(headers.get(b"accept-encoding", b""))
        found = await self._found(scope["path_params"].get("name", "").removesuffix("/"), coding)
        known = headers.get(b"if-none-match", b"").strip()
        if known == b"*" or found.etag in (each.strip().removeprefix(b"W/") for each in known.split(b",")):
            await send(not_modified(found.lines))
        else:
            await send(reply(200, self._kind, found.body, found.lines))

    async def _found(self, name: str, coding: str) -> _Prepared:
        if kept := self._kept.get((name, coding)):
            return kept
        try:
            # The first time takes some hundredths of a second, for which other requests need not wait.
            made = await asyncio.to_thread(self._prepare, name, coding)
        except KeyError:
            raise NotFound("There is no such page of the documentation.") from None
        self._kept[name, coding] = made
        return made

    def _prepare(self, name: str, coding: str) -> _Prepared:
        body = self._made(name)
        etag = b'"%b%b"' % (hashlib.sha256(body).hexdigest()[:32].encode(), coding[:1].encode())
        headers = [(b"etag", etag), _FRESH]
        if coding and len(body) >= SMALLEST:
            body = ENCODERS[coding](body)
            headers.append((b"content-encoding", coding.encode()))
        return _Prepared(body, lines_of(*headers) + _PAGE_LINES, etag)


def _refuse(manual: Manual, error: ApiError, _request_id: str) -> Refusal:
    page = manual.refusal(HTTPStatus(error.status).phrase, error.message)
    return Refusal(error.status, MediaType.HTML, page, _PAGE_LINES)
