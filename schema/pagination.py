"""Pages of lists: Relay's connections, with counts that say how exact they are."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

from schema.vocabulary import CountPrecision

T = TypeVar("T")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="How many items the whole list has: exact up to 10,000, then a lower bound.")
class TotalCount:
    value: int
    precision: CountPrecision


@strawberry.type(description="An item of a page, with its position.")
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: TotalCount
