"""Pages out of data: the templates, what they know, and errors as pages. Nothing of the data becomes markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.errors import ApiError, NotFound
from service.http.forms import Data, Form
from service.http.media import MediaType
from service.http.pages import page_lines
from service.http.responses import Refusal, Refusing
from service.reader import charts, words
from service.reader.files import FILES, path_of
from service.reader.pages import MEDIUMS, Asked
from service.settings import Settings

FOLDER = Path(str(files("service.reader") / "templates"))
WATCH = "ReaderWatch"

# Styles and scripts come from files of our own, and nothing is written into an element.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
LINES = page_lines(POLICY)
_HTML = b"text/html; charset=utf-8"
_TITLES = {
    400: "This address will not do",
    401: "This key will not do",
    403: "Not for everyone",
    404: "Not found",
    429: "Too much at once",
    503: "Away for a moment",
    504: "That took too long",
}


class Pages:
    """Makes pages. `ids` are those of the registered documents, by name."""

    def __init__(self, settings: Settings, ids: Mapping[str, str]) -> None:
        self._watch = ids[WATCH]
        self._environment = _environment(settings)
        # What a page is made of beside data: with another of these, a kept page is another page.
        made_of = [path.read_bytes() for path in sorted(FOLDER.glob("*.html"))]
        made_of += [file.digest.encode() for file in FILES.values()]
        made_of += [
            version("parallax").encode(),
            settings.model_dump_json(include={"graphiql", "introspection"}).encode(),
        ]
        self._edition = sha256(b"\0".join(made_of)).digest()

    def form(self, path: str, asked: Asked, told: Mapping[str, str], base: str) -> Form:
        """The page that answers what was asked, as a form of the answer; `told` is the rest of its address."""
        address = f"{path}?{urlencode(told)}" if told else path
        parts = (self._edition, base.encode(), asked.template.encode(), address.encode(), orjson.dumps(asked.told))
        name = f"page-{sha256(b''.join(b'%d:%b' % (len(each), each) for each in parts)).hexdigest()[:24]}"
        context = {"told": told, "path": path, "address": address, **_place_of(base), **asked.told}
        return Form(name, _HTML, partial(self._made, asked, context))

    def refusing(self, base: str) -> Refusing:
        """What tells errors as pages, with links that begin with the base URL."""
        return partial(self._refusal, base)

    def _made(self, asked: Asked, context: Mapping[str, Any], data: Data) -> bytes:
        if asked.subject and data[asked.subject] is None:
            raise NotFound(f"There is no such {asked.subject} here. It may have been removed.")
        watch = partial(self._watch_query, context["root"])
        return self._environment.get_template(asked.template).render(context, watch=watch, **data).encode()

    def _watch_query(self, root: str, story: str) -> str:
        query = urlencode({"documentId": self._watch, "variables": orjson.dumps({"id": story}).decode()})
        return f"{root}/graphql?{query}"

    def _refusal(self, base: str, error: ApiError, request_id: str) -> Refusal:
        title = _TITLES.get(error.status) or HTTPStatus(error.status).phrase
        context: dict[str, Any] = {"told": {}, "path": "", "address": "", **_place_of(base), "title": title}
        page = self._environment.get_template("error.html").render(context, error=error, request_id=request_id)
        return Refusal(error.status, MediaType.HTML, page.encode(), LINES)


def _place_of(base: str) -> dict[str, str]:
    """The base URL, and what of it every link within the site begins with."""
    return {"base": base, "root": urlsplit(base).path.rstrip("/")}


def _environment(settings: Settings) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    known: dict[str, Any] = {
        "settings": settings,
        "file": path_of,
        "segments": charts.segments,
        "columns": charts.columns,
        "steps": {"DAY": charts.DAY, "WEEK": charts.WEEK},
        "counted": words.counted,
        "link": _link,
        "BIASES": words.BIASES,
        "SIDES": words.SIDES,
        "SIDE_OF": words.SIDE_OF,
        "OPPOSITE": words.OPPOSITE,
        "MEDIUMS": MEDIUMS,
    }
    filters: dict[str, Any] = {
        "words": words.words,
        "moment": words.moment,
        "hour": words.hour,
        "day": words.day,
        "number": words.number,
        "shortened": words.shortened,
        "direction": words.direction,
        "web_url": words.web_url,
        "slug": partial(quote, safe=""),
    }
    environment.globals.update(known)
    environment.filters.update(filters)
    return environment


def _link(path: str, told: Mapping[str, Any], **changed: str | None) -> str:
    """A path with what it was told, changed; None takes a parameter away."""
    query = {name: value for name, value in {**told, **changed}.items() if value}
    return f"{path}?{urlencode(query)}" if query else path
