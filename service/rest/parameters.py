"""The variables of a document as parameters of a URL: what they are called and described as, and how they are read."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from service.errors import ApiError, BadRequest, BadUserInput
from service.planner.inputs import MOST_ITEMS

MOST_PARAMETERS = 200
LONGEST_NAME = 60
_WHOLE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_PLUS_LOST = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:[0-9]{2}$)", re.ASCII)
_QUOTED = re.compile(r"['`](?P<name>[A-Za-z.]+)['`]", re.ASCII)

Pairs = Sequence[tuple[str, str]]


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        raise ValueError("must be a whole number of at most 32 bits")
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number, such as 0.5")
    return float(text)


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("must be true or false")
    return _BOOLEANS[text]


_READERS: Mapping[str, Callable[[str], Any]] = {"Int": _whole, "Float": _number, "Boolean": _boolean}
"""How scalars are read that JSON does not have as text."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable as a parameter.

    `argument` is what GraphQL calls that which it is given to, such as `filter.search`; `feature` is what a caller
    needs to give it at all; `paged` tells that it is the size of a page.
    """

    name: str
    type: GraphQLInputType
    in_path: bool = False
    default: Any = None
    argument: str = ""
    description: str = ""
    feature: str | None = None
    paged: bool = False

    @property
    def required(self) -> bool:
        return is_non_null_type(self.type) and self.default is None

    @property
    def listed(self) -> bool:
        return is_list_type(get_nullable_type(self.type))

    @property
    def leaf(self) -> GraphQLNamedType:
        return get_named_type(self.type)

    def read(self, texts: Sequence[str]) -> Any:
        """The value as JSON has it, of one text or, for a list, of several. Raises BadUserInput."""
        if not self.listed:
            return self._one(texts[0])
        items = [item for text in texts for item in text.split(",")]
        if len(items) > MOST_ITEMS:
            raise self.refusal(f"has {len(items):,} values, where {MOST_ITEMS:,} are the most")
        return [self._one(item) for item in items]

    def _one(self, text: str) -> Any:
        if not text:
            raise self.refusal("is empty: leave it out, or give it a value")
        if "\0" in text:
            raise self.refusal("holds a NUL character")
        leaf = self.leaf
        if not isinstance(leaf, GraphQLEnumType):
            return self._scalar(cast("GraphQLScalarType", leaf), text)
        if text not in leaf.values:
            raise self.refusal(f"must be one of {', '.join(leaf.values)}")
        return text

    def _scalar(self, type_: GraphQLScalarType, text: str) -> Any:
        """The value of a scalar; the text as it is where JSON has it as text."""
        try:
            if type_.name in _READERS:
                return _READERS[type_.name](text)
            if type_.name == "DateTime":
                # A plus that was not percent-encoded has become a space, which no time has before its offset.
                text = _PLUS_LOST.sub("+", text)
            type_.parse_value(text)
        except ValueError as error:
            raise self.refusal(str(error)) from None
        except GraphQLError as error:
            raise self.refusal(f"cannot be used: {error.message}") from None
        return text

    def refusal(self, what: str) -> BadUserInput:
        """What a caller is told of the parameter."""
        return BadUserInput(f"The parameter '{self.name}' {what.rstrip('.')}.", extensions={"parameter": self.name})


class Parameters:
    """The parameters of one path."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.listed = tuple(parameters)
        self._in_path = {each.name: each for each in parameters if each.in_path}
        self._in_query = {each.name: each for each in parameters if not each.in_path}
        self._required = [each for each in self._in_query.values() if each.required]
        # Null is as not given, and variables that are all there are read in less than half the time.
        self._otherwise = {each.name: each.default for each in self._in_query.values() if not each.required}
        # Errors call what lies within a filter by its whole path, or from the filter on; or the object that it is in.
        self._by_object = {each.argument.rpartition(".")[0]: each.name for each in reversed(parameters)}
        self._by_argument = {each.argument.partition(".")[2]: each.name for each in parameters}
        self._by_argument |= {each.argument: each.name for each in parameters}

    def read(self, path: Mapping[str, str], query: Pairs, otherwise: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """All variables, of a path and a query string; those that are not given as `otherwise`, else the document, has.

        Raises BadUserInput.
        """
        variables = {
            **self._otherwise,
            **(otherwise or {}),
            **{name: each.read([path[name]]) for name, each in self._in_path.items()},
        }
        given: dict[str, list[str]] = {}
        for name, text in query:
            given.setdefault(name, []).append(text)
        for name, texts in given.items():
            parameter = self._in_query.get(name)
            if parameter is None:
                raise self._unknown(name)
            if len(texts) > 1 and not parameter.listed:
                raise parameter.refusal("is given twice")
            variables[name] = parameter.read(texts)
        for each in self._required:
            if each.name not in given:
                raise each.refusal("is required")
        return variables

    def name_in(self, error: ApiError) -> None:
        """Has an error that names an argument of GraphQL name the parameter in its place, also as `parameter`."""

        def renamed(match: re.Match[str]) -> str:
            name = self._by_argument.get(match["name"])
            if parameter := name or self._by_object.get(match["name"]):
                error.extensions.setdefault("parameter", parameter)
            return f"'{name}'" if name else match[0]

        if "parameter" not in error.extensions:
            error.message = _QUOTED.sub(renamed, error.message)

    def _unknown(self, name: str) -> BadUserInput:
        shown = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
        known = f"There are: {', '.join(self._in_query)}" if self._in_query else "There are none"
        told = f"There is no parameter '{shown}' here. {known}."
        return BadUserInput(told, extensions={"parameter": shown})


def pairs_of(query_string: bytes) -> Pairs:
    """The names and values of a query string. Raises BadRequest."""
    try:
        return parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        told = f"The query string must be UTF-8, percent-encoded, of at most {MOST_PARAMETERS} parameters."
        raise BadRequest(told) from None
