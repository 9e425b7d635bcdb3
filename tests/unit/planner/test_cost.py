# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# graphql-core leaves the arguments of its wrapping types open.
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_composite_type, is_list_type

import schema
from schema.binding import KEY, Embedded, Gated, Lookup, Rows
from schema.directives import Cost, ListSize
from service.errors import BadUserInput, ValidationFailed
from service.planner import Allowed, Call, Planner

ALL = frozenset({"FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY", "EXPORT"})
PUBLISHED = 'published: {after: "2026-11-01T00:00:00Z"}'
PLANNER = Planner(schema.schema)


def called(text: str, variables: dict[str, Any] | None = None, features: frozenset[str] = frozenset()) -> Call:
    return PLANNER.plan(PLANNER.document(text).operation(), variables or {}, Allowed(features))


def cost(text: str, **variables: Any) -> int:
    """The cost of an operation, which must be the same with all features and with none."""
    costs = {called(text, variables, features).cost for features in (frozenset[str](), ALL)}
    assert len(costs) == 1
    return costs.pop()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # One row each; an object made of the same row is free, and so is what is said of a page.
        ('{ story(by: {slug: "a"}) { title coverage { bias { left { count } } blindspot { side } } } }', 1),
        ('{ story(by: {slug: "a"}) { firstArticle { outlet { place { name } } } } }', 4),
        ("{ stories { nodes { id } pageInfo { hasNextPage } } }", 20),
        ("{ stories(first: 7) { nodes { id } } }", 7),
        ("{ stories(last: 3) { edges { cursor node { id } } } }", 3),
        ("{ stories(first: null, last: null) { nodes { id } } }", 20),
        ("{ stories(first: 7) { nodes { id } edges { node { id } } } }", 14),
        ("{ stories(first: 0) { nodes { id articles { nodes { id } } } } }", 1),
        ("{ stories(first: 5) { pageInfo { endCursor } } }", 1),
        # Lists of lists.
        ("{ stories(first: 10) { nodes { articles(first: 3) { nodes { outlet { name } } } } } }", 10 * (1 + 3 * 2)),
        ("{ stories(first: 10) { nodes { topics { parent { name } } places { name } } } }", 10 * (1 + 3 * 2 + 3)),
        ("{ outlets(first: 2) { nodes { ratings { agency } } } }", 2 * (1 + 4)),
        # What is dear by itself, and what of it is as long as an argument says.
        ("{ stories(first: 0) { totalCount { value } } }", 500),
        ("{ topics(first: 2) { totalCount { value } nodes { id } } }", 50 + 2),
        ('{ story(by: {slug: "a"}) { related { title } } }', 1 + 500 + 5),
        ('{ story(by: {slug: "a"}) { related(first: 2) { topics { name } } } }', 1 + 500 + 2 * (1 + 3)),
        ('{ story(by: {slug: "a"}) { timeline { start } } }', 1 + 10),
        ('{ story(by: {slug: "a"}) { coverage { bias { points { share { percent } } } } } }', 1 + 7 * 5),
        # Arguments that weigh where they are given.
        ('{ stories(first: 1, filter: {search: "x"}) { nodes { id } } }', 100 + 1),
        ('{ stories(first: 1, filter: {search: "x"}, sort: RELEVANCE) { nodes { id } } }', 100 + 1),
        ("{ stories(first: 1, filter: {search: null, minOutlets: 2}) { nodes { id } } }", 1),
        ('{ articles(first: 1, filter: {search: "x"}) { nodes { id } } }', 500 + 1),
        ("{ stories(first: 1, filter: {updated: {}}) { nodes { id } } }", 1),
        ("{ stories(first: 1, filter: {updated: {after: null}}) { nodes { id } } }", 1),
        ('{ stories(first: 1, filter: {updated: {before: "2026-11-01T00:00:00Z"}}) { nodes { id } } }', 100 + 1),
        # Windows.
        ('{ coverage(filter: {published: {after: "2026-11-01T00:00:00Z"}}) { storyCount bias { mean } } }', 1000),
        (
            '{ topic(by: {slug: "a"}) { coverage { timeline { start } topOutlets(first: 3) { outlet { name } } } } }',
            1 + 1000 + 1000 + (500 + 3 * 2),
        ),
        ('{ outlet(by: {slug: "a"}) { activity { timeline { start } } } }', 1 + 500 + 200),
        # Other roots.
        ("{ changes { changes { kind story { title } } } }", 100 * 2),
        ("{ changes(first: 3) { changes { kind } endCursor } }", 3),
        ("{ changes(first: 0) { headCursor } }", 1),
        ("{ __schema { types { name fields { name } } } }", 1_000),
        ('{ __typename __type(name: "Story") { name } stories(first: 1) { nodes { __typename id } } }', 1_001),
        # Not charged alone, and free beside the rest.
        ("{ viewer { tier { name } usage { cost } apiKey { name } } service { version } __typename }", 0),
        ("{ viewer { tier { name } } stories(first: 2) { nodes { id } } }", 2),
        ("{ viewer { tier { name } } stories(first: 0) { nodes { id } } }", 1),
    ],
)
def test_costs_are_as_counted_by_hand(text: str, expected: int) -> None:
    assert cost(text) == expected


