"""Walking the pages of a list, forward and backward, gives every item once, in the list's order."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema, get_named_type

from schema import sdl
from tests.reference.arguments import Writer
from tests.reference.comparison import Answer, Comparison
from tests.reference.operations import FEATURES, Operation
from tests.reference.pools import Pools

SCHEMA = build_schema(sdl())
PARENTS = {
    "Query": "",
    "Story": 'story(by: {slug: "story-101-slug"})',
    "Outlet": 'outlet(by: {id: "outlet_15"})',
    "Topic": 'topic(by: {slug: "politics"})',
    "Place": 'place(by: {slug: "london"})',
}
PAGE = 7
WHOLE = 100
VALUES_A_FILTER = 1


def lists() -> Iterator[tuple[str, str, str]]:
    """Every list that has pages: the type it is of, its field, and each of its orders."""
    for name in PARENTS:
        parent = SCHEMA.type_map[name]
        assert isinstance(parent, GraphQLObjectType)
        for field, definition in parent.fields.items():
            if "last" in definition.args:
                sort = get_named_type(definition.args["sort"].type) if "sort" in definition.args else None
                orders = list(sort.values) if isinstance(sort, GraphQLEnumType) else [""]
                yield from ((name, field, order) for order in orders)


@pytest.mark.parametrize(("parent", "field", "order"), list(lists()))
async def test_pages_put_together_are_the_whole_list(tiny: Comparison, parent: str, field: str, order: str) -> None:
    for condition in conditions(tiny, parent, field, order):
        arguments = ", ".join(filter(None, (condition, order and f"sort: {order}")))
        whole = await walk(tiny.by_reference, (parent, field), arguments, "first", WHOLE)
        assert await walk(tiny.by_service, (parent, field), arguments, "first", PAGE) == whole, arguments
        assert await walk(tiny.by_service, (parent, field), arguments, "last", PAGE) == whole, arguments
        assert len(set(whole)) == len(whole)


def conditions(compared: Comparison, parent: str, field: str, order: str) -> Iterator[str]:
    """No filter, and each condition of the list's filter alone."""
    kind = SCHEMA.type_map[parent]
    assert isinstance(kind, GraphQLObjectType)
    arguments = kind.fields[field].args
    writer = Writer(chance := random.Random(7), Pools(compared.reference.world, chance), frozenset(FEATURES))
    if order != "RELEVANCE":
        yield ""
    if "side" in arguments:
        yield from (f"side: {side}" for side in ("LEFT", "CENTER", "RIGHT"))
    if "filter" in arguments:
        filters = get_named_type(arguments["filter"].type)
        assert isinstance(filters, GraphQLInputObjectType)
        names = ["search"] if order == "RELEVANCE" else list(filters.fields)
        yield from (f"filter: {writer.condition(filters, name)}" for name in names for _ in range(VALUES_A_FILTER))


async def walk(answer: Any, place: tuple[str, str], arguments: str, direction: str, size: int) -> list[str]:
    """The items of all pages, in the list's order, asserting what each page tells of itself."""
    parent, field = place
    edge, more, end = (
        ("after", "hasNextPage", "endCursor") if direction == "first" else ("before", "hasPreviousPage", "startCursor")
    )
    node = "firstArticle { id }" if field == "reports" else "id"
    list_text = (
        f"{field}({arguments} {direction}: {size}, {edge}: $cursor)"
        f" {{ edges {{ cursor node {{ {node} }} }} pageInfo {{ {more} startCursor endCursor }}"
        " totalCount { value } }"
    )
    text = f"query ($cursor: String) {{ {f'{PARENTS[parent]} {{ {list_text} }}' if PARENTS[parent] else list_text} }}"
    items: list[str] = []
    cursor: str | None = None
    while True:
        answered: Answer = await answer(Operation(text, {"cursor": cursor}, frozenset(FEATURES)))
        assert answered.refusal is None, (answered.refusal, text)
        page = answered.data if not PARENTS[parent] else next(iter(answered.data.values()))
        edges = page[field]["edges"]
        information = page[field]["pageInfo"]
        nodes = [edge["node"].get("id") or edge["node"]["firstArticle"]["id"] for edge in edges]
        items = items + nodes if direction == "first" else nodes + items
        cursors = [edge["cursor"] for edge in edges] or [None]
        assert (information["startCursor"], information["endCursor"]) == (cursors[0], cursors[-1])
        cursor = information[end]
        if not information[more]:
            assert page[field]["totalCount"]["value"] == len(items)
            return items
