from __future__ import annotations

from typing import Any

from graphql import FragmentDefinitionNode, GraphQLObjectType, OperationDefinitionNode, parse

import schema
from service.planner import Planner
from service.planner.inputs import Trace
from service.planner.selection import Collector

GRAPH = Planner(schema.schema).schema


def collected(type_name: str, text: str, **variables: Any) -> tuple[dict[str, int], int]:
    """How many nodes ask for each response key of an object of the type; how much was asked of the variables."""
    definitions = parse(text).definitions
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    (operation,) = (d for d in definitions if isinstance(d, OperationDefinitionNode))
    trace = Trace(variables)
    type_ = GRAPH.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    fields = Collector(GRAPH, fragments, trace).fields(type_, [operation.selection_set])
    return {key: len(nodes) for key, nodes in fields.items()}, len(trace.probes)


def test_fields_of_one_key_come_together_in_the_order_of_the_first() -> None:
    text = "{ b a ...f b } fragment f on Story { c b ... on Story { a } }"
    fields, _ = collected("Story", text)
    assert list(fields.items()) == [("b", 3), ("a", 2), ("c", 1)]


def test_a_fragment_is_taken_once() -> None:
    assert collected("Story", "{ ...f ...f } fragment f on Story { a }") == ({"a": 1}, 0)


def test_fragments_apply_to_their_type_its_interfaces_and_unions() -> None:
    text = "{ ... on Node { a } ... on Story { b } ... on Article { c } ... on StoryPerspectives { d } ... { e } }"
    assert collected("Story", text)[0] == {"a": 1, "b": 1, "e": 1}
    assert collected("PerspectiveList", text)[0] == {"d": 1, "e": 1}
    assert collected("UpgradeRequired", text)[0] == {"d": 1, "e": 1}


def test_what_is_left_out_asks_no_variable_inside_it() -> None:
    text = "query { ...f @skip(if: $a) b @include(if: true) } fragment f on Story { c @include(if: $b) }"
    assert collected("Story", text, a=True, b=True) == ({"b": 1}, 1)
    assert collected("Story", text, a=False, b=True) == ({"c": 1, "b": 1}, 2)
    assert collected("Story", text, a=False, b=False) == ({"b": 1}, 2)
