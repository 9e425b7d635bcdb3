"""The parts of an export: that nothing is left out, how cells are written, how pages are read."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from graphql import GraphQLInputObjectType

from schema import schema
from service.documents import read_registered
from service.errors import CostLimitExceeded, RateLimited, ResponseTooLarge, Unavailable
from service.export import pages as reading
from service.export.columns import cell
from service.export.formats import Csv
from service.export.routes import exported
from service.export.sending import Body, until
from service.planner import Planner

PLANNER = Planner(schema)
DOCUMENTS = {each.name: each for each in read_registered(PLANNER)}


@pytest.mark.parametrize(
    ("document", "filter_"), [("ExportArticles", "ArticleFilter"), ("ExportStories", "StoryFilter")]
)
def test_every_condition_of_a_filter_is_a_parameter(document: str, filter_: str) -> None:
    type_ = PLANNER.schema.type_map[filter_]
    assert isinstance(type_, GraphQLInputObjectType)
    ranges = {"published", "updated", "firstPublished", "lastPublished"}
    wanted = {f"{name}{end}" for name in type_.fields for end in (("After", "Before") if name in ranges else ("",))}
    for each in exported(DOCUMENTS[document], PLANNER.schema):
        assert {parameter.name for parameter in each.parameters.listed} == {*wanted, "sort", "after"}


def test_columns_are_the_leaves_of_what_is_selected() -> None:
    [_, table] = exported(DOCUMENTS["ExportStories"], PLANNER.schema)
    assert isinstance(table.format, Csv)
    names = table.format.head().decode().strip().split(",")
    assert {"id", "topics", "keyPoints", "coverage.bias.left.count", "coverage.blindspot.side"} < set(names)
    assert names[-1] == "cursor"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("＝1", "'＝1"),  # noqa: RUF001
        ("a=1", "a=1"), ("", ""), ("'", "'"), (-1, "-1"), (-0.5, "-0.5"), (True, "true"), (False, "false"),
        (["=a", 'b"'], '["=a","b\\""]'), ([], "[]"),
    ],
)  # fmt: skip
def test_a_cell_is_no_formula(value: Any, text: str) -> None:
    assert cell(value) == text


class Answer:
    def __init__(self, size: int, cursor: str | None, count: int) -> None:
        begin = int(cursor or 0)
        numbers = range(begin, min(begin + size, count))
        edges = [{"cursor": str(n + 1), "node": {"n": n}} for n in numbers]
        info = {"hasNextPage": begin + size < count, "endCursor": edges[-1]["cursor"] if edges else None}
        self.body = orjson.dumps({"data": {"list": {"edges": edges, "pageInfo": info}}})


class Asked:
    """Answers a list of ten, or raises what is next to be raised."""

    def __init__(self, *raised: Exception | None, most: int = 100) -> None:
        self.raised, self.most, self.sizes = list(raised), most, list[int]()

    async def __call__(self, size: int, cursor: str | None) -> Any:
        self.sizes.append(size)
        error = self.raised.pop(0) if self.raised else None
        if error:
            raise error
        if size > self.most:
            raise CostLimitExceeded("So much is too dear.")
        return Answer(size, cursor, 10)


async def numbers_of(asked: Asked, size: int = 4) -> list[int]:
    return [edge["node"]["n"] async for page in reading.pages(asked, "list", size) for edge in page.edges]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(reading, "asyncio", SimpleNamespace(sleep=sleep))  # others go on as they do
    return seconds


async def test_all_pages_are_read() -> None:
    asked = Asked()
    assert await numbers_of(asked) == list(range(10))
    assert asked.sizes == [4, 4, 4]


async def test_what_is_too_dear_at_once_is_read_in_smaller_pages() -> None:
    asked = Asked(CostLimitExceeded("Too dear."), ResponseTooLarge("Too long."))
    assert await numbers_of(asked, 16) == list(range(10))
    assert asked.sizes == [16, 8, 4, 4, 4]


async def test_one_item_that_is_too_dear_ends_it() -> None:
    with pytest.raises(CostLimitExceeded):
        await numbers_of(Asked(most=0))


async def test_later_pages_wait(waited: list[float]) -> None:
    refused = RateLimited("Spent.", retry_after=7)
    assert await numbers_of(Asked(None, refused, refused, Unavailable("Away."))) == list(range(10))
    assert waited == [7, 7, Unavailable.retry_after]


async def test_the_first_page_does_not(waited: list[float]) -> None:
    with pytest.raises(RateLimited):
        await numbers_of(Asked(RateLimited("Spent.", retry_after=1)))
    assert waited == []


async def test_nobody_waits_for_ever(waited: list[float]) -> None:
    with pytest.raises(RateLimited):
        await numbers_of(Asked(None, *[RateLimited("Spent.", retry_after=50)] * 9))
    assert waited == [50, 50]


async def test_a_block_ends_when_the_event_is_set() -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, ending.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5), until(ending):
            await asyncio.sleep(60)
    async with until(asyncio.Event()):
        pass


async def test_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.export.sending.STALL", 0.01)

    async def send(_message: Any) -> None:
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await Body(send, gzip=False).write(b"x")
