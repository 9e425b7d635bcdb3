"""What the OpenAPI document tells of exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from graphql import GraphQLSchema

from service.documents import Registered
from service.export.formats import Csv, NdJson
from service.export.routes import DOCUMENTS, ROOT, Listed, listed
from service.rest.json_schemas import Schemas
from service.rest.openapi import ALLOWANCE, Beside

_HEADERS = ("Content-Disposition", "Cache-Control", *ALLOWANCE, "X-Request-Id")
_REFUSALS = ("400", "401", "403", "404", "405", "413", "429", "500", "503", "504")
_FORMATS = ("How it is written.", [NdJson.ending, Csv.ending])


def described(documents: Iterable[Registered], schema: GraphQLSchema) -> list[Beside]:
    """The export of each list, in all formats."""
    by_name = {each.name: each for each in documents}
    return [_described(listed(by_name[name], schema)) for name in DOCUMENTS]


def _described(found: Listed) -> Beside:
    about = (
        f"All {found.key} that the parameters choose, as a file. Needs the feature EXPORT. It is whole where it ends as"
        " HTTP has it; one that was cut goes on with `after` set to its last cursor."
    )
    return Beside(
        f"{ROOT}/{found.key}.{{format}}",
        f"export{found.key.capitalize()}",
        about,
        partial(_contents, found),
        _HEADERS,
        _REFUSALS,
        found.parameters,
        {"format": _FORMATS},
    )


def _contents(found: Listed, schemas: Schemas) -> Mapping[str, Any]:
    item = schemas.object(found.selecting, found.node, found.sets)
    cursor = {"type": "string", "description": "What `after` takes to go on after this item."}
    line = {
        **item,
        "properties": {"cursor": cursor, **item["properties"]},
        "required": ["cursor", *item["required"]],
    }
    # OpenAPI 3.2 has `itemSchema` for what stands on each line.
    return {
        NdJson.content_type.decode(): {"schema": {"type": "string"}, "x-itemSchema": line},
        Csv.content_type.decode().partition(";")[0]: {"schema": {"type": "string"}},
    }
