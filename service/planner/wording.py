"""What graphql-core says of documents and values, in the words of GraphQL and JSON; its own are Python's."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from graphql import GraphQLError, Undefined, VariableDefinitionNode
from graphql.pyutils import inspect
from graphql.utilities import validate_input_value

from service.planner.inputs import VariableTypes

LONGEST_VALUE = 200
LONGEST_MESSAGE = 1_000


_IN_PARTS = {f"Unknown directive '@{name}'." for name in ("defer", "stream")}


def of_finding(message: str) -> str:
    """What is said of a document: a value in it is written as it stands there, but for null."""
    if message in _IN_PARTS:
        return f"{message} Answers come whole here: leave it out."
    return message.removesuffix("None.") + "null." if message.endswith(" not to be None.") else message


def of_variable(
    error: GraphQLError, variables: Mapping[str, Any], types: VariableTypes, *, hide_suggestions: bool
) -> str:
    """What is said of a variable that does not fit its type, with the value in JSON, cut where it is long."""
    definition = error.nodes[0] if error.nodes else None
    if error.original_error is None or not isinstance(definition, VariableDefinitionNode):
        return error.message
    name = definition.variable.name.value
    value = variables.get(name, Undefined)
    try:
        validate_input_value(value, dict(types.types)[name], _raise_with_path, hide_suggestions)
    except GraphQLError as found:
        for step in found.path or ():
            value = value[step]
        said = _in_json(found.message, value)
        return _cut(error.message.removesuffix(found.message) + said, LONGEST_MESSAGE)
    return error.message


def _raise_with_path(error: GraphQLError, path: list[str | int]) -> NoReturn:
    """The first finding will do."""
    raise GraphQLError(error.message, path=path)


def _in_json(message: str, value: Any) -> str:
    """The message with the value, which graphql-core prints by `inspect` (text for an enum as it is), in JSON."""
    if isinstance(value, str) and message.startswith(f"Value '{value}' "):
        return f"Value {_json(value)}" + message.removeprefix(f"Value '{value}'")
    before, printed, after = message.rpartition(inspect(value))
    return f"{before}{_json(value)}{after}" if printed else message


def _json(value: Any) -> str:
    try:
        return _cut(json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
    except RecursionError:
        return "…"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
