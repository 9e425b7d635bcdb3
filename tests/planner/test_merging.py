"""Selections that are to be merged, skipped, or answered by type: CollectFields of the specification."""

from __future__ import annotations

from itertools import permutations
from typing import Any, cast

import pytest

from tests.planner.asking import ALL_FEATURES, Asking


async def story_ids(ask: Asking) -> list[str]:
    return [node["id"] for node in (await ask("{ stories { nodes { id } } }"))["stories"]["nodes"]]


@pytest.mark.parametrize(
    ("apart", "together"),
    [
        (
            "{ stories { nodes { id } } ...more } fragment more on Query { stories { nodes { title } } }",
            "{ stories { nodes { id title } } }",
        ),
        (
            (
                "{ stories { nodes { coverage { articleCount } ...a coverage { outletCount } } } }"
                " fragment a on Story { title coverage { bias { mean } ...b } }"
                " fragment b on Coverage { bias { left { count } } articleCount }"
            ),
            "{ stories { nodes { coverage { articleCount bias { mean left { count } } outletCount } title } } }",
        ),
        (
            (
                "{ stories { ... { nodes { id } } ... on StoryConnection { nodes { slug } edges { cursor } }"
                " edges { node { id } } } }"
            ),
            "{ stories { nodes { id slug } edges { cursor node { id } } } }",
        ),
        (
            (
                "{ stories(first: 2) { pageInfo { endCursor } totalCount { value } pageInfo { hasNextPage }"
                " totalCount { precision } } }"
            ),
            "{ stories(first: 2) { pageInfo { endCursor hasNextPage } totalCount { value precision } } }",
        ),
        (
            (
                "{ stories { nodes { topics { id } ...t places { id } } } }"
                " fragment t on Node { id ... on Story { topics { slug parent { id } } } }"
            ),
            "{ stories { nodes { topics { id slug parent { id } } id places { id } } } }",
        ),
        ("{ stories { nodes { id id id } } }", "{ stories { nodes { id } } }"),
        (
            (
                "{ outlets { nodes { ownership { ... on Ownership { owners { name } } }"
                " ... on Node { ... on Outlet { ownership { ... on Ownership { owners { category } } __typename } } }"
                " } } }"
            ),
            "{ outlets { nodes { ownership { ... on Ownership { owners { name category } } __typename } } } }",
        ),
    ],
)
async def test_what_is_asked_in_parts_is_answered_as_one(ask: Asking, apart: str, together: str) -> None:
    answer = await ask(apart, {}, ALL_FEATURES)
    assert answer == await ask(together, {}, ALL_FEATURES)
    assert _keys(answer) == _keys(await ask(together, {}, ALL_FEATURES))


def _keys(value: Any) -> Any:
    """The order of keys, which equality of dicts does not see."""
    if isinstance(value, dict):
        return [(key, _keys(member)) for key, member in cast("dict[str, Any]", value).items()]
    return [_keys(item) for item in cast("list[Any]", value)] if isinstance(value, list) else None


async def test_a_key_asked_with_two_meanings_is_refused(ask: Asking) -> None:
    for query in (
        "{ stories { nodes { id: title id } } }",
        "{ stories(first: 1) { nodes { id } } ...a } fragment a on Query { stories(first: 2) { nodes { id } } }",
    ):
        error = await ask.refusal(query)
        assert error.code == "GRAPHQL_VALIDATION_FAILED"
        assert "conflict" in error.message


DIRECTED = """query ($skip: Boolean!, $include: Boolean = true, $title: Boolean = false) {
  stories(first: 1) {
    nodes @skip(if: $skip) { id title @include(if: $title) }
    ...more @include(if: $include)
    totalCount @include(if: $include) @skip(if: $skip) { value }
  }
}
fragment more on StoryConnection { nodes { slug } }"""


def directed(*, skip: bool, include: bool, title: bool) -> dict[str, Any]:
    """The keys that must be there: of the connection, and of a node."""
    nodes = [*(["id"] if not skip else []), *(["title"] if title and not skip else []), *(["slug"] if include else [])]
    connection = [*(["nodes"] if nodes else []), *(["totalCount"] if include and not skip else [])]
    return {"connection": connection, "nodes": nodes}


