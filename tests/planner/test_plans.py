"""One plan serves every call of its shape: values are parameters, and only what the text depends on makes plans."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from service.planner import Allowed
from tests.planner import small_world
from tests.planner.asking import Asking

MATCHING = """query ($first: Int, $search: String, $topics: [String!], $outlet: String!, $min: Int, $after: DateTime) {
  stories(first: $first, filter: {
    search: $search, topics: $topics, outlets: ["nobody.example", $outlet]
    minOutlets: $min, firstPublished: { after: $after }
  }) { nodes { slug } totalCount { value } }
}"""


async def found(ask: Asking, document: Any, variables: dict[str, Any]) -> list[str]:
    return [node["slug"] for node in (await ask.of(document, variables))["stories"]["nodes"]]


async def test_one_plan_serves_calls_with_other_values(ask: Asking) -> None:
    document = ask.planner.document(MATCHING)
    seen = set[tuple[str, ...]]()
    for outlet, search, min_ in product(small_world.OUTLETS, ("council", "budget 3", "nothing"), (1, 6)):
        variables = {"outlet": outlet, "search": search, "min": min_, "topics": ["politics"], "first": 20}
        seen.add(tuple(await found(ask, document, variables)))
    assert len(seen) > 5
    assert len(document.operation().plans) == 1


async def test_plans_grow_with_what_is_given_and_with_page_sizes_only(ask: Asking) -> None:
    document = ask.planner.document(MATCHING)
    given: list[dict[str, Any]] = [
        {"outlet": "outlet1.example", **dict(zip(("search", "min", "after"), some, strict=True))}
        for some in product((None, "council"), (None, 2), (None, "2026-03-03T00:00:00Z"))
    ]
    answers = [await found(ask, document, {k: v for k, v in one.items() if v is not None}) for one in given]
    assert len(document.operation().plans) == len(given)
    assert [await found(ask, document, one) for one in given] == answers, "null is as not given"
    assert len(document.operation().plans) == len(given)
    for _ in range(2):
        for first in (1, 2, 3):
            assert await found(ask, document, {**given[0], "first": first}) == answers[0][:first]
        assert [await found(ask, document, one) for one in given] == answers
    assert len(document.operation().plans) == len(given) + 3


async def test_plans_that_are_forgotten_are_made_anew(ask: Asking) -> None:
    document = ask.planner.document(
        "query ($n: Int!) { stories(first: $n) { nodes { id } } topics(first: $n) { nodes { id } } }"
    )
    for number in range(101):
        answer = await ask.of(document, {"n": number}) if number < 5 else None
        ask.planner.plan(document.operation(), {"n": number % 101}, Allowed(frozenset({str(number % 3)})))
        assert answer is None or len(answer["stories"]["nodes"]) == number
    for _ in range(3):
        for number in range(101):
            ask.planner.plan(document.operation(), {"n": number}, Allowed(frozenset({"other"})))
    assert len(document.operation().plans) <= 256
    assert len((await ask.of(document, {"n": 3}))["stories"]["nodes"]) == 3


async def test_equal_operations_have_equal_statements(ask: Asking) -> None:
    other = ask.with_limits(ask.planner.limits)
    for query in (MATCHING, "{ stories { edges { cursor node { reports { nodes { outlet { name } } } } } } }"):
        variables = {"outlet": "outlet1.example"}
        one, two = (
            each.planner.plan(each.planner.document(query).operation(), variables, Allowed()) for each in (ask, other)
        )
        assert one.statement == two.statement
        assert one.parameters == two.parameters


@pytest.mark.parametrize("first", ["$first", "$given"])
async def test_a_default_is_for_what_is_not_given(ask: Asking, first: str) -> None:
    query = f"query ($first: Int = 2, $given: Int = 3) {{ stories(first: {first}) {{ nodes {{ id }} }} }}"
    query = query.replace("$first: Int = 2, " if first == "$given" else ", $given: Int = 3", "")
    name, default = (first[1:], 3 if first == "$given" else 2)
    document = ask.planner.document(query)
    given: list[tuple[dict[str, Any], int]] = [({}, default), ({name: 1}, 1), ({name: None}, 12), ({name: 0}, 0)]
    for variables, wanted in [*given, *reversed(given)]:
        assert len((await ask.of(document, variables))["stories"]["nodes"]) == wanted


async def test_an_argument_with_a_default_takes_it_where_the_variable_is_not_given(ask: Asking) -> None:
    document = ask.planner.document(
        "query ($sort: StorySort!, $other: StorySort! = NEWEST) {"
        " a: stories(sort: $sort) { nodes { slug } } b: stories(sort: $other) { nodes { slug } } }"
    )
    newest = (await ask("{ stories(sort: NEWEST) { nodes { slug } } }"))["stories"]
    covered = (await ask("{ stories(sort: MOST_COVERED) { nodes { slug } } }"))["stories"]
    assert newest != covered
    assert await ask.of(document, {"sort": "MOST_COVERED"}) == {"a": covered, "b": newest}
    assert await ask.of(document, {"sort": "NEWEST", "other": "MOST_COVERED"}) == {"a": newest, "b": covered}
    nullable = ask.planner.document(
        "query ($sort: StorySort = MOST_COVERED) { stories(sort: $sort) { nodes { slug } } }"
    )
    assert await ask.of(nullable, {}) == {"stories": covered}
    assert await ask.of(nullable, {"sort": "NEWEST"}) == {"stories": newest}
    hourly = ask.planner.document("query ($i: Interval) { stories { nodes { timeline(interval: $i) { start } } } }")
    for variables, fewest in (({}, 5), ({"i": "DAY"}, 1), ({"i": "HOUR"}, 5), ({}, 5)):
        assert min(len(n["timeline"]) for n in (await ask.of(hourly, variables))["stories"]["nodes"]) == fewest


UNFIT: list[tuple[str, dict[str, Any]]] = [
    ("query ($n: Int) { stories(first: 1) { nodes { related(first: $n) { id } } } }", {"n": None}),
    ("query ($s: StorySort = LATEST) { stories(sort: $s) { nodes { id } } }", {"s": None}),
    ("query ($i: Interval = DAY) { stories { nodes { timeline(interval: $i) { start } } } }", {"i": None}),
    ("query ($id: ID!) { node(id: $id) { id } }", {}),
    ("query ($id: ID!) { node(id: $id) { id } }", {"id": None}),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [None]}),
    ("query ($by: StoryBy!) { story(by: $by) { id } }", {"by": {}}),
    ("query ($by: StoryBy!) { story(by: $by) { id } }", {"by": {"id": None}}),
    ("query ($by: StoryBy!) { story(by: $by) { id } }", {"by": {"id": "story_1", "slug": None}}),
    ("query ($by: StoryBy!) { story(by: $by) { id } }", {"by": {"id": "story_1", "slug": "x"}}),
    ("query ($by: StoryBy!) { story(by: $by) { id } }", {"by": {"key": "x"}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"nope": 1}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": [{}]}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"topics": [None]}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"blindspot": "NOWHERE"}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"blindspot": 1}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"search": 1}}),
    ("query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", {"f": {"countries": ["usa"]}}),
    ("query ($u: URL!) { article(by: { url: $u }) { id } }", {"u": "ftp://x.example"}),
    ("query ($b: Boolean!) { stories { nodes { id @skip(if: $b) } } }", {"b": "true"}),
]


@pytest.mark.parametrize(("query", "variables"), UNFIT)
async def test_variables_that_do_not_fit_are_bad_user_input(ask: Asking, query: str, variables: dict[str, Any]) -> None:
    error = await ask.refusal(query, variables)
    assert error.code == "BAD_USER_INPUT"


LITERAL = """{
  stories(filter: { topics: ["elections", "100%"], lastPublished: { after: "2026-03-04T00:00:00Z" } }) {
    nodes { slug }
  }
}"""


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (
            "query ($f: StoryFilter) { stories(filter: $f) { nodes { slug } } }",
            {"f": {"topics": ["elections", "100%"], "lastPublished": {"after": "2026-03-04T00:00:00Z"}}},
        ),
        (
            (
                "query ($t: [String!], $r: TimeRange)"
                " { stories(filter: { topics: $t, lastPublished: $r }) { nodes { slug } } }"
            ),
            {"t": ["elections", "100%"], "r": {"after": "2026-03-04T00:00:00Z"}},
        ),
        (
            (
                "query ($t: String!, $a: DateTime) {"
                ' stories(filter: { topics: [$t, "100%"], lastPublished: { after: $a } }) { nodes { slug } } }'
            ),
            {"t": "elections", "a": "2026-03-04T01:00:00+01:00"},
        ),
        (
            (
                'query ($t: String = "elections", $a: DateTime = "2026-03-04T00:00:00Z") {'
                ' stories(filter: { topics: ["100%", $t], lastPublished: { after: $a } }) { nodes { slug } } }'
            ),
            {},
        ),
        (
            (
                'query ($t: [String!] = ["elections", "100%"], $b: DateTime) {'
                ' stories(filter: { topics: $t, lastPublished: { after: "2026-03-04T00:00:00Z", before: $b } })'
                " { nodes { slug } } }"
            ),
            {"b": None},
        ),
    ],
)
async def test_a_value_means_the_same_wherever_it_comes_from(
    ask: Asking, query: str, variables: dict[str, Any]
) -> None:
    wanted = await ask(LITERAL)
    assert 2 < len(wanted["stories"]["nodes"]) < 10
    assert await ask(query, variables) == wanted


async def test_one_value_stands_for_a_list_of_it(ask: Asking) -> None:
    wanted = await ask('{ stories(filter: { topics: ["politics"] }) { nodes { slug } } }')
    assert wanted["stories"]["nodes"]
    assert await ask('{ stories(filter: { topics: "politics" }) { nodes { slug } } }') == wanted
    query = "query ($t: String!) { stories(filter: { topics: [$t] }) { nodes { slug } } }"
    assert await ask(query, {"t": "politics"}) == wanted
    query = "query ($t: [String!]) { stories(filter: { topics: $t }) { nodes { slug } } }"
    assert await ask(query, {"t": "politics"}) == wanted
    query = "query ($f: StoryFilter) { stories(filter: $f) { nodes { slug } } }"
    assert await ask(query, {"f": {"topics": "politics"}}) == wanted


async def test_null_asks_nothing_and_an_empty_list_matches_nothing(ask: Asking) -> None:
    every = (await ask("{ stories { totalCount { value } } }"))["stories"]["totalCount"]["value"]
    query = "query ($f: StoryFilter) { stories(filter: $f) { totalCount { value } } }"
    document = ask.planner.document(query)
    given: list[tuple[dict[str, Any], int]] = [
        ({}, every),
        ({"f": None}, every),
        ({"f": {}}, every),
        ({"f": {"topics": None, "search": None, "updated": None, "blindspot": None}}, every),
        ({"f": {"updated": {}}}, every),
        ({"f": {"updated": {"after": None, "before": None}}}, every),
        ({"f": {"topics": []}}, 0),
        ({"f": {"places": []}}, 0),
        ({"f": {"outlets": []}}, 0),
        ({"f": {"countries": []}}, 0),
        ({"f": {"topics": ["unknown"]}}, 0),
    ]
    for variables, wanted in [*given, *reversed(given)]:
        assert (await ask.of(document, variables))["stories"]["totalCount"]["value"] == wanted, variables


async def test_an_empty_list_of_enums_matches_nothing(ask: Asking) -> None:
    for name, values in (("sides", []), ("bias", []), ("kinds", []), ("languages", [])):
        query = "query ($f: ArticleFilter) { articles(filter: $f) { nodes { id } totalCount { value } } }"
        answer = await ask(query, {"f": {name: values}})
        assert answer == {"articles": {"nodes": [], "totalCount": {"value": 0}}}


async def test_enums_in_variables_choose_a_plan_of_their_own(ask: Asking) -> None:
    document = ask.planner.document("query ($s: [Side!]) { outlets(filter: { sides: $s }) { nodes { side } } }")
    given = (["LEFT"], ["RIGHT", "CENTER"], ["CENTER"], ["LEFT"], None)
    for sides in given:
        nodes = (await ask.of(document, {"s": sides}))["outlets"]["nodes"]
        assert {node["side"] for node in nodes} == set(sides or ["LEFT", "CENTER", "RIGHT", None])
    inside = ask.planner.document("query ($one: Side!) { outlets(filter: { sides: [LEFT, $one] }) { nodes { side } } }")
    for side in ("RIGHT", "CENTER", "RIGHT"):
        nodes = (await ask.of(inside, {"one": side}))["outlets"]["nodes"]
        assert {node["side"] for node in nodes} == {"LEFT", side}
