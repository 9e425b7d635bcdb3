"""Documents are valid, or refused for what graphql-core finds in them."""

from __future__ import annotations

import pytest
from graphql import parse, validate

from schema import schema
from service.errors import ValidationFailed
from service.planner import Planner, document
from service.planner.shape import Limits

SCHEMA = Planner(schema).schema
BROKEN = (
    "{ stories { nope } }",
    "query($a: ID!) { __typename }",
    "{ story(by: {id: $a}) { title } }",
    "query($a: Int) { story(by: {id: $a}) { title } }",
    "query($a: ID, $a: ID) { story(by: {id: $a}) { title } }",
    "{ story { title } }",
    "{ stories }",
    "{ stories(first: 1) { totalCount } stories(first: 2) { totalCount } }",
    "query a { __typename } query a { __typename }",
    "{ __typename @nope }",
    "{ __typename @include(if: true) @include(if: true) }",
    "{ ... on Nope { id } }",
    "{ __typename } fragment unused on Story { title }",
)


def findings(text: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    with pytest.raises(ValidationFailed) as refused:
        document.read(text, SCHEMA, Limits())
    return [(each.message, tuple(each.locations)) for each in refused.value.errors]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_in_one_way_is_told_as_graphql_core_does(text: str) -> None:
    told = [tuple((at.line, at.column) for at in each.locations or ()) for each in validate(SCHEMA, parse(text))]
    assert told
    assert [locations for _, locations in findings(text)] == told


def test_variables_are_looked_at_where_nothing_else_is_wrong() -> None:
    both = "query($a: ID) { stories { nope } }"
    [(message, _)] = findings(both)
    assert message.startswith("Cannot query field 'nope'")
    [(message, _)] = findings("query($a: ID) { stories { nodes { title } } }")
    assert "$a" in message


def test_ten_findings_are_told_and_that_there_are_more() -> None:
    found = findings("{ stories { " + " ".join(f"u{n}" for n in range(20)) + " } }")
    assert len(found) == document.MOST_FINDINGS + 1
    assert "Too many" in found[-1][0]
