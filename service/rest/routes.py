"""The routes of REST: one for each registered document that carries one, and what tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from graphql import GraphQLSchema
from starlette.routing import BaseRoute

from service.documents import Registered
from service.http.asking import Asking
from service.http.paths import at, below
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
    for each in sorted(described, key=_depth, reverse=True):  # `/topics/a/coverage` is not the topic `a/coverage`
        assert each.document.route
        endpoint = RestEndpoint(asking, each.document, each.parameters, each.answered, settings)
        routes += at(each.document.route.path, endpoint)
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
            found.append(Described(document, parameters, answered(selecting, operation), selecting))
    check_names(found)
    return sorted(found, key=lambda each: each.document.route.path.replace("{", "~") if each.document.route else "")


def _depth(described: Described) -> int:
    return described.document.route.path.count("/") if described.document.route else 0


def _index(told: dict[str, Any]) -> dict[str, Any]:
    """What there is, for who opens the root."""
    paths = told["paths"].items()
    return {
        "openapi": DOCUMENT,
        "documentation": "/docs",
        "paths": [{"path": path, "summary": item["get"]["summary"]} for path, item in paths],
    }
