"""Generated operations, always the same ones, cost what a slow count by the text of the SDL makes of them."""

from __future__ import annotations

import pytest
from graphql import build_schema

import schema
from service.errors import ApiError
from service.planner import Allowed, Limits, Planner
from tests.planner.asking import ALL_FEATURES
from tests.reference.comparison import Comparison
from tests.reference.cost import Costs
from tests.reference.operations import Generator

pytestmark = pytest.mark.any_engine

A_TEST = 50


@pytest.mark.parametrize("part", range(10))
async def test_generated_operations_cost_what_the_sdl_says(tiny: Comparison, part: int) -> None:
    generator = Generator(tiny.reference.schema, tiny.reference.world)
    costs = Costs(build_schema(schema.sdl()))
    planner = Planner(schema.schema, Limits(max_aliases=1_000))
    counted = 0
    for seed in range(part * A_TEST, (part + 1) * A_TEST):
        generated = generator.operation(seed)
        operation = planner.document(generated.text).operation(generated.name)
        for features in {generated.features, ALL_FEATURES}:
            try:
                call = planner.plan(operation, generated.variables, Allowed(features))
            except ApiError:
                continue
            expected = costs.operation(generated.text, generated.variables, generated.name)
            assert call.cost == expected, f"seed {seed}: {generated.text} {generated.variables}"
            counted += 1
    assert counted > A_TEST
