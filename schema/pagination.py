"""Pages of lists: Relay's connections, with counts that say how exact they are."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import strawberry

from schema.directives import FREE, weighs
from schema.vocabulary import CountPrecision

T = TypeVar("T")


@strawberry.type(description="Where a page stands in its list.", directives=FREE)
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether more comes after the page; of a page from the end, whether `before` was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether more comes before the page; of a page from the front, whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="The first item's cursor; null where there are no items.")
    end_cursor: str | None = strawberry.field(description="The last item's cursor; null where there are no items.")


@strawberry.type(
    description="How many items the whole list has: exact up to 10,000, then a lower bound.", directives=FREE
)
class TotalCount:
    value: int = strawberry.field(description="Items of the whole list, not of the page; at most 10,000.")
    precision: CountPrecision = strawberry.field(description="Whether `value` is all, or where counting stopped.")


def total_count(weight: int) -> Any:
    """The count of a connection: what is on no page is looked at too, so it weighs more than many rows."""
    return strawberry.field(description="How many items there are on all pages.", directives=weighs(weight))


@strawberry.type(description="An item of a page, with its position.", directives=FREE)
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Its position, for `after` and `before` of the same list.")
    node: T = strawberry.field(description="The item itself.")


@strawberry.type(description="A page of a list.", directives=FREE)
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The page's items with their cursors, in the list's order.")
    nodes: list[T] = strawberry.field(description="The page's items alone, in the list's order.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends, and whether there is more.")
    total_count: TotalCount = total_count(50)
