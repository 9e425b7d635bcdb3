"""The routes of REST: one for each registered document that carries one, and what tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from graphql import GraphQLSchema
from starlette.routing import BaseRoute

from service.documents import Registered
from service.http.asking import Asking
from service.http.paths import at, below, deepest_first
from service.http.shortcuts import lines_of
from service.rest.endpoint import RestEndpoint, nothing_here
from service.rest.files import JsonFile
from service.rest.openapi import Beside, Described, check_names, openapi
from service.rest.parameters import Parameters
from service.rest.selections import Selecting, answered
from service.rest.variables import parameters_of
from service.settings import Settings

ROOT = "/v1"
DOCUMENT = "/v1/openapi.json"
_ABOUT = lines_of((b"link", b'</v1/openapi.json>; rel="service-desc", </docs>; rel="service-doc"'))


def rest_routes(
    asking: Asking,
    documents: Iterable[Registered],
    schema: GraphQLSchema,
    settings: Settings,
    beside: Callable[[], Iterable[Beside]] = tuple,
) -> list[BaseRoute]:
    """All routes under /v1, which no other may follow: the last refuses what is none. Raises BrokenDocuments.

    `beside` tells what there is beside them.
    """
    described = describe(documents, schema)

    @cache
    def told() -> dict[str, Any]:
        return openapi(described, settings.public_url, settings.max_page_size, beside())

    routes = [
        *at(ROOT, JsonFile(lambda: _index(told()), lines=_ABOUT)),
        *at(DOCUMENT, JsonFile(told)),
    ]
    for each in deepest_first(described, lambda each: each.path):
        routes += at(each.path, RestEndpoint(asking, each.document, each.parameters, each.answered, settings))
    return [*routes, below(ROOT, nothing_here)]


def describe(documents: Iterable[Registered], schema: GraphQLSchema) -> list[Described]:
    """The documents that carry routes, with what follows from them; where paths compete, a word before a variable.

    Raises BrokenDocuments.
    """
    found: list[Described] = []
    for document in documents:
        if document.route:
            operation = document.document.operation(document.name)
            selecting = Selecting(schema, operation.fragments)
            parameters = Parameters(parameters_of(document, schema))
            page = answered(selecting, operation)
            found.append(Described(document.route.path, document, parameters, page, selecting))
    check_names(found)
    return sorted(found, key=lambda each: each.path.replace("{", "~"))


def _index(told: dict[str, Any]) -> dict[str, Any]:
    """What there is, for who opens the root."""
    paths = told["paths"].items()
    return {
        "openapi": DOCUMENT,
        "documentation": "/docs",
        "paths": [{"path": path, "summary": item["get"]["summary"]} for path, item in paths],
    }
