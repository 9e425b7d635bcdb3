"""What a document says of itself in the comment that it begins with: what it is about, and the path that it answers.

Knows nothing of requests.
"""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from graphql import (
    FieldNode,
    GraphQLInputType,
    OperationType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from service.planner import Operation

METHOD = "GET"
_PATH = re.compile(r"/v1(?:/(?:[a-z0-9][a-z0-9-]*|\{[A-Za-z][A-Za-z0-9]*\}))+", re.ASCII)
_NAME = re.compile(r"\{(\w+)\}", re.ASCII)


class Route(NamedTuple):
    """A path whose `{parameters}` are variables of the document that answers it."""

    path: str

    @property
    def parameters(self) -> list[str]:
        return _NAME.findall(self.path)

    @property
    def pattern(self) -> str:
        """What two routes have in common that lead to the same paths."""
        return _NAME.sub("{}", self.path)


class Heading(NamedTuple):
    """The comment that a document begins with: each line of a route with its number, and what the others say."""

    routes: tuple[tuple[int, str], ...]
    about: str


def heading_of(text: str) -> Heading:
    """The heading of a document, such as `# A story.` and `# GET /v1/stories/{slug}`."""
    routes: list[tuple[int, str]] = []
    about: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#"):
            break
        said = line.lstrip("#").strip()
        word, _, rest = said.partition(" ")
        if word == METHOD:
            routes.append((number, rest.strip()))
        else:
            about.append(said)
    return Heading(tuple(routes), " ".join(about).strip())


def findings(path: str, operation: Operation) -> Iterator[str]:
    """What keeps an operation from being answered at a path."""
    if not _PATH.fullmatch(path):
        yield f"the route {path} must be /v1/ and words of small letters, or {{variables}}, between slashes"
        return
    definition, types = operation.definition, dict(operation.variable_types.types)
    roots = definition.selection_set.selections
    if definition.operation is not OperationType.QUERY or len(roots) != 1 or not isinstance(roots[0], FieldNode):
        yield f"the route {path} needs a query of one root field"
    names = Route(path).parameters
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the route {path} names {{{name}}} twice"
    for name in dict.fromkeys(names):
        if name not in types:
            yield f"the route {path} names {{{name}}}, which is no variable of {operation.name}"
        elif not is_non_null_type(types[name]) or is_list_type(get_nullable_type(types[name])):
            yield f"the route {path} names {{{name}}}, which is {types[name]}: it must be one value, and never null"
    for name, type_ in types.items():
        if not _can_be_written(type_):
            yield f"${name} is {type_}, which no URL can hold: write its fields in the document, of scalar variables"


def clashes(routes: Iterable[tuple[str, Route]]) -> Iterator[str]:
    """What is wrong where several documents, each with its route, answer one path."""
    first: dict[str, tuple[str, Route]] = {}
    for owner, route in routes:
        taken_by, taken = first.setdefault(route.pattern, (owner, route))
        if taken_by != owner:
            yield f"{owner}: the route {route.path} is that of {taken_by} ({taken.path})"


def _can_be_written(type_: GraphQLInputType) -> bool:
    """Whether it is a leaf, or a list of leaves."""
    nullable = get_nullable_type(type_)
    return is_leaf_type(get_nullable_type(nullable.of_type) if is_list_type(nullable) else nullable)
