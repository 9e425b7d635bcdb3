"""Pages of a list that is wholly known: cursors are the ids of its items. Knows nothing of what the items are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from graphql import GraphQLError

DEFAULT_SIZE = 20
MOST_COUNTED = 10_000
MOST_A_PAGE = 100

Arguments = Mapping[str, Any]


CURSOR = "cursor of "
"""What every cursor of these pages begins with, so that a comparison can tell them."""


class Item(Protocol):
    """What can stand in a page."""

    @property
    def id(self) -> str: ...


def cursor_of(item: Item) -> str:
    return CURSOR + item.id


class Edge:
    def __init__(self, node: Item) -> None:
        self.node = node
        self.cursor = cursor_of(node)


class Connection:
    """A page of `items`, which are the whole list in its order."""

    def __init__(self, items: Sequence[Item], page: Arguments) -> None:
        self._items = items
        self._first: int | None = page.get("first")
        self._last: int | None = page.get("last")
        self._after: str | None = page.get("after")
        self._before: str | None = page.get("before")
        sizes = [size for size in (self._first, self._last) if size is not None]
        if len(sizes) == 2 or any(not 0 <= size <= MOST_A_PAGE for size in sizes):
            raise GraphQLError("These sizes of a page cannot be used.")

    @cached_property
    def _window(self) -> Sequence[Item]:
        ids = [cursor_of(item) for item in self._items]
        start = 0 if self._after is None else ids.index(self._after) + 1
        end = len(ids) if self._before is None else ids.index(self._before)
        return self._items[start:end]

    @cached_property
    def nodes(self) -> Sequence[Item]:
        if self._last is not None:
            return self._window[max(len(self._window) - self._last, 0) :]
        return self._window[: DEFAULT_SIZE if self._first is None else self._first]

    @property
    def edges(self) -> list[Edge]:
        return [Edge(node) for node in self.nodes]

    @property
    def page_info(self) -> dict[str, Any]:
        more = len(self._window) > len(self.nodes)
        backward = self._last is not None
        return {
            "has_next_page": self._before is not None if backward else more,
            "has_previous_page": more if backward else self._after is not None,
            "start_cursor": cursor_of(self.nodes[0]) if self.nodes else None,
            "end_cursor": cursor_of(self.nodes[-1]) if self.nodes else None,
        }

    @property
    def total_count(self) -> dict[str, Any]:
        exact = len(self._items) <= MOST_COUNTED
        return {"value": min(len(self._items), MOST_COUNTED), "precision": "EXACT" if exact else "AT_LEAST"}
