"""What REST answers of what a document came to: the object itself, and where its next page is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from service.errors import NotFound
from service.http.forms import Data, Form
from service.http.shortcuts import lines_of
from service.rest.parameters import Pairs
from service.rest.selections import Answered, Paging

JSON = b"application/json"


def answer_form(name: str, answered: Answered) -> Form:
    """The object that is answered, of the document of that name; NotFound where there is none."""

    def made(data: Data) -> bytes:
        return orjson.dumps(_object(data, answered))

    return Form(f"v1.{name}.", JSON, made)


def cursor_form(name: str, answered: Answered, paging: Paging) -> Form:
    """The cursor of the next page; empty where this is the last, or of no items. NotFound as `answer_form`."""

    def made(data: Data) -> bytes:
        page = _object(data, answered)
        cursor: str | None = _at(page, paging.cursor)
        return cursor.encode() if cursor and _at(page, paging.more) else b""

    return Form(f"v1.{name}.next.", JSON, made)


def next_line(base: str, path: str, query: Pairs, parameter: str, cursor: str) -> bytes:
    """The header that leads to the next page (RFC 8288): the same URL, but for the cursor."""
    others = [(name, value) for name, value in query if name != parameter]
    url = f"{base}{quote(path)}?{urlencode([*others, (parameter, cursor)])}"
    return lines_of((b"link", f'<{url}>; rel="next"'.encode()))


def _object(data: Data, answered: Answered) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = data
    for key in answered.path:
        found = found[key]
        if found is None:
            raise NotFound("There is nothing by this name.")
    return found


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
