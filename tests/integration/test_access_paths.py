"""No list of the contract scans a large table, whatever it is filtered and ordered by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import asyncpg
import pytest

from bench.filling import fill
from schema.filters import (
    ArticleFilter,
    ArticleSort,
    OutletFilter,
    OutletSort,
    StoryFilter,
    StorySort,
)
from tests.databases import database
from tests.integration.rows_read import Statement
from tests.integration.sampled_values import Sample, article_samples, outlet_samples, story_samples

STORIES = 3_000
PAGE = 20
MOST_ROWS = 50
"""Rows read of large tables for a row of a page, the one included that tells whether there are more. A page that is not
full because its list ends counts as full."""

SESSION = {"timezone": "UTC", "jit": "off", "random_page_cost": "1.1"}
"""As the service's own connections have them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the contract, with values for each field of its filter."""

    root: str
    filter: type
    sorts: type[Enum]
    samples: Mapping[str, Sample]
    parent: str = ""
    """The field that it is a list of; empty for a list of all."""

    def operation(self, sort: str, *, backward: bool) -> str:
        position = "last: $size, before: $at" if backward else "first: $size, after: $at"
        return (
            f"query($size: Int!, $at: String, $filter: {self.filter.__name__})"
            f" {{ {self.parent and self.parent + ' {'} {self.root}({position}, filter: $filter, sort: {sort})"
            f" {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} }} {self.parent and '}'} }}"
        )

    def page(self, answer: Any) -> Any:
        """The list in an answer, the value of the root."""
        return answer[self.root] if self.parent else answer


@pytest.fixture
async def world(server_dsn: str, template: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    async with database(server_dsn, template) as dsn:
        await fill(dsn, STORIES, lambda _: None)
        conn = await asyncpg.connect(dsn, server_settings=SESSION)
        try:
            yield conn
        finally:
            await conn.close()


# One test, so that one worker of a run makes the world, once.
async def test_no_list_scans_a_large_table_whatever_it_is_filtered_and_ordered_by(
    world: asyncpg.Connection[asyncpg.Record],
) -> None:
    found: list[str] = []
    async for listing in listings(world):
        fields = {_camel(name) for name in listing.filter.__annotations__}
        assert fields == set(listing.samples), "every field of the filter has values to be tried with"
        found += [each async for each in too_many(world, listing)]
    assert not found, "\n".join(found)


async def listings(conn: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[Listing]:
    """All lists with filters: those of all, and those of what has many and of what has some."""
    stories, articles = await story_samples(conn), await article_samples(conn)
    yield Listing("stories", StoryFilter, StorySort, stories)
    yield Listing("articles", ArticleFilter, ArticleSort, articles)
    yield Listing("outlets", OutletFilter, OutletSort, await outlet_samples(conn))
    for size in ("common", "middling"):
        outlet = f'outlet(by: {{domain: "{stories["outlets"][size][0]}"}})'
        yield Listing("stories", StoryFilter, StorySort, stories, outlet)
        yield Listing("articles", ArticleFilter, ArticleSort, articles, outlet)
        for facet in ("topic", "place"):
            parent = f'{facet}(by: {{slug: "{stories[facet + "s"][size][0]}"}})'
            yield Listing("stories", StoryFilter, StorySort, stories, parent)


async def too_many(conn: asyncpg.Connection[asyncpg.Record], listing: Listing) -> AsyncIterator[str]:
    """What is to be said of a list where it reads too many rows, in each order."""
    # A search among a parent's stories either walks those or looks at all that match: neither has a bound of this kind.
    # Nor has half of a parent's stories by one time in the order of another, though little is missing.
    # Of an outlet's articles only a search has one.
    for sort in (each.name for each in listing.sorts if not (listing.parent and each.name == "RELEVANCE")):
        for what, asked in _alone(listing, sort):
            searched = "search" in asked
            if listing.parent and listing.root == "articles" and asked and not searched:
                continue
            if listing.parent and listing.root == "stories" and (searched or what.endswith(" half")):
                continue
            for each in await _too_many(conn, listing, sort, what, asked):
                yield each
        for what, asked in _paired(listing) if sort != "RELEVANCE" and not listing.parent else ():
            for each in await _too_many(conn, listing, sort, what, asked):
                yield each


PAIRS = {
    "stories": (
        "topics blindspot", "topics leadingSide", "topics lastPublished", "topics firstPublished", "topics search",
        "places blindspot", "places lastPublished", "countries blindspot", "countries lastPublished",
        "outlets blindspot",
        "outlets lastPublished", "blindspot lastPublished", "blindspot minOutlets",
    ),
    "articles": (
        "outlets published", "languages published", "countries published", "sides published", "kinds published",
        "topics published", "languages kinds", "sides kinds",
    ),
    "outlets": (),
}  # fmt: skip
"""What pages ask for together. Other pairs end in time."""


def _alone(listing: Listing, sort: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each field by itself, and none; the order of relevance needs a search."""
    if sort != "RELEVANCE":
        yield "nothing", {}
    for field, values in listing.samples.items():
        if field == "search" or sort != "RELEVANCE":
            yield from ((f"{field} {what}", {field: value}) for what, value in values.items() if what not in UNBOUND)


def _paired(listing: Listing) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for pair in PAIRS[listing.root]:
        one, other = pair.split()
        for what, value in _usual(listing.samples[one]):
            for and_what, and_value in _usual(listing.samples[other]):
                yield f"{one} {what}, {other} {and_what}", {one: value, other: and_value}


def _usual(sample: Sample) -> list[tuple[str, Any]]:
    """The values that pages ask for: what matches much, and what matches some."""
    return [(what, value) for what, value in sample.items() if what in USUAL]


UNBOUND = {"phrase"}
"""No index knows where in a text words are, so what has the words of a phrase is looked at one by one."""
USUAL = {"common", "fairly common", "middling", "LEFT", "RIGHT", "newest hour", "a day amid", "20.0%", "80.0%"}


async def _too_many(
    conn: asyncpg.Connection[asyncpg.Record], listing: Listing, sort: str, what: str, asked: Mapping[str, Any]
) -> list[str]:
    """What is to be said of the first page, one further on, and the last one, where they read too many rows."""
    found: list[str] = []
    variables = {"filter": asked, "size": PAGE, "at": None}
    first = listing.operation(sort, backward=False)
    start = listing.page((await Statement.of(first, {**variables, "size": 5 * PAGE}).answer(conn))[0])
    pages = {"first": (first, variables), "last": (listing.operation(sort, backward=True), variables)}
    if len(start["nodes"]) == 5 * PAGE:
        pages["sixth"] = (first, {**variables, "at": start["pageInfo"]["endCursor"]})
    most = MOST_ROWS * (PAGE + 1) + ALLOWED.get((listing.root, sort), 0)
    for name, (operation, given) in pages.items():
        for reading in await Statement.of(operation, given).read(conn):
            if reading.rows > most:
                asked_of = f"{listing.parent} {listing.root} {sort}".strip()
                found += [f"{asked_of}, {what}, {name} page: {reading.rows:,} rows; {reading.worst()}"]
    return found


ALLOWED = {("stories", "RELEVANCE"): 1_000 * 2}
"""Rows that the contract itself asks for: the 1,000 latest that match are ranked."""


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
