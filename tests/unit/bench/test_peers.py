import json
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema, build_schema, parse, validate

from bench.driving import Measured
from bench.peers.node import MISSING, SOURCES, node_peers
from bench.peers.strawberry.types import Query
from bench.queries import QUERIES
from bench.queries import Query as Asked
from bench.querying import Result, leaves
from bench.targets import STRAWBERRY


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(strawberry.Schema(Query).as_str())


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_peers_schema_knows_what_its_operation_asks_for(query: Asked, schema: GraphQLSchema) -> None:
    document = parse(STRAWBERRY.operation_of(query))

    assert validate(schema, document) == []


def test_answers_of_other_shapes_are_alike_where_they_say_the_same() -> None:
    service = {"story": {"id": "story_7", "bias": {"left": {"count": 2}}, "at": "2026-01-02T03:04:05Z", "side": None}}
    peer = {"storyBySlug": {"rowId": "7", "leftCount": 2, "at": "2026-01-02T03:04:05+00:00", "blindspot": None}}

    assert list(leaves(service)) == list(leaves(peer))


@pytest.mark.parametrize(
    "other",
    [
        {"nodes": [{"id": "2"}, {"id": "1"}]},
        {"nodes": [{"id": "1"}]},
        {"nodes": [{"id": "1"}, {"id": "3"}]},
        {"nodes": [{"id": "1"}, {"id": None}]},
    ],
)
def test_answers_differ_by_order_length_and_values(other: Any) -> None:
    assert list(leaves({"nodes": [{"id": "1"}, {"id": "2"}]})) != list(leaves(other))


def test_without_npm_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []

    assert node_peers(told.append, tmp_path / "peers") == []
    assert told == [MISSING]


def test_versions_are_exact() -> None:
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]

    assert all(version.replace(".", "").isdecimal() for version in wanted.values())


def test_there_is_no_ratio_to_what_answered_nothing() -> None:
    result = Result(
        QUERIES[0],
        {"service": Measured(30, 1, 1), "floor": Measured(60, 1, 1), "strawberry": Measured(0, 0, 0)},
    )

    assert result.ratios == {"floor": 0.5, "strawberry": None}
