"""Whatever the schema gates is withheld from callers without the feature, on every way to it, however it travels."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# Answers are JSON of any form.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.channels import QUERIES, SUBSCRIPTIONS, Asked, by_get, by_post
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key, add_tier
from tests.access_keys import PEPPER
from tests.databases import settled
from tests.gates import (
    ROOTS,
    Gate,
    Step,
    everything,
    gated_arguments,
    gated_fields,
    gated_inputs,
    names_of_possible_types,
    takers,
    type_of,
    ways_to,
    written,
)
from tests.redis_servers import URL, own_prefix

FEATURES = frozenset({"FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY", "EXPORT"})
LEAST = {"FACTUALITY": "premium", "PERSPECTIVES": "premium", "OWNERSHIP": "vantage", "HISTORY": "vantage"}
NEWS = """
insert into places (id, slug, name) values (1, 'p', 'P');
insert into topics (id, slug, name, parent_id) values (2, 'above', 'Above', null), (1, 't', 'T', 2);
insert into outlets (id, domain, slug, name, place_id) values (1, 'a.example', 'a', 'A', 1), (2, 'b.example', 'b', 'B', 1);
insert into ratings (outlet_id, agency, bias, factuality) values (1, 'X', 'LEFT', 'VERY_HIGH'), (2, 'X', 'LEFT', 'VERY_HIGH');
insert into owners (outlet_id, position, name, category) select n, 1, 'sentinel owner', 'TELECOM' from generate_series(1, 2) n;
insert into stories (id, key, slug, title) values (1, 1, 's', 'Council votes'), (2, 2, 's2', 'Council votes again');
insert into story_topics (story_id, topic_id, position) values (1, 1, 0), (2, 1, 0), (1, 2, 1), (2, 2, 1);
insert into story_places (story_id, place_id, position) values (1, 1, 0), (2, 1, 0);
insert into perspectives (story_id, side, summary) select n, 'LEFT', 'sentinel perspective' from generate_series(1, 2) n;
insert into articles (id, outlet_id, story_id, published_at, url, title)
select n, 1 + n % 2, 1 + n / 3, now() - interval '1 hour', 'https://a.example/' || n, 'T' from generate_series(1, 4) n;
"""  # noqa: E501
SENTINELS = {
    "FACTUALITY": ("VERY_HIGH", "FactualityRating", "FactualityDistribution"),
    "OWNERSHIP": ("sentinel owner", "TELECOM", "OwnershipDistribution", '"Ownership"'),
    "PERSPECTIVES": ("sentinel perspective", "PerspectiveList"),
}
RECENTLY = (datetime.now(UTC) - timedelta(days=2)).isoformat()
LONG_AGO = (datetime.now(UTC) - timedelta(days=91)).isoformat()
GIVEN = {
    "StoryBy": '{slug: "s"}',
    "ArticleBy": '{id: "article_1"}',
    "OutletBy": '{domain: "a.example"}',
    "TopicBy": '{slug: "t"}',
    "PlaceBy": '{slug: "p"}',
    "CoverageFilter": f'{{published: {{after: "{RECENTLY}"}}}}',
    "Window": f'{{after: "{RECENTLY}"}}',
    "String": '["a.example", "b.example"]',
    **{f"id:{name}": f'"{name.lower()}_1"' for name in ("Story", "Article", "Outlet", "Topic", "Place")},
    **{f"ids:{name}": f'["{name.lower()}_1"]' for name in ("Story", "Article", "Outlet", "Topic", "Place")},
}
NODES = frozenset(names_of_possible_types("Node"))
VALUES = {"Factuality": "VERY_HIGH", "OwnershipCategory": "TELECOM"}


@dataclass
class House:
    """Two processes on one database and one Redis, and callers of several tiers."""

    clients: list[httpx.AsyncClient]
    keys: dict[str, str | None]
    cursor: str

    def others(self, feature: str) -> list[tuple[httpx.AsyncClient, str | None]]:
        """Who lacks the feature: one with no key, and one with all others.

        What the first process was asked before, the one could find in Redis, the other in that process's own memory.
        """
        return [(self.clients[1], None), (self.clients[0], self.keys[feature])]


@pytest.fixture(scope="module")
async def house(serve: Serve, server_dsn: str, template: str) -> AsyncIterator[House]:
    from tests.databases import database

    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(database(server_dsn, template))
        conn = await asyncpg.connect(dsn)
        await conn.execute(NEWS)
        await conn.execute("update stories set title = title || '!'")  # a change that a subscriber can be told of
        await settled(conn)
        await conn.execute("update tiers set cost_per_minute = 1000000000, max_cost_per_request = 1000000000")
        keys: dict[str, str | None] = {}
        for name, features in {"": FEATURES, **{each: FEATURES - {each} for each in FEATURES}}.items():
            await add_tier(conn, f"test-{name.lower()}", features)
            keys[name] = await add_key(conn, f"test-{name.lower()}")
        await conn.close()
        shared = {"redis_url": URL, "redis_prefix": await stack.enter_async_context(own_prefix())} if URL else {}
        settings = {"key_pepper": PEPPER, "allowances": "off", **shared}
        clients = [await stack.enter_async_context(serve(dsn, **settings)) for _ in range(2)]
        first = await by_post(clients[0], None, Asked("{ changes(first: 1) { changes { cursor } } }"))
        yield House(clients, keys, first.results[0]["data"]["changes"]["changes"][0]["cursor"])


def steps_with(cursor: str) -> Mapping[Step, str]:
    return {Step("Subscription", "storyChanged", "StoryChange"): f'after: "{cursor}"'}


def asking_for(gate: Gate) -> str:
    """The gated field in every position that a selection can have."""
    field = f"{gate.field} {{ {everything(type_of(gate))} }}"
    again = f"{gate.field} @include(if: true) {{ __typename }}"
    inline = f"... on {gate.type} {{ inline: {field} ... @skip(if: false) {{ bare: {field} }} }}"
    within = f"... on Node {{ ... on {gate.type} {{ within: {field} }} }}" if gate.type in NODES else ""
    return f"{field} as: {field} fact: {field} {again} {inline} ...F {within}"


def fragment(gate: Gate) -> str:
    return f" fragment F on {gate.type} {{ spread: {gate.field} {{ {everything(type_of(gate))} }} }}"


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects that tell their type."""
    if isinstance(value, dict):
        if "__typename" in value:
            yield value
        for each in value.values():
            yield from objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each)


