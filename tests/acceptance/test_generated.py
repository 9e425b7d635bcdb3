"""Operations that nobody thought of: none fails the service, and every answer is what the schema says.

PARALLAX_TEST_EXAMPLES says how many of each root field; 20 where it is not set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLResolveInfo,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    execute,  # pyright: ignore[reportUnknownVariableType]  # one parameter has a bare list
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from tests.acceptance import program
from tests.access_keys import PEPPER
from tests.gates import SCHEMA

EXAMPLES = int(os.environ.get("PARALLAX_TEST_EXAMPLES", "20"))
assert SCHEMA.query_type is not None
ROOTS = sorted(SCHEMA.query_type.fields)
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
SELDOM_ANSWERED = {"articles", "compareOutlets", "coverage", "outlets", "stories"}
"""Few arguments drawn by lot will do: outlets that are known, windows that are not empty, nothing that is gated."""
REFUSALS = {
    400: {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "BAD_REQUEST", "COST_LIMIT_EXCEEDED"},
    403: {"UPGRADE_REQUIRED"},
}


def _texts(*values: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(values).map(nodes.String)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "DateTime": _texts("2026-03-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-03-01"),
    "Date": _texts("2026-03-01", "x"),
    "URL": _texts("https://a.example/1", "x"),
    "CountryCode": _texts("US", "us", "Atlantis"),
    "LanguageTag": _texts("en", "pt-BR", "no language"),
}


class Typed(Visitor):
    """Has every object tell its type."""

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        told = FieldNode(name=NameNode(value="__typename"), directives=(), arguments=())
        return SelectionSetNode(selections=(told, *node.selections))


def refusal_of_schema(document: DocumentNode, data: Any) -> str | None:
    """What the schema has against an answer: it is completed anew from itself, by the types of the operation."""

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
        return source[info.path.key]

    def type_of(value: Any, _info: Any, _type: Any) -> str:
        return value["__typename"]

    result = execute(SCHEMA, document, data, field_resolver=resolve, type_resolver=type_of)
    assert isinstance(result, ExecutionResult)
    if result.errors:
        return str(result.errors[0])
    return None if result.data == data else "it has other keys than were asked for, or values of other types"


@pytest.fixture(scope="module")
def client(demo_database: str) -> Iterator[httpx.Client]:
    with program.serving(DATABASE_URL=demo_database, KEY_PEPPER=PEPPER, ALLOWANCES="off") as served:
        headers = {"accept": "application/graphql-response+json"}
        with httpx.Client(base_url=served.url, headers=headers, timeout=30) as client:
            yield client


@pytest.mark.parametrize("root", ROOTS)
def test_no_operation_fails_the_service_or_is_answered_otherwise_than_the_schema_says(
    client: httpx.Client, root: str
) -> None:
    answered = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=SLOW)
    @given(queries(SCHEMA, fields=[root], custom_scalars=SCALARS))
    def ask(text: object) -> None:
        nonlocal answered
        document = visit(parse(str(text)), Typed())
        assert isinstance(document.definitions[0], OperationDefinitionNode)
        response = client.post("/graphql", json={"query": print_ast(document)})
        body = response.json()
        if response.status_code == 200:
            assert set(body) == {"data", "extensions"}
            assert refusal_of_schema(document, body["data"]) is None
            answered += 1
        else:
            assert set(body) == {"errors"}
            codes = {error["extensions"]["code"] for error in body["errors"]}
            assert codes <= REFUSALS.get(response.status_code, set()), (response.status_code, body)

    ask()
    assert answered or root in SELDOM_ANSWERED