def test_sizes_come_from_variables_too() -> None:
    text = "query($n: Int, $m: Int! = 3) { stories(first: $n) { nodes { related(first: $m) { id } } } }"
    assert cost(text, n=4) == 4 * (1 + 500 + 3)
    assert cost(text, n=2, m=1) == 2 * (1 + 500 + 1)
    assert cost(text, n=None) == cost(text) == 20 * (1 + 500 + 3)


def test_a_filter_in_a_variable_weighs_what_it_holds() -> None:
    text = "query($filter: StoryFilter, $word: String) { stories(first: 1, filter: $filter) { nodes { id } }"
    text += " more: stories(first: 1, filter: {search: $word}) { nodes { id } } }"
    assert cost(text) == 2
    assert cost(text, filter={"search": "x"}) == 102
    assert cost(text, filter={"minOutlets": 2}, word="x") == 102


def test_a_range_written_of_variables_weighs_where_one_of_them_is_given() -> None:
    text = "query($from: DateTime, $to: DateTime, $range: TimeRange) {"
    text += " stories(first: 1, filter: {updated: {after: $from, before: $to}}) { nodes { id } }"
    text += " more: stories(first: 1, filter: {updated: $range}) { nodes { id } } }"
    day = "2026-11-01T00:00:00Z"
    assert cost(text) == cost(text, **{"from": None}, range={}) == cost(text, range={"after": None}) == 2
    assert cost(text, to=day) == cost(text, range={"after": day}) == 102
    assert cost(text, **{"from": day}, to=day, range={"before": day}) == 202
    assert cost(text) == 2


def test_merged_fields_count_once_and_aliases_each() -> None:
    once = "{ stories(first: 5) { nodes { id } } stories(first: 5) { nodes { outlets: id } nodes { slug } } }"
    assert cost(once) == 5
    assert cost("{ a: stories(first: 5) { nodes { id } } b: stories(first: 5) { nodes { id } } }") == 10


def test_a_fragment_counts_where_it_applies() -> None:
    text = """
    query($with: Boolean!) {
      stories(first: 2) { nodes { ...F ... @include(if: $with) { topics { name } } ... on Node { places { name } } } }
    }
    fragment F on Story { articles(first: 4) { nodes { ... on Article { id } } } related @skip(if: $with) { id } }
    """
    text = text.replace("... on Node { places { name } }", "... on Node { id }")
    assert cost(text, **{"with": True}) == 2 * (1 + 4 + 3)
    assert cost(text, **{"with": False}) == 2 * (1 + 4 + 500 + 5)


def test_of_an_interface_the_dearest_type_counts() -> None:
    text = (
        '{ node(id: "x") { ... on Story { articles(first: 9) { nodes { id } } } ... on Outlet { ratings { url } } } }'
    )
    assert cost(text) == 1 + 9


@pytest.mark.parametrize(
    ("gated", "expected"),
    [
        ('{ story(by: {slug: "a"}) { perspectives { ... on PerspectiveList { items { summary } } } } }', 1 + 3),
        (
            '{ outlet(by: {slug: "a"}) { ownership { ... on Ownership { owners { name } } } } }',
            1 + 2,
        ),
        ('{ outlet(by: {slug: "a"}) { factuality { ... on UpgradeRequired { message } } } }', 1),
    ],
)
def test_what_is_withheld_costs_the_same(gated: str, expected: int) -> None:
    assert cost(gated) == expected


def test_ids_and_domains_count_one_by_one_and_need_no_plan_of_their_own() -> None:
    text = """
    query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Story { topics { name } } } stories(first: 1) { nodes { id } } }
    """
    operation = PLANNER.document(text).operation()
    made = [PLANNER.plan(operation, {"ids": ["x"] * n}, Allowed()) for n in (0, 1, 30)]
    assert [call.cost for call in made] == [1, 1 + 4, 1 + 30 * 4]
    assert len({id(call.prepared) for call in made}) == 1
    assert [call.heaviest for call in made] == ["stories.nodes", "nodes.topics", "nodes.topics"]
    assert cost('query($id: ID!) { nodes(ids: [$id, "y"]) { id } }', id="x") == 2
    compared = f'compareOutlets(domains: ["a", "b", "c"], {PUBLISHED})'
    assert cost(f"{{ {compared} {{ jaccard a {{ name }} }} }}") == 200 + 3 * (100 + 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('query($null: ID = "x") { node(id: $null) { id } }', "The argument 'id' must not be null."),
        ('query($null: [ID!] = ["x"]) { nodes(ids: $null) { id } }', "The argument 'ids' must not be null."),
        ('query($null: ID = "x") { nodes(ids: [$null]) { id } }', "The argument 'ids' must not hold null."),
        (
            f'query($null: [String!] = "x") {{ compareOutlets(domains: $null, {PUBLISHED}) {{ jaccard }} }}',
            "The argument 'domains' must not be null.",
        ),
    ],
)
def test_null_that_a_default_let_through_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadUserInput, match=re.escape(message)):
        called(text, {"null": None})


