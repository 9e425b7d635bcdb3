"""What is exported as a table: a column for each leaf of what a document selects, known before there is any row."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLObjectType, SelectionSetNode, get_nullable_type

from service.rest.selections import Selecting

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # spreadsheets take the wide ones for the others
"""What a text begins with that spreadsheets take for a formula."""


class Column(NamedTuple):
    """A leaf: `path` are the keys that lead to it, which its name joins by dots."""

    path: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def cell(self, node: Mapping[str, Any]) -> str:
        """The text of the leaf of one object; empty where it, or what it is in, is null."""
        value: Any = node
        for key in self.path:
            value = value[key]
            if value is None:
                return ""
        return cell(value)


def columns(
    selecting: Selecting, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode], under: tuple[str, ...] = ()
) -> Iterator[Column]:
    """The columns of what is selected of an object of the type; a list is one, whatever it is of."""
    for key, selected in selecting.fields(type_, sets).items():
        kind = get_nullable_type(type_.fields[selected.name].type)
        if isinstance(kind, GraphQLObjectType):
            yield from columns(selecting, kind, selected.sets, (*under, key))
        else:
            yield Column((*under, key))


def cell(value: Any) -> str:
    """A value as the text of a cell: texts as they are, but for what guards against formulas; all else as JSON."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return orjson.dumps(value).decode()
