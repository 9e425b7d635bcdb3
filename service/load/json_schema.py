"""The JSON Schema of a line of the load stream, made of the shapes by which lines are read."""

from __future__ import annotations

from typing import Any

import orjson

from service.load.lines import TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOLD = (
    "One line of newline-delimited JSON. What no schema can say is in docs/load.md: a time must exist and not be over "
    "a day ahead, and keys must be known at the end of the load."
)


def json_schema() -> str:
    """The schema as JSON text, with a line for each thing that it says."""
    kinds: list[Any] = []
    definitions: dict[str, Any] = {}
    for name, (shape, _) in TYPES.items():
        kind = shape.json_schema()
        definitions |= kind.pop("$defs", {})
        kinds.append(_of_type(name, kind))
    schema = {"$schema": DIALECT, "title": "A line of the load stream", "description": TOLD, "oneOf": kinds}
    return orjson.dumps(schema | {"$defs": definitions}, option=orjson.OPT_INDENT_2).decode() + "\n"


def _of_type(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    properties = {"type": {"const": name}, **kind["properties"]}
    found = kind | {"title": name, "properties": properties, "required": ["type", *kind.get("required", ())]}
    if name == "remove":
        found["oneOf"] = [{"required": ["story"]}, {"required": ["article"]}]
    return found
