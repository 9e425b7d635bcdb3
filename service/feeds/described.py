"""What the OpenAPI document tells of feeds, and of the forms that news has elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import GraphQLSchema

from service.documents import Registered
from service.feeds import atom, json_feed, ninjs, opml, rss, schema_org
from service.feeds.routes import KINDS, NEWS, ROOT, WRITERS
from service.rest.json_schemas import JsonSchema, Schemas
from service.rest.openapi import ALLOWANCE, KEPT, Beside
from service.rest.parameters import Parameter
from service.rest.variables import parameters_of

_HEADERS = (*KEPT, *ALLOWANCE, "X-Request-Id")
_REFUSALS = ("400", "401", "405", "429", "500", "503", "504")
_REFUSALS_OF_NAMES = (*_REFUSALS[:2], "404", *_REFUSALS[2:])
_NEWS = {
    "articles": ("NewsOfArticle", "An article"),
    "stories": ("NewsOfStory", "A story with its newest articles"),
}


def _object(about: str, url: str, *required: str) -> JsonSchema:
    """An object that somebody else has described, at that URL."""
    return {"type": "object", "description": about, "required": list(required), "externalDocs": {"url": url}}


# XML has no schema that JSON Schema could write down.
_CONTENTS: dict[bytes, Mapping[str, Any]] = {
    rss.CONTENT_TYPE: {},
    atom.CONTENT_TYPE: {},
    opml.CONTENT_TYPE: {},
    json_feed.CONTENT_TYPE: {"schema": _object("A JSON Feed 1.1.", json_feed.VERSION, "version", "title", "items")},
    ninjs.CONTENT_TYPE: {"schema": _object("A ninjs 2.1 item.", ninjs.STANDARD["schema"], "uri", "standard")},
    schema_org.CONTENT_TYPE: {
        "schema": _object("A NewsArticle.", "https://schema.org/NewsArticle", "@context", "@type", "headline")
    },
}
_FORMS = {ninjs.ENDING: "as IPTC ninjs 2.1", schema_org.ENDING: "as schema.org has it"}


def described(documents: Iterable[Registered], schema: GraphQLSchema) -> list[Beside]:
    """The list of feeds, each kind of feed in all formats, and each form of an article and of a story."""
    by_name = {each.name: each for each in documents}
    listed = by_name["FeedList"]
    found = [
        Beside(ROOT, "feedList", listed.about, partial(_contents, [opml.CONTENT_TYPE]), _HEADERS, _REFUSALS),
        *_feeds(by_name, schema),
    ]
    for form in NEWS:
        for kind, (name, what) in _NEWS.items():
            [named] = _named(by_name[name], schema)
            path = f"/v1/{kind}/{{{named.name}}}/{form.ENDING}"
            about, id_ = f"{what}, {_FORMS[form.ENDING]}.", f"{form.ENDING}{name.removeprefix('News')}"
            contents = partial(_contents, [form.CONTENT_TYPE])
            found.append(Beside(path, id_, about, contents, _HEADERS, _REFUSALS_OF_NAMES, [named]))
    return found


def _feeds(documents: Mapping[str, Registered], schema: GraphQLSchema) -> Iterable[Beside]:
    contents = partial(_contents, [each.CONTENT_TYPE for each in WRITERS])
    formats = ("How it is written.", [each.ENDING for each in WRITERS])
    for name in dict.fromkeys(kind.document for kind in KINDS):
        paths = [kind.path for kind in KINDS if kind.document == name]
        path, choices = paths[0], {"format": formats}
        if len(paths) > 1:
            word = path.partition("/")[0]
            path = f"{word}/{{side}}"
            choices = {"side": ("The side.", [each.removeprefix(f"{word}/") for each in paths]), **choices}
        yield Beside(
            f"{ROOT}/{path}.{{format}}",
            name[0].lower() + name[1:],
            documents[name].about,
            contents,
            _HEADERS,
            _REFUSALS_OF_NAMES,
            _named(documents[name], schema) if "{slug}" in path else [],
            choices,
        )


def _named(document: Registered, schema: GraphQLSchema) -> Sequence[Parameter]:
    """What a document takes of a path: by what it finds the one thing that it is of."""
    return [replace(each, in_path=True) for each in parameters_of(document, schema) if each.name in ("id", "slug")]


def _contents(types: Iterable[bytes], _schemas: Schemas) -> Mapping[str, Any]:
    return {each.decode().partition(";")[0]: _CONTENTS[each] for each in types}
