from typing import Any

import pytest
from graphql import parse

from service.errors import ValidationFailed
from service.planner.shape import Limits, check


def measured(text: str, **limits: Any) -> str:
    """Of the document, what is over those limits."""
    with pytest.raises(ValidationFailed) as refused:
        check(parse(text), Limits(**limits))
    return refused.value.message.removeprefix("The document is over the limit of ")


def test_a_root_field_is_depth_1_and_leaves_count() -> None:
    assert measured("{ a }", max_depth=0) == "depth: 1, at most 0."
    assert measured("{ a { b { c } } d }", max_depth=2) == "depth: 3, at most 2."
    assert measured("{ ...f } fragment f on Q { ... { a { b } } }", max_depth=1) == "depth: 2, at most 1."


def test_introspection_is_measured_apart() -> None:
    text = "{ a __schema { types { name } } b: __type(name: 1) { name } }"
    check(parse(text), Limits(max_depth=1))
    assert measured(text, max_introspection_depth=2) == "introspection depth: 3, at most 2."
    assert measured(text, max_introspection_fields=4) == "introspected fields: 5, at most 4."


def test_fragments_count_at_every_spread() -> None:
    text = "{ a { ...f ...f } ...g } fragment f on A { x: b c } fragment g on Q { a { ...f } }"
    assert measured(text, max_aliases=2) == "aliases: 3, at most 2."
    assert measured(text, max_fields=7) == "fields: 8, at most 7."
    assert measured(text, max_root_fields=1) == "root fields: 2, at most 1."


def test_pairs_are_those_that_merge() -> None:
    for text, pairs in (
        ("{ a a }", 1),
        ("{ a a a a }", 6),
        ("{ a: b a: c }", 1),
        ("{ a { b } a { b } }", 2),
        ("{ a { b c } ... on Q { a { b } } ...f } fragment f on Q { a { c } }", 5),
        ("{ ...f ...f } fragment f on Q { a b }", 0),
        ("{ a { ...f } a { ...f } } fragment f on A { b }", 1),
    ):
        check(parse(text), Limits(max_merges=pairs))
        if pairs:
            assert measured(text, max_merges=pairs - 1).startswith(f"pairs of fields under one response key: {pairs}")


def test_a_refused_spread_says_where_it_is() -> None:
    with pytest.raises(ValidationFailed) as refused:
        check(parse("{\n  ...nope\n}"), Limits())
    assert refused.value.locations == ((2, 3),)
