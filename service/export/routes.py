"""Where exports are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from graphql import GraphQLObjectType, GraphQLSchema, SelectionSetNode, get_named_type
from starlette.routing import BaseRoute, Route

from service.documents import Registered
from service.export.columns import columns
from service.export.endpoint import Exported, ExportEndpoint
from service.export.formats import Csv, Format, NdJson
from service.http.asking import Asking
from service.http.streams import Streams
from service.rest.parameters import Parameter, Parameters
from service.rest.selections import Selecting, answered
from service.rest.variables import parameters_of
from service.settings import Settings
from service.telemetry import Telemetry

ROOT = "/v1/export"
DOCUMENTS = ("ExportArticles", "ExportStories")
"""Each of them selects a page of one list, by its edges; its variables, but for `first`, are parameters."""


def export_routes(
    asking: Asking,
    documents: Iterable[Registered],
    schema: GraphQLSchema,
    streams: Streams,
    *,
    telemetry: Telemetry,
    settings: Settings,
) -> list[BaseRoute]:
    """A route for each list and format."""
    by_name = {each.name: each for each in documents}
    found = [each for name in DOCUMENTS for each in exported(by_name[name], schema)]
    return [
        Route(f"{ROOT}/{each.key}.{each.format.ending}", ExportEndpoint(asking, each, streams, telemetry, settings))
        for each in found
    ]


class Listed(NamedTuple):
    """The list that a document selects a page of: its key, what is selected of each item, and its parameters."""

    key: str
    selecting: Selecting
    node: GraphQLObjectType
    sets: list[SelectionSetNode]
    parameters: list[Parameter]


def exported(document: Registered, schema: GraphQLSchema) -> list[Exported]:
    """The list that a document selects a page of, in each format."""
    found = listed(document, schema)
    parameters = Parameters(found.parameters)
    formats: list[Format] = [NdJson(), Csv(list(columns(found.selecting, found.node, found.sets)))]
    return [Exported(document.name, found.key, parameters, each) for each in formats]


def listed(document: Registered, schema: GraphQLSchema) -> Listed:
    """The list that a document selects a page of."""
    operation = document.document.operation(document.name)
    selecting = Selecting(schema, operation.fragments)
    page = answered(selecting, operation)
    node, sets = page.type, page.sets
    for key in ("edges", "node"):
        kind = get_named_type(node.fields[key].type)  # pyright: ignore[reportUnknownVariableType]
        assert isinstance(kind, GraphQLObjectType)
        node, sets = kind, selecting.fields(node, sets)[key].sets
    [key] = page.path
    return Listed(
        key, selecting, node, sets, [each for each in parameters_of(document, schema) if each.name != "first"]
    )
