"""Values at and over their edges: sizes of pages, numbers, dates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.planner import small_world
from tests.planner.asking import ALL_FEATURES, Asking

CONNECTIONS = {
    "stories": "{{ list: stories({0}) {{ {1} }} }}",
    "articles": "{{ list: articles({0}) {{ {1} }} }}",
    "outlets": "{{ list: outlets({0}) {{ {1} }} }}",
    "topics": "{{ list: topics({0}) {{ {1} }} }}",
    "places": "{{ list: places({0}) {{ {1} }} }}",
}
WHOLE = (
    "nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount { value }"
)


@pytest.mark.parametrize("name", CONNECTIONS)
@pytest.mark.parametrize("size", ["first: 0", "last: 0"])
async def test_no_items_have_true_page_info(ask: Asking, name: str, size: str) -> None:
    query = CONNECTIONS[name]
    total = len((await ask(query.format("first: 100", "nodes { id }")))["list"]["nodes"])
    answer = (await ask(query.format(size, WHOLE)))["list"]
    assert answer["nodes"] == answer["edges"] == []
    assert answer["pageInfo"] == {
        "hasNextPage": size == "first: 0",
        "hasPreviousPage": size == "last: 0",
        "startCursor": None,
        "endCursor": None,
    }
    assert answer["totalCount"]["value"] == total


@pytest.mark.parametrize("name", CONNECTIONS)
@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("first: -1", "'first' must not be negative; it is -1."),
        ("last: -1", "'last' must not be negative; it is -1."),
        ("first: -2147483648", "'first' must not be negative; it is -2147483648."),
        ("first: 101", "'first' is at most 100; it is 101."),
        ("last: 101", "'last' is at most 100; it is 101."),
        ("first: 2147483647", "'first' is at most 100; it is 2,147,483,647."),
        ("first: 1, last: 1", "'first' and 'last' exclude each other."),
        ("first: 0, last: 0", "'first' and 'last' exclude each other."),
        ("first: 101, last: 1", "'first' and 'last' exclude each other."),
    ],
)
async def test_sizes_out_of_bounds_are_refused_and_never_clamped(ask: Asking, name: str, size: str, said: str) -> None:
    error = await ask.refusal(CONNECTIONS[name].format(size, "nodes { id }"))
    assert error.code == "BAD_USER_INPUT"
    assert error.message == said


async def test_neither_first_nor_last_is_the_first_20(ask: Asking) -> None:
    everything = (await ask("{ articles(first: 100) { nodes { id } } }"))["articles"]["nodes"]
    for query in (
        "{ articles { nodes { id } } }",
        "{ articles(first: null, last: null) { nodes { id } } }",
        "query ($n: Int) { articles(first: $n, last: $n) { nodes { id } } }",
    ):
        assert (await ask(query))["articles"]["nodes"] == everything[:20]
    assert (await ask("{ articles(first: null, last: 3) { nodes { id } } }"))["articles"]["nodes"] == (
        await ask("{ articles(last: 3) { nodes { id } } }")
    )["articles"]["nodes"]


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 10**4_000, 1.5, "1", True, [1, 2], {}])
async def test_what_is_no_int_of_32_bits_is_refused(ask: Asking, number: Any) -> None:
    for query in (
        "query ($n: Int) { stories(first: $n) { nodes { id } } }",
        "query ($n: Int!) { stories(first: 1) { nodes { related(first: $n) { id } } } }",
        "query ($n: Int) { stories(filter: { minOutlets: $n }) { nodes { id } } }",
    ):
        error = await ask.refusal(query, {"n": number})
        assert error.code == "BAD_USER_INPUT"
        assert len(error.message) < 5_000


@pytest.mark.parametrize("number", ["2147483648", "-2147483649", "9" * 5_000, "1.0", "1e309", "1e3", '"1"', "true"])
async def test_literals_that_are_no_int_of_32_bits_are_refused(ask: Asking, number: str) -> None:
    for query in (
        f"{{ stories(first: {number}) {{ nodes {{ id }} }} }}",
        f"{{ stories(filter: {{ minOutlets: {number} }}) {{ nodes {{ id }} }} }}",
    ):
        error = await ask.refusal(query)
        assert error.code in ("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED")


async def test_every_int_of_32_bits_is_taken(ask: Asking) -> None:
    for number, found in ((2**31 - 1, 0), (-(2**31), 12), (0, 12), (-1, 12)):
        answer = await ask(
            "query ($n: Int) { stories(filter: { minOutlets: $n }) { totalCount { value } } }", {"n": number}
        )
        assert answer["stories"]["totalCount"]["value"] == found


async def test_1e309_is_refused_by_every_type(ask: Asking) -> None:
    infinity = float("inf")
    for name in ("Int", "ID", "DateTime", "String"):
        field = {"Int": "first: $v", "ID": "", "DateTime": "filter: { updated: { after: $v } }"}.get(
            name, "filter: { search: $v }"
        )
        query = f"query ($v: {name}) {{ stories({field}) {{ nodes {{ id }} }} }}"
        if name == "ID":
            query = "query ($v: ID!) { node(id: $v) { id } }"
        for value in (infinity, -infinity, float("nan")):
            assert (await ask.refusal(query, {"v": value})).code == "BAD_USER_INPUT"


async def test_at_most_100_ids_at_once(ask: Asking) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await ask(query, {"ids": []}) == {"nodes": []}
    assert await ask(query, {"ids": ["x"] * 100}) == {"nodes": [None] * 100}
    for number, message in (
        (101, "At most 100 ids at once; these are 101."),
        (5_000, "At most 100 ids at once; these are 5,000."),
        (10_000, "The variable '$ids' lists 10,000 values, where 5,000 are the most."),
    ):
        error = await ask.refusal(query, {"ids": ["story_1"] * number})
        assert error.code == "BAD_USER_INPUT"
        assert error.message == message
    literal = ask.with_limits(ask.planner.limits.__class__(max_tokens=100_000))
    error = await literal.refusal("{ nodes(ids: [" + '"story_1" ' * 1_000 + "]) { id } }")
    assert error.code == "BAD_USER_INPUT"


@pytest.mark.parametrize("size", [-1, 51, 2**31 - 1])
async def test_plain_lists_have_bounds_too(ask: Asking, size: int) -> None:
    error = await ask.refusal(f"{{ stories {{ nodes {{ related(first: {size}) {{ id }} }} }} }}")
    assert error.code == "BAD_USER_INPUT"
    assert "'first'" in error.message


async def test_plain_lists_may_be_asked_for_nothing(ask: Asking) -> None:
    answer = await ask("{ stories(first: 1) { nodes { related(first: 0) { id } } } }")
    assert answer == {"stories": {"nodes": [{"related": []}]}}


DATED = """query ($after: DateTime, $before: DateTime) {
  stories(filter: { updated: { after: $after, before: $before } }) { totalCount { value } }
  first: stories(filter: { firstPublished: { after: $after, before: $before } }) { totalCount { value } }
  last: stories(filter: { lastPublished: { after: $after, before: $before } }) { totalCount { value } }
  articles(filter: { published: { after: $after, before: $before } }) { totalCount { value } }
  updated: articles(filter: { updated: { after: $after, before: $before } }) { totalCount { value } }
}"""


@pytest.mark.parametrize(
    "moment",
    [
        *("0000-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
        *("2026-03-01T00:00:00", "2026-03-01", "2026-03-01 00:00:00Z", "2026-03-01T00:00Z", "2026-03-01T00:00:00z+01"),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z"),
        *("2026-03-01T00:00:00+24:00", "2026-03-01T00:00:00+0100", "2026-03-01T00:00:00.1234567Z"),
        *(
            "2026-03-01T00:00:00.Z",
            "٢٠٢٦-03-01T00:00:00Z",
            "2026-03-01T00:00:00Z\n",
            " 2026-03-01T00:00:00Z",
            "",
            "now",
        ),
        *("infinity", "-infinity", "epoch", "2026-W09-1T00:00:00Z", "20260301T000000Z", "x" * 10_000),
    ],
)
async def test_what_is_no_point_in_time_is_refused(ask: Asking, moment: str) -> None:
    error = await ask.refusal(DATED, {"after": moment})
    assert error.code == "BAD_USER_INPUT"
    assert "DateTime" in error.message or "no such date" in error.message


@pytest.mark.parametrize(
    ("moment", "before"),
    [
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 1),
        ("9999-12-31T23:59:59.999999Z", 1),
        ("9999-12-31T23:59:59+23:59", 1),
        ("0001-01-01T23:59:00-00:00", 0),
        ("2026-03-05T00:00:00z", 1),
        ("2026-03-05t00:00:00.000001Z", 1),
    ],
)
async def test_every_point_in_time_of_four_digit_years_is_taken(ask: Asking, moment: str, before: int) -> None:
    answer = await ask(DATED, {"before": moment})
    for name in ("first", "last", "articles"):
        assert bool(answer[name]["totalCount"]["value"]) == before
    await ask(DATED, {"after": moment})


async def test_an_empty_range_is_empty_and_a_range_is_half_open(ask: Asking) -> None:
    (node,) = (await ask("{ stories(first: 1, sort: NEWEST) { nodes { firstPublishedAt } } }"))["stories"]["nodes"]
    moment = node["firstPublishedAt"]
    assert (await ask(DATED, {"after": moment, "before": moment}))["first"]["totalCount"]["value"] == 0
    assert (await ask(DATED, {"after": moment}))["first"]["totalCount"]["value"] == 1
    assert (await ask(DATED, {"before": moment}))["first"]["totalCount"]["value"] == 11
    backward = {"after": "2026-03-10T00:00:00Z", "before": "2026-03-01T00:00:00Z"}
    assert (await ask(DATED, backward))["first"]["totalCount"]["value"] == 0


async def test_gated_filters_refuse_the_whole_operation(ask: Asking) -> None:
    query = "query ($f: OutletFilter) { outlets(filter: $f) { nodes { id } } stories { nodes { id } } }"
    for name, values in (("factuality", ["HIGH"]), ("ownership", ["TELECOM"])):
        for given in (values, []):
            error = await ask.refusal(query, {"f": {name: given}})
            assert error.code == "UPGRADE_REQUIRED"
            assert error.extensions == {"feature": name.upper(), "tier": None}
        assert len((await ask(query, {"f": {name: None}}))["outlets"]["nodes"]) == len(small_world.OUTLETS)
        assert (await ask(query, {"f": {name: values}}, ALL_FEATURES))["outlets"]["nodes"]