def assert_withheld(text: str, results: list[dict[str, Any]], feature: str) -> None:
    for sentinel in SENTINELS[feature]:
        assert sentinel not in text
    (result,) = results
    stand_ins = [each for each in objects(result) if each["__typename"] == "UpgradeRequired"]
    assert stand_ins
    for each in stand_ins:
        assert (each["feature"], each["tier"]) == (feature, LEAST[feature])
        assert LEAST[feature] in each["message"]


@pytest.mark.parametrize("gate", gated_fields(), ids=str)
async def test_a_gated_field_is_withheld_on_every_way_to_it(house: House, gate: Gate) -> None:
    ways = ways_to(gate.type)
    assert {way[0].type for way in ways} == set(ROOTS)
    for number, way in enumerate(ways):
        text = written(way, asking_for(gate), steps_with(house.cursor), GIVEN) + fragment(gate)
        channels = SUBSCRIPTIONS if way[0].type == "Subscription" else QUERIES
        # All ways by the plain one; the others in turn, for what travels does not depend on the way through the schema.
        for channel in {channels[0], channels[number % len(channels)]}:
            full = await channel(house.clients[0], house.keys[""], Asked(text))
            assert "UpgradeRequired" not in full.text, text
            assert any(sentinel in full.text for sentinel in SENTINELS[gate.feature]), text
            for client, key in house.others(gate.feature):
                less = await channel(client, key, Asked(text))
                assert_withheld(less.text, less.results, gate.feature)


