"""No list of the contract scans a large table, whatever it is filtered and ordered by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from bench.filling import fill
from schema.filters import ArticleFilter, ArticleSort, OutletFilter, OutletSort, StoryFilter, StorySort
from tests.databases import database
from tests.integration.rows_read import Statement
from tests.integration.sampled_values import Sample, article_samples, outlet_samples, story_samples

STORIES = 3_000
PAGE = 20
MOST_ROWS = 50
"""Rows read of large tables for a row of a page. A page that is not full because its list ends counts as full."""
DECIDING = 1_000
"""Rows that it may cost besides to find out which of two ways is the shorter: a walk tried so far, or a count."""

SESSION = {"timezone": "UTC", "jit": "off", "random_page_cost": "1.1"}
"""As the service's own connections have them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the contract, with values for each field of its filter."""

    root: str
    filter: type
    sorts: tuple[str, ...]
    samples: Mapping[str, Sample]

    def operation(self, sort: str, *, backward: bool) -> str:
        position = "last: $size, before: $at" if backward else "first: $size, after: $at"
        return (
            f"query($size: Int!, $at: String, $filter: {self.filter.__name__})"
            f" {{ {self.root}({position}, filter: $filter, sort: {sort})"
            " { nodes { id } pageInfo { startCursor endCursor } } }"
        )


@dataclass(frozen=True, slots=True)
class World:
    """A filled database, and what can be asked of it."""

    conn: asyncpg.Connection[asyncpg.Record]
    listings: Mapping[str, Listing]


@pytest.fixture
async def world(server_dsn: str, template: str) -> AsyncIterator[World]:
    async with database(server_dsn, template) as dsn:
        await fill(dsn, STORIES, lambda _: None)
        conn = await asyncpg.connect(dsn, server_settings=SESSION)
        stories = tuple(sort.name for sort in StorySort)
        articles = tuple(sort.name for sort in ArticleSort)
        outlets = tuple(sort.name for sort in OutletSort)
        try:
            yield World(
                conn,
                {
                    "stories": Listing("stories", StoryFilter, stories, await story_samples(conn)),
                    "articles": Listing("articles", ArticleFilter, articles, await article_samples(conn)),
                    "outlets": Listing("outlets", OutletFilter, outlets, await outlet_samples(conn)),
                },
            )
        finally:
            await conn.close()


# One test, so that one worker of a run makes the world, once.
async def test_no_list_scans_a_large_table_whatever_it_is_filtered_and_ordered_by(world: World) -> None:
    found: list[str] = []
    for listing in world.listings.values():
        fields = {_camel(name) for name in listing.filter.__annotations__}
        assert fields == set(listing.samples), "every field of the filter has values to be tried with"
        for sort in listing.sorts:
            for what, asked in _alone(listing, sort):
                found += await _too_many(world.conn, listing, sort, what, asked)
            for what, asked in _paired(listing) if sort != "RELEVANCE" else ():
                found += await _too_many(world.conn, listing, sort, what, asked)
    assert not found, "\n".join(found)


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


UNBOUND = {"newest half", "oldest half", "phrase"}
"""No index has both a time and another order: half of everything, all of it at the far end, is read whole. None knows
where in a text words are, so what has the words of a phrase is looked at one by one. Nor are later pages of a search of
articles bound: Postgres may join what matches with all that is beyond the cursor."""
USUAL = {"common", "fairly common", "middling", "LEFT", "RIGHT", "newest hour", "a day amid", "20.0%", "80.0%"}


async def _too_many(
    conn: asyncpg.Connection[asyncpg.Record], listing: Listing, sort: str, what: str, asked: Mapping[str, Any]
) -> list[str]:
    """What is to be said of the first page, one further on, and the last one, where they read too many rows."""
    found: list[str] = []
    variables = {"filter": asked, "size": PAGE, "at": None}
    first = listing.operation(sort, backward=False)
    start = await _page(conn, first, {**variables, "size": 5 * PAGE})
    pages = {"first": (first, variables), "last": (listing.operation(sort, backward=True), variables)}
    if len(start["nodes"]) == 5 * PAGE and not (listing.root == "articles" and "search" in asked):
        pages["sixth"] = (first, {**variables, "at": start["pageInfo"]["endCursor"]})
    most = MOST_ROWS * PAGE + DECIDING + ALLOWED.get((listing.root, sort), 0)
    for name, (operation, given) in pages.items():
        for reading in await Statement.of(operation, given).read(conn):
            if reading.rows > most:
                found += [f"{listing.root} {sort}, {what}, {name} page: {reading.rows:,} rows; {reading.worst()}"]
    return found


ALLOWED = {("stories", "RELEVANCE"): 1_000 * 2}
"""Rows that the contract itself asks for: the 1,000 latest that match are ranked."""


async def _page(conn: asyncpg.Connection[asyncpg.Record], operation: str, variables: Mapping[str, Any]) -> Any:
    return (await Statement.of(operation, variables).answer(conn))[0]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
