from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, parse_value

import schema
from service.planner import Planner
from service.planner.inputs import ABSENT, Constant, Trace, Variable, as_it_is, is_given
from service.planner.inputs import input_of as read_input  # pyright: ignore[reportUnknownVariableType]  # generic types

FILTER = Planner(schema.schema).schema.type_map["StoryFilter"]


def input_for(text: str, default: Any = ABSENT) -> Any:
    assert isinstance(FILTER, GraphQLInputObjectType)
    type_: GraphQLInputType = FILTER
    return read_input(parse_value(text), type_, default)


def test_what_has_no_variable_is_constant() -> None:
    assert input_for('{ topics: "a", minOutlets: 3 }') == Constant({"topics": ["a"], "minOutlets": 3})
    assert input_for("null") == Constant(None)


def test_variables_inside_are_read_with_each_call() -> None:
    source = input_for('{ topics: ["a", $t], search: $s, updated: { after: $a } }')
    assert source.read({"t": "b", "s": "x", "a": 1}) == {"topics": ["a", "b"], "search": "x", "updated": {"after": 1}}
    assert source.read({"t": "b"}) == {"topics": ["a", "b"], "updated": {}}
    assert source.member("updated").member("after").read({"a": 2}) == 2
    assert source.member("updated").member("before").read({}) is ABSENT
    assert source.member("places").read({}) is ABSENT


def test_a_member_of_a_variable_is_absent_where_the_variable_is() -> None:
    member = input_for("$f").member("updated").member("after")
    given: list[tuple[dict[str, Any], Any]] = [
        ({}, ABSENT),
        ({"f": None}, ABSENT),
        ({"f": {"updated": None}}, ABSENT),
        ({"f": {"updated": {"after": None}}}, None),
        ({"f": {"updated": {"after": 1}}}, 1),
    ]
    assert [member.read(variables) for variables, _ in given] == [wanted for _, wanted in given]


@pytest.mark.parametrize(("variables", "read"), [({}, "default"), ({"v": None}, None), ({"v": "x"}, "x")])
def test_a_default_is_for_what_is_absent(variables: dict[str, Any], read: Any) -> None:
    assert input_for("$v", "default").read(variables) == read


def test_a_trace_remembers_what_other_variables_could_change() -> None:
    trace = Trace({"v": [1, 2]})
    assert trace.given(Constant(1)) is True
    assert trace.given(Constant(None)) is False
    assert not trace.probes
    assert trace.given(Variable(("v",))) is True
    assert trace.literal(Variable(("v",))) == (1, 2)
    assert list(trace.probes) == [(Variable(("v",)), is_given), (Variable(("v",)), as_it_is)]