def nested(path: tuple[str, ...], value: Any) -> Any:
    """The value of the path's first name, when the path has that value at its end."""
    for name in reversed(path[1:]):
        value = {name: value}
    return value


def literal(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{name}: {literal(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(literal(each) for each in value) + "]"
        case None:
            return "null"
        case _:
            return str(value)


def giving(gate: Gate, taker: Step, path: tuple[str, ...]) -> tuple[dict[str, Asked], dict[str, Asked]]:
    """Operations that give the gated input, and those that have it absent or null, by how they do."""
    way = next(way for way in _ways_of(taker))
    kind, argument = type_of(gate), path[0]
    whole, value = (*path, gate.field), VALUES[type_of(gate)]

    def asked(declared: str, written_as: Any, **variables: Any) -> Asked:
        given = f"{argument}: {literal(nested(whole, written_as))}"
        text = written(way, "__typename totalCount { value }", {way[-1]: given}, GIVEN)
        return Asked(f"query{f'({declared})' if declared else ''} {text}", variables)

    def by_whole(default: Any, *given: Any) -> Asked:
        told = f"$f: {_argument_type(gate, path)}" + (f" = {literal(nested(whole, default))}" if default else "")
        text = written(way, "__typename totalCount { value }", {way[-1]: f"{argument}: $f"}, GIVEN)
        return Asked(f"query({told}) {text}", {"f": nested(whole, given[0])} if given else {})

    gives = {
        "literal": asked("", [value]),
        "literal without its list": asked("", value),
        "empty list": asked("", []),
        "variable": asked(f"$v: [{kind}!]", "$v", v=[value]),
        "variable without its list": asked(f"$v: [{kind}!]", "$v", v=value),
        "variable that is empty": asked(f"$v: [{kind}!]", "$v", v=[]),
        "variable in a list": asked(f"$v: {kind}!", ["$v"], v=value),
        "default of a variable": asked(f"$v: [{kind}!] = [{value}]", "$v"),
        "variable of all": by_whole(None, [value]),
        "variable of all with an empty list": by_whole(None, []),
        "default of a variable of all": by_whole([value]),
        "variable over a default": by_whole([], [value]),
    }
    gives_not = {
        "null": asked("", None),
        "variable that is null": asked(f"$v: [{kind}!]", "$v", v=None),
        "variable that is absent": asked(f"$v: [{kind}!]", "$v"),
        "null over a default": asked(f"$v: [{kind}!] = [{value}]", "$v", v=None),
        "null within a variable of all": by_whole(None, None),
        "null within one over a default": by_whole([value], None),
    }
    return gives, gives_not


def _argument_type(gate: Gate, path: tuple[str, ...]) -> str:
    assert len(path) == 1, "tell here the type of the argument"
    return gate.type


def _ways_of(taker: Step) -> Iterator[tuple[Step, ...]]:
    if taker.type in ROOTS:
        yield (taker,)
    else:
        yield from ((*way, taker) for way in ways_to(taker.type) if way[0].type == "Query")


@pytest.mark.parametrize("gate", gated_inputs(), ids=str)
async def test_a_gated_input_refuses_the_whole_operation_however_it_is_given(house: House, gate: Gate) -> None:
    assert takers(gate.type)
    for number, (taker, path) in enumerate(takers(gate.type)):
        gives, gives_not = giving(gate, taker, path)
        for turn, (how, asked) in enumerate(gives.items()):
            for channel in {by_post, QUERIES[(number + turn) % len(QUERIES)]}:
                full = await channel(house.clients[0], house.keys[""], asked)
                assert "data" in full.results[0], (how, asked, full)
                for client, key in house.others(gate.feature):
                    less = await channel(client, key, asked)
                    told = less.refusal
                    assert (told["code"], told["feature"]) == ("UPGRADE_REQUIRED", gate.feature), (how, asked)
                    assert told["tier"] == LEAST[gate.feature]
                    assert VALUES[type_of(gate)] not in less.text
                    if channel in (by_post, by_get):
                        assert less.status == 403
        for how, asked in gives_not.items():
            for client, key in house.others(gate.feature):
                answer = await by_post(client, key, asked)
                assert (answer.status, set(answer.results[0])) == (200, {"data", "extensions"}), (how, asked, answer)


def test_no_argument_is_gated_by_itself_or_it_is_tried_here_too() -> None:
    assert gated_arguments() == []


@pytest.mark.parametrize(("taker", "path"), takers("Window"), ids=lambda each: str(getattr(each, "field", "")))
async def test_a_window_that_looks_far_back_needs_history(house: House, taker: Step, path: tuple[str, ...]) -> None:
    for way in _ways_of(taker):
        for as_variable in (False, True):
            window = "$w" if as_variable else {"after": json.dumps(LONG_AGO)}
            given = f"{path[0]}: {literal(nested(path, window))}"
            text = written(way, "__typename", {way[-1]: given}, GIVEN)
            asked = Asked(
                f"query{'($w: Window!)' if as_variable else ''} {text}",
                {"w": {"after": LONG_AGO}} if as_variable else {},
            )
            full = await by_post(house.clients[0], house.keys[""], asked)
            assert full.status == 200, (asked, full)
            for client, key in house.others("HISTORY"):
                less = await by_post(client, key, asked)
                told = less.refusal["code"], less.refusal["feature"], less.refusal["tier"]
                assert (less.status, *told) == (403, "UPGRADE_REQUIRED", "HISTORY", "vantage")


async def test_search_does_not_find_what_is_withheld(house: House) -> None:
    for key in (*house.keys.values(), None):
        for field in ("stories", "articles"):
            for words in ("sentinel", '"sentinel perspective"', "perspective", "TELECOM"):
                answer = await by_post(
                    house.clients[0],
                    key,
                    Asked(
                        f"query($s: String) {{ {field}(filter: {{search: $s}}) {{ totalCount {{ value }} }} }}",
                        {"s": words},
                    ),
                )
                assert answer.results[0]["data"] == {field: {"totalCount": {"value": 0}}}


async def test_a_cursor_made_with_a_gated_filter_opens_nothing(house: House) -> None:
    text = "query($after: String) { outlets(first: 1, after: $after FILTER) { pageInfo { endCursor } nodes { name } } }"
    gated = text.replace("FILTER", ", filter: {factuality: [VERY_HIGH]}")
    full = await by_post(house.clients[0], house.keys[""], Asked(gated))
    cursor = full.results[0]["data"]["outlets"]["pageInfo"]["endCursor"]
    for client, key in house.others("FACTUALITY"):
        refused = await by_post(client, key, Asked(gated, {"after": cursor}))
        assert refused.refusal["code"] == "UPGRADE_REQUIRED"
        other = await by_post(client, key, Asked(text.replace("FILTER", ""), {"after": cursor}))
        assert other.refusal["code"] == "BAD_USER_INPUT"


async def test_a_tier_that_changes_sees_more_or_less_at_once_that_it_is_known(
    serve: Serve, empty_database: str
) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(NEWS)
    await settled(conn)
    await add_tier(conn, "changing", FEATURES)
    key = await add_key(conn, "changing")
    asked = Asked('{ story(by: {slug: "s"}) { perspectives { __typename } } }')
    async with serve(empty_database, key_pepper=PEPPER) as client:
        for features, expected in (
            (FEATURES, "PerspectiveList"),
            ([], "UpgradeRequired"),
            (FEATURES, "PerspectiveList"),
        ):
            await conn.execute("update tiers set features = $1 where name = 'changing'", sorted(features))
            async with asyncio.timeout(5):
                while expected not in (await by_post(client, key, asked)).text:
                    await asyncio.sleep(0.1)
    await conn.close()