VARIABLES = [
    {"skip": skip, "include": include, "title": title}
    for skip in (True, False)
    for include in (True, False)
    for title in (True, False)
]


async def test_calls_of_one_document_never_get_a_plan_of_other_variables(ask: Asking) -> None:
    document = ask.planner.document(DIRECTED)
    for step in (1, 3, 5, 7):
        for number in range(len(VARIABLES) * 2):
            variables = VARIABLES[number * step % len(VARIABLES)]
            wanted = directed(**variables)
            stories = (await ask.of(document, variables))["stories"]
            assert list(stories) == wanted["connection"]
            if "nodes" in stories:
                assert [list(node) for node in stories["nodes"]] == [wanted["nodes"]]
    assert len(document.operation().plans) == len(VARIABLES)


async def test_the_order_of_first_calls_does_not_matter(ask: Asking) -> None:
    query = "query ($a: Boolean!, $b: Boolean!) { stories(first: 1) { nodes { id @skip(if: $a) ...f @skip(if: $a) } } }"
    query += " fragment f on Story { slug @include(if: $b) title }"
    given = [{"a": a, "b": b} for a in (True, False) for b in (True, False)]
    wanted = {(False, True): ["id", "slug", "title"], (False, False): ["id", "title"]}
    for order in permutations(given):
        document = ask.with_limits(ask.planner.limits).planner.document(query)
        for variables in order:
            (node,) = (await ask.of(document, variables))["stories"]["nodes"]
            assert list(node) == wanted.get((variables["a"], variables["b"]), [])


async def test_a_directive_with_a_literal_needs_no_variable(ask: Asking) -> None:
    answer = await ask(
        "{ stories(first: 1) { nodes { id @skip(if: true) slug @include(if: false) __typename @skip(if: false) } } }"
    )
    assert answer == {"stories": {"nodes": [{"__typename": "Story"}]}}


async def test_where_everything_is_skipped_nothing_is_left(ask: Asking) -> None:
    assert await ask("{ stories @skip(if: true) { nodes { id } } }") == {}
    assert await ask("{ stories(first: 1) { nodes @include(if: false) { id } } }") == {"stories": {}}
    assert await ask("{ stories(first: 1) { nodes { id @include(if: false) } } }") == {"stories": {"nodes": [{}]}}
    assert await ask("{ stories(first: 2) { edges { node { id @skip(if: true) } } } }") == {
        "stories": {"edges": [{"node": {}}, {"node": {}}]}
    }


async def test_a_skipped_field_may_have_null_for_what_must_not_be_null(ask: Asking) -> None:
    query = "query ($a: Boolean! = true) { stories(first: 1) { nodes { id @include(if: $a) slug } } }"
    error = await ask.refusal(query, {"a": None})
    assert error.code == "BAD_USER_INPUT"


TYPENAMES = """{
  __typename
  t: __typename
  stories(first: 1) {
    __typename
    pageInfo { __typename }
    totalCount { __typename }
    edges { __typename node { __typename } }
    nodes {
      __typename
      coverage { __typename bias { __typename left { __typename } points { __typename } } factuality { __typename } }
      perspectives { __typename }
      topics { __typename }
      timeline { __typename }
      reports { __typename nodes { __typename outlet { __typename ratings { __typename factuality { __typename } } } } }
    }
  }
}"""


def typenames(value: Any) -> set[str]:
    found = set[str]()
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        found |= {members["__typename"]} if "__typename" in members else set[str]()
        return found.union(*(typenames(member) for member in members.values()))
    return found.union(*(typenames(item) for item in cast("list[Any]", value))) if isinstance(value, list) else found


async def test_typename_is_told_anywhere(ask: Asking) -> None:
    answer = await ask(TYPENAMES, {}, ALL_FEATURES)
    assert answer["t"] == "Query"
    assert typenames(answer) == {
        *("Query", "StoryConnection", "PageInfo", "TotalCount", "StoryEdge", "Story", "Coverage", "BiasDistribution"),
        *("Share", "BiasCount", "FactualityDistribution", "PerspectiveList", "Topic", "TimelineBucket"),
        *("ReportConnection", "Report", "Outlet", "AgencyRating", "FactualityRating"),
    }
    withheld = await ask(TYPENAMES)
    assert withheld["stories"]["nodes"][0]["perspectives"] == {"__typename": "UpgradeRequired"}


