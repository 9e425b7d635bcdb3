"""Where feeds are, and how a request gets one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from service.errors import NotFound
from service.feeds import atom, entries, json_feed, ninjs, opml, rss, schema_org
from service.feeds.entries import Feed, Reading
from service.http.asking import Asking
from service.http.forms import Data, Form
from service.http.paths import at, below, route
from service.http.problems import as_problem
from service.http.public import base_url
from service.http.read_only import answers_options
from service.settings import Settings

ROOT = "/feeds"
WRITERS = (rss, atom, json_feed)
NEWS = (ninjs, schema_org)


class Kind(NamedTuple):
    """A kind of feed: its path below the root, without its ending, and the document that it is made of."""

    path: str
    document: str
    reading: Reading
    variables: Mapping[str, Any] = {}


KINDS = (
    Kind("latest", "FeedOfLatest", entries.latest),
    Kind("blindspots/left", "FeedOfBlindspots", entries.blindspots("left"), {"side": "LEFT"}),
    Kind("blindspots/right", "FeedOfBlindspots", entries.blindspots("right"), {"side": "RIGHT"}),
    Kind("topics/{slug}", "FeedOfTopic", entries.topic),
    Kind("places/{slug}", "FeedOfPlace", entries.place),
    Kind("outlets/{slug}", "FeedOfOutlet", entries.outlet),
)


class Served(NamedTuple):
    """What an endpoint answers: a document by its name, in a form that is `written` with links below a base URL."""

    document: str
    variables: Mapping[str, Any]
    name: str
    content_type: bytes
    written: Callable[[Data, str], bytes]


def feed_routes(asking: Asking, settings: Settings) -> list[BaseRoute]:
    """All routes under /feeds, the last of which refuses what is none."""
    listed = FeedEndpoint(asking, Served("FeedList", {}, "opml", opml.CONTENT_TYPE, opml.written), settings)
    routes: list[BaseRoute] = at(ROOT, listed)
    for kind in KINDS:
        for writer in WRITERS:
            name = f"{kind.path.partition('/{')[0].replace('/', '.')}.{writer.ENDING}"
            written = partial(_written, kind.reading, writer.written)
            served = Served(kind.document, kind.variables, name, writer.CONTENT_TYPE, written)
            routes.append(route(f"{ROOT}/{kind.path}.{writer.ENDING}", FeedEndpoint(asking, served, settings)))
    return [*routes, below(ROOT, _nothing_here)]


def news_routes(asking: Asking, settings: Settings) -> list[BaseRoute]:
    """The forms that news has elsewhere, of an article and of a story."""
    routes: list[BaseRoute] = []
    for form in NEWS:
        of_article = partial(_one, "article", form.article)
        of_story = partial(_one, "story", form.story)
        article = Served("NewsOfArticle", {}, form.ENDING, form.CONTENT_TYPE, of_article)
        story = Served("NewsOfStory", {}, form.ENDING, form.CONTENT_TYPE, of_story)
        routes.append(Route(f"/v1/articles/{{id}}/{form.ENDING}", FeedEndpoint(asking, article, settings)))
        routes.append(Route(f"/v1/stories/{{slug}}/{form.ENDING}", FeedEndpoint(asking, story, settings)))
    return routes


class FeedEndpoint:
    """Answers by one document in one form, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(self, asking: Asking, served: Served, settings: Settings) -> None:
        self._asking = asking
        self._served = served
        self._public_url = settings.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await answers_options(scope, send):
            return
        served, base = self._served, base_url(scope, self._public_url)
        # Callers may choose the base, and a name stands in headers: so that is told by its digest.
        name = f"{served.name}.{hashlib.sha256(base.encode()).hexdigest()[:12]}."

        def made(data: Data) -> bytes:
            return served.written(data, base)

        form = Form(name, served.content_type, made)
        variables = {**served.variables, **scope["path_params"]}
        await self._asking.answer(scope, receive, send, served.document, variables=variables, form=form)


def _written(reading: Reading, written: Callable[[Feed, str], bytes], data: Data, base: str) -> bytes:
    return written(reading(data, base), base)


def _one(key: str, written: Callable[[Mapping[str, Any], str], bytes], data: Data, base: str) -> bytes:
    found = data[key]
    if found is None:
        raise NotFound("There is nothing by this name.")
    return written(found, base)


async def _nothing_here(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["refusing"] = as_problem
    raise NotFound("There is no such feed. GET /feeds lists what there are.")
