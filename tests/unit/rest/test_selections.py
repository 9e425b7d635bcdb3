from __future__ import annotations

from typing import Any

import pytest

from schema import schema
from service.documents import read_registered
from service.planner import Planner
from service.rest.selections import Answered, Paging, Selecting, answered

PLANNER = Planner(schema)
PAGE = "nodes { id } pageInfo { hasNextPage endCursor }"
NAMED_OTHERWISE = "items: nodes { id } page: pageInfo { end: endCursor ... { more: hasNextPage } }"


def answer(text: str) -> Answered:
    operation = PLANNER.document(text).operation()
    return answered(Selecting(PLANNER.schema, operation.fragments), operation)


@pytest.mark.parametrize(
    ("text", "path", "kind", "nullable"),
    [
        ('{ story(by: {slug: "a"}) { id title } }', ("story",), "Story", True),
        ('{ it: story(by: {slug: "a"}) { ...F } } fragment F on Story { id title }', ("it",), "Story", True),
        ('{ story(by: {slug: "a"}) { coverage { id outletCount } } }', ("story", "coverage"), "Coverage", True),
        ("{ stories { nodes { id } pageInfo { endCursor } } }", ("stories",), "StoryConnection", False),
        # Lists and leaves are answered within their object.
        ('{ story(by: {slug: "a"}) { timeline { start left } } }', ("story",), "Story", True),
        ("{ service { version } }", ("service",), "ServiceInfo", False),
        ('{ compareOutlets(domains: [], published: {after: "2026-01-01T00:00:00Z"}) { jaccard } }', (), "Query", False),
        # So is what may be left out.
        ("query($x: Boolean!) { service { version } stories @include(if: $x) { nodes { id } } }", (), "Query", False),
        (
            'query($x: Boolean!) { story(by: {slug: "a"}) { coverage @skip(if: $x) { articleCount } } }',
            ("story",),
            "Story",
            True,
        ),
        ('{ node(id: "story_1") { id } }', (), "Query", False),
        ("{ __typename }", (), "Query", False),
    ],
)  # fmt: skip
def test_what_only_wraps_one_other_object_is_left_out(
    text: str, path: tuple[str, ...], kind: str, nullable: Any
) -> None:
    found = answer(text)
    assert (found.path, found.type.name, found.nullable) == (path, kind, nullable)


@pytest.mark.parametrize(
    ("text", "paging"),
    [
        (
            f"query($after: String) {{ stories(after: $after) {{ {PAGE} }} }}",
            Paging("after", ("pageInfo", "endCursor"), ("pageInfo", "hasNextPage")),
        ),
        (
            f"query($c: String) {{ topics(after: $c) {{ {NAMED_OTHERWISE} }} }}",
            Paging("c", ("page", "end"), ("page", "more")),
        ),
        (
            "query($after: String) { changes(after: $after) { changes { cursor } endCursor hasMore } }",
            Paging("after", ("endCursor",), ("hasMore",)),
        ),
        (f"{{ stories {{ {PAGE} }} }}", None),
        (f'{{ stories(after: "x") {{ {PAGE} }} }}', None),
        ("query($after: String) { stories(after: $after) { nodes { id } pageInfo { endCursor } } }", None),
    ],
)
def test_how_a_page_goes_on_follows_from_what_is_selected(text: str, paging: Paging | None) -> None:
    assert answer(text).paging == paging


def test_every_list_with_a_route_can_be_gone_through() -> None:
    for each in read_registered(PLANNER):
        if each.route:
            operation = each.document.operation(each.name)
            found = answered(Selecting(PLANNER.schema, operation.fragments), operation)
            assert (found.paging is not None) == each.name.startswith("List"), each.name