EVERY_TYPE = """query ($ids: [ID!]!) { nodes(ids: $ids) {
  ...on Node { id }
  __typename
  ... on Story { title }
  ... on Article { articleTitle: title outlet { domain } }
  ... on Outlet { domain }
  ... on Topic { slug parent { slug } }
  ... on Place { slug country }
} }"""


async def test_an_interface_gives_to_each_type_its_own_fields(ask: Asking) -> None:
    known = await ask(
        "{ stories(first: 1) { nodes { id title firstArticle { id title outlet { id domain } } } }"
        ' topic(by: { slug: "elections" }) { id } place(by: { slug: "leeds" }) { id } }'
    )
    (story,) = known["stories"]["nodes"]
    article, outlet = story["firstArticle"], story["firstArticle"]["outlet"]
    ids = [known["place"]["id"], outlet["id"], "nothing", article["id"], story["id"], known["topic"]["id"], story["id"]]
    answer = (await ask(EVERY_TYPE, {"ids": ids}))["nodes"]
    assert [node and node["__typename"] for node in answer] == [
        *("Place", "Outlet", None, "Article", "Story", "Topic", "Story")
    ]
    assert answer[0] == {"id": ids[0], "__typename": "Place", "slug": "leeds", "country": "GB"}
    assert answer[1] == {"id": ids[1], "__typename": "Outlet", "domain": outlet["domain"]}
    assert answer[3] == {
        "id": ids[3],
        "__typename": "Article",
        "articleTitle": article["title"],
        "outlet": {"domain": outlet["domain"]},
    }
    assert answer[4] == answer[6] == {"id": story["id"], "__typename": "Story", "title": story["title"]}
    assert answer[5] == {
        "id": ids[5],
        "__typename": "Topic",
        "slug": "elections",
        "parent": {"slug": "politics"},
    }
    for id_, node in zip(ids, answer, strict=True):
        query = EVERY_TYPE.replace("$ids: [ID!]!", "$id: ID!").replace("nodes(ids: $ids)", "node(id: $id)")
        assert await ask(query, {"id": id_}) == {"node": node}


UNIONS = """{ outlets(first: 2) { nodes {
  ownership { ... on Ownership { owners { name category } } ... on UpgradeRequired { feature tier message } }
  factuality { __typename ... on FactualityRating { factuality score } ... on UpgradeRequired { feature } }
} } }"""


async def test_a_union_is_of_the_type_that_the_features_allow(ask: Asking) -> None:
    withheld = (await ask(UNIONS))["outlets"]["nodes"]
    for node in withheld:
        assert node["factuality"] == {"__typename": "UpgradeRequired", "feature": "FACTUALITY"}
        assert node["ownership"]["feature"] == "OWNERSHIP"
        assert node["ownership"]["tier"] is None
        assert node["ownership"]["message"]
    some = (await ask(UNIONS, {}, frozenset({"OWNERSHIP"})))["outlets"]["nodes"]
    assert [node["factuality"]["__typename"] for node in some] == ["UpgradeRequired"] * 2
    assert all("owners" in node["ownership"] for node in some)
    every = (await ask(UNIONS, {}, ALL_FEATURES))["outlets"]["nodes"]
    assert [node["factuality"]["__typename"] for node in every] == ["FactualityRating"] * 2


async def test_one_document_serves_callers_of_different_features_in_any_order(ask: Asking) -> None:
    document = ask.planner.document(UNIONS)
    features = [frozenset[str](), frozenset({"OWNERSHIP"}), ALL_FEATURES]
    alone = [await ask.with_limits(ask.planner.limits)(UNIONS, {}, own) for own in features]
    for order in permutations(range(3)):
        for number in order:
            assert await ask.of(document, {}, features[number]) == alone[number]
