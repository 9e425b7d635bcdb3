"""What callers are told of values that do not fit: GraphQL's and JSON's words, never Python's."""

from __future__ import annotations

from typing import Any

import pytest

import schema
from service.errors import BadUserInput, ValidationFailed
from service.planner import Allowed, Limits, Planner

PLANNER = Planner(schema.schema)

NUMBER = "query ($n: Int) { stories(first: $n) { nodes { id } } }"
FILTER = "query ($f: StoryFilter) { stories(filter: $f) { nodes { id } } }"
SIDES = "query ($s: [Side!]) { outlets(filter: {sides: $s}) { nodes { id } } }"
BY = "query ($b: StoryBy!) { story(by: $b) { id } }"
ONE_OF = (
    "Within OneOf Input Object type 'StoryBy', exactly one field must be specified, "
    "and the value for that field must be non-null."
)


def refusal(query: str, variables: dict[str, Any], planner: Planner = PLANNER) -> str:
    operation = planner.document(query).operation()
    with pytest.raises(BadUserInput) as refused:
        planner.plan(operation, variables, Allowed())
    return refused.value.message


@pytest.mark.parametrize(
    ("query", "variables", "said"),
    [
        (NUMBER, {"n": 2**31}, ": Int cannot represent non 32-bit signed integer value: 2147483648"),
        (NUMBER, {"n": "ten"}, ': Int cannot represent non-integer value: "ten"'),
        (NUMBER, {"n": True}, ": Int cannot represent non-integer value: true"),
        (NUMBER, {"n": [None]}, ": Int cannot represent non-integer value: [null]"),
        (FILTER, {"f": {"topics": ["a", True]}}, " at .topics[1]: String cannot represent a non string value: true"),
        (
            FILTER,
            {"f": {"topics": [None]}},
            " at .topics[0]: Expected value of non-null type 'String!' not to be null.",
        ),
        (FILTER, {"f": "it's"}, ": Expected value of type 'StoryFilter' to be an object, found: \"it's\"."),
        (
            FILTER,
            {"f": "StoryFilter"},
            ": Expected value of type 'StoryFilter' to be an object, found: \"StoryFilter\".",
        ),
        (
            FILTER,
            {"f": {"nope": 1}},
            ": Expected value of type 'StoryFilter' not to include unknown field 'nope', found: {\"nope\": 1}.",
        ),
        (
            FILTER,
            {"f": {"topic": {"é": False}}},
            (
                ": Expected value of type 'StoryFilter' not to include unknown field 'topic'. Did you mean 'topics'? "
                'Found: {"topic": {"é": false}}.'
            ),
        ),
        (
            FILTER,
            {"f": {"updated": {"after": "now"}}},
            ' at .updated.after: A DateTime is RFC 3339 with an offset, for example "2026-03-01T12:00:00Z".',
        ),
        (
            SIDES,
            {"s": ["LEFT", "LEFTY"]},
            " at [1]: Value \"LEFTY\" does not exist in 'Side' enum. Did you mean the enum value 'LEFT'?",
        ),
        (SIDES, {"s": "Side"}, ": Value \"Side\" does not exist in 'Side' enum."),
        (SIDES, {"s": [False]}, " at [0]: Enum 'Side' cannot represent non-string value: false."),
        (BY, {}, ": Expected a value of non-null type 'StoryBy!' to be provided."),
        (BY, {"b": None}, ": Expected value of non-null type 'StoryBy!' not to be null."),
        (BY, {"b": {"id": "story_1", "slug": "a"}}, f": {ONE_OF}"),
        (BY, {"b": {"id": None}}, f" at .id: {ONE_OF}"),
        (BY, {"b": {"id": False}}, " at .id: ID cannot represent value: false"),
    ],
)
def test_a_variable_that_does_not_fit_is_told_of_in_json(query: str, variables: dict[str, Any], said: str) -> None:
    name = query[query.index("$") : query.index(":")]
    assert refusal(query, variables) == f"Variable '{name}' has invalid value{said}"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ node(id: null) { id } }", "Expected value of non-null type 'ID!' not to be null."),
        (
            "query ($n: Int! = null) { nodes(ids: []) { id } topics(first: $n) { nodes { id } } }",
            "Expected value of non-null type 'Int!' not to be null.",
        ),
        ("{ stories(first: true) { nodes { id } } }", "Int cannot represent non-integer value: true"),
        (
            '{ stories(first: " not to be None.") { nodes { id } } }',
            'Int cannot represent non-integer value: " not to be None."',
        ),
    ],
)
def test_so_is_a_value_in_a_document(query: str, said: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        PLANNER.document(query)
    assert refused.value.message == said


def test_a_long_value_is_cut() -> None:
    beginning = "Variable '$n' has invalid value: Int cannot represent non-integer value: "
    assert refusal(NUMBER, {"n": "y" * 5_000}) == f'{beginning}"{"y" * 198}…'
    assert len(refusal(FILTER, {"f": {"x" * 5_000: 1}})) == 1_000


def test_a_deep_value_is_told_of() -> None:
    deep: list[Any] = []
    for _ in range(1_000):
        deep = [deep]
    said = "Expected value of type 'StoryFilter' not to include unknown field 'nope', found: "
    assert refusal(FILTER, {"f": {"nope": deep}}).startswith(f"Variable '$f' has invalid value: {said}")


def test_nothing_is_suggested_where_the_schema_is_not_told() -> None:
    closed = Planner(schema.schema, Limits(introspection=False))
    said = "Variable '$s' has invalid value: Value \"LEFTY\" does not exist in 'Side' enum."
    assert refusal(SIDES, {"s": "LEFTY"}, closed) == said


@pytest.mark.parametrize("name", ["defer", "stream"])
def test_directives_for_answers_in_parts_are_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        PLANNER.document(f"{{ ... @{name} {{ stories {{ nodes {{ id }} }} }} }}")
    (finding,) = refused.value.errors
    assert finding.message == f"Unknown directive '@{name}'. Answers come whole here: leave it out."
