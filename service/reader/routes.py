"""Where the reader answers: a path asks its page, whose document is asked as any caller's is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import quote

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.documents import Registered
from service.http.asking import Asking
from service.http.kept import READING
from service.http.media import MAX_ACCEPT, weighted
from service.http.paths import deepest_first, route
from service.http.public import base_url
from service.http.requests import headers_of
from service.http.responses import Refusing
from service.reader.files import FileEndpoint
from service.reader.pages import PAGES, Page
from service.reader.parameters import Parameters
from service.reader.rendering import LINES, Pages
from service.settings import Settings


class Reader:
    """The pages, as routes; there are none where the setting `reader` says so."""

    def __init__(self, asking: Asking, documents: Iterable[Registered], settings: Settings) -> None:
        self._asking = asking
        self._public_url = settings.public_url
        self._pages = Pages(settings, {each.name: each.id for each in documents}) if settings.reader else None
        self.routes: list[BaseRoute] = []
        if self._pages:
            self.routes = [Route("/reader/{digest}/{name}", FileEndpoint(), methods=READING)]
            pages = deepest_first(PAGES, lambda page: page.path)
            self.routes += [each for page in pages for each in self._routes(page, self._pages)]

    def telling(self, app: ASGIApp) -> ASGIApp:
        """The application, whose errors are told as pages to those who ask for HTML."""
        pages = self._pages
        if not pages:
            return app

        async def tell(scope: Scope, receive: Receive, send: Send) -> None:
            if _wants_html(headers_of(scope).get(b"accept", b"")):
                scope["refusing"] = self._refusing(pages)
            await app(scope, receive, send)

        return tell

    def _routes(self, page: Page, pages: Pages) -> list[BaseRoute]:
        endpoint = _PageEndpoint(page, pages, self._refusing(pages), self._asking, self._public_url)
        paths = {page.path: None, page.path.rstrip("/") + "/": None}
        return [route(path, endpoint, READING) for path in paths]

    def _refusing(self, pages: Pages) -> Refusing:
        return pages.refusing(self._public_url or "")


class _PageEndpoint:
    """Answers one page, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(self, page: Page, pages: Pages, refusing: Refusing, asking: Asking, public_url: str | None) -> None:
        self._page = page
        self._pages = pages
        self._refusing = refusing
        self._asking = asking
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["refusing"] = self._refusing
        slug = cast("Mapping[str, str]", scope["path_params"]).get("slug", "")
        given = Parameters(scope["query_string"])
        asked = self._page.ask(slug, given)
        path = self._page.path.replace("{slug}", quote(slug, safe=""))
        form = self._pages.form(path, asked, given.told, base_url(scope, self._public_url))
        await self._asking.answer(
            scope, receive, send, asked.document, variables=asked.variables, form=form, lines=LINES
        )


def _wants_html(accept: bytes) -> bool:
    """Whether HTML is named, as browsers do, and not refused."""
    return len(accept) <= MAX_ACCEPT and dict(weighted(accept)).get("text/html", 0) > 0