def test_a_subscription_costs_what_one_event_does() -> None:
    text = 'subscription { storyChanged(filter: {search: "x"}) { kind story { title topics { name } } } }'
    assert cost(text) == 100 + 1 + 1 + 3


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{ stories { nodes { articles { nodes { outlet { name } } } } } }", "stories.nodes.articles.nodes"),
        ("{ few: stories(first: 3) { nodes { id } } most: stories(first: 9) { nodes { id } } }", "most.nodes"),
        ("{ stories(first: 9) { totalCount { value } nodes { id } } }", "stories.totalCount"),
        ('{ stories(first: 9, filter: {search: "x"}) { nodes { id } } }', "stories"),
    ],
)
def test_the_heaviest_field_is_told_by_its_path(text: str, path: str) -> None:
    assert called(text).heaviest == path


def test_only_who_asks_and_what_answers_is_uncharged() -> None:
    assert called("{ viewer { tier { name } } service { version } __typename }").uncharged
    assert not called("{ viewer { tier { name } } stories(first: 0) { nodes { id } } }").uncharged
    assert not called("{ __schema { types { name } } }").uncharged
    assert not called("query { viewer @skip(if: true) { tier { name } } }").uncharged


def test_nothing_is_gained_by_a_negative_size_that_is_never_read() -> None:
    text = '{ node(id: "x") { ... on Story { articles(first: -900) { nodes { id } } } } stories { nodes { id } } }'
    assert cost(text) == 21


def test_what_is_beyond_all_numbers_has_a_number() -> None:
    text = "{ stories(first: 100) { nodes { " + "articles(first: 100) { nodes { story { " * 2
    text += "articles(first: 100) { nodes { id } }" + " } } }" * 2 + " } } }"
    assert called(text).cost == 100 + 10**4 * 2 + 10**6 * 2 + 10**8
    deeper = text.replace("first: 100", "first: 1000")
    wide = PLANNER.plan(PLANNER.document(deeper).operation(), {}, Allowed(max_page_size=1_000))
    assert wide.cost == 2**31 - 1
    assert wide.heaviest == "stories.nodes.articles.nodes.story.articles.nodes.story.articles.nodes"


def test_fragments_that_spread_the_next_twice_are_refused_before_they_are_counted() -> None:
    spreads = "".join(f"fragment F{n} on Story {{ ...F{n + 1} ...F{n + 1} }} " for n in range(25))
    text = f"{{ stories {{ nodes {{ ...F0 }} }} }} {spreads} fragment F25 on Story {{ related {{ id }} }}"
    with pytest.raises(ValidationFailed):
        PLANNER.document(text)


def test_the_examples_of_the_documentation_cost_what_it_says() -> None:
    text = (Path(schema.__file__).parents[1] / "docs" / "cost.md").read_text(encoding="utf-8")
    examples = re.findall(r"```graphql\n(.*?)```.*?\*\*([\d,]+)\*\*", text, re.DOTALL)
    assert len(examples) == 3
    for example, told in examples:
        assert cost(example, slug="a") == int(told.replace(",", ""))


# What the schema says ------------------------------------------------------------------------------------


def said(element: Any, kind: type[Any]) -> Any:
    definition = element.extensions["strawberry-definition"]
    return next((d for d in definition.directives or () if isinstance(d, kind)), None)


def fields() -> list[tuple[str, Any]]:
    types = [t for t in PLANNER.schema.type_map.values() if isinstance(t, GraphQLObjectType) and t.name[:2] != "__"]
    return [(f"{type_.name}.{name}", field) for type_ in types for name, field in type_.fields.items()]


def test_what_is_made_of_the_same_row_is_free_and_a_row_is_not() -> None:
    for name, field in fields():
        binding = field.extensions["strawberry-definition"].metadata.get(KEY)
        kind = get_named_type(field.type)
        if not isinstance(kind, GraphQLObjectType) or is_list_type(get_nullable_type(field.type)):
            continue
        weight, own = said(kind, Cost), said(field, Cost)
        if isinstance(binding, Embedded | Gated):
            assert weight == Cost(weight="0"), name
        elif isinstance(binding, Rows | Lookup):
            assert weight is None or own is not None or said(field, ListSize) is not None, name


def test_every_list_of_objects_says_how_long_it_is() -> None:
    sized = {
        f"{get_named_type(field.type).name}.{part}"
        for _, field in fields()
        if (size := said(field, ListSize))
        for part in size.sized_fields or ()
    }
    lists = {
        name: field
        for name, field in fields()
        if is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))
    }
    unsized = {name for name, field in lists.items() if said(field, ListSize) is None} - sized
    assert unsized == {"Viewer.usage"}, "what is free may be as long as it will"


def test_only_roots_are_as_long_as_a_list_that_is_given() -> None:
    counted = [
        name
        for name, field in fields()
        for argument in (said(field, ListSize) or ListSize()).slicing_arguments or ()
        if is_list_type(get_nullable_type(field.args[argument].type))
    ]
    assert counted == ["Query.nodes", "Query.compareOutlets"]
