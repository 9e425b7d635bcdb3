"""Inputs of which exactly one field must be given."""

import pytest

import schema
from service.errors import BadUserInput, ValidationFailed
from service.planner import Allowed, Planner

ROOTS = ["story", "article", "outlet", "topic", "place"]


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("by", ["{}", "{id: null}", '{id: "x", id: "y"}', '{id: "x", nothing: "y"}'])
def test_none_null_and_more_than_one_are_refused_in_the_document(root: str, by: str) -> None:
    with pytest.raises(ValidationFailed):
        Planner(schema.schema).document(f"{{ {root}(by: {by}) {{ id }} }}")


def test_two_fields_are_refused_in_the_document() -> None:
    for second in ('"y"', "null"):
        with pytest.raises(ValidationFailed):
            Planner(schema.schema).document(f'{{ story(by: {{id: "x", slug: {second}}}) {{ id }} }}')


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("variables", [{}, {"id": None}])
def test_a_variable_that_names_nothing_is_refused_when_it_is_given(root: str, variables: dict[str, None]) -> None:
    planner = Planner(schema.schema)
    operation = planner.document(f"query ($id: ID) {{ {root}(by: {{id: $id}}) {{ id }} }}").operation()
    with pytest.raises(BadUserInput):
        planner.plan(operation, variables, Allowed())


@pytest.mark.parametrize("by", [{}, {"id": None}, {"id": "x", "slug": "y"}])
def test_a_whole_variable_is_held_to_the_same(by: dict[str, str | None]) -> None:
    planner = Planner(schema.schema)
    operation = planner.document("query ($by: StoryBy!) { story(by: $by) { id } }").operation()
    with pytest.raises(BadUserInput):
        planner.plan(operation, {"by": by}, Allowed())
