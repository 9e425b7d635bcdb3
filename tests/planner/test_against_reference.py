"""Generated operations, always the same ones, are answered by one SQL statement as by plain objects."""

from __future__ import annotations

import pytest

from tests.reference.comparison import Comparison
from tests.reference.operations import Generator

A_TEST = 50
# One statement means the same to every Postgres: with a second one, half of them are enough.
TINY = [*range(20), *(pytest.param(part, marks=pytest.mark.any_engine) for part in range(20, 40))]


@pytest.mark.parametrize("part", TINY)
async def test_generated_operations_are_answered_alike_over_the_tiny_world(tiny: Comparison, part: int) -> None:
    await _agree(tiny, range(part * A_TEST, (part + 1) * A_TEST))


@pytest.mark.parametrize("part", range(5))
async def test_generated_operations_are_answered_alike_over_the_demo_world(demo: Comparison, part: int) -> None:
    await _agree(demo, range(part * A_TEST, (part + 1) * A_TEST))


async def _agree(compared: Comparison, seeds: range) -> None:
    generator = Generator(compared.reference.schema, compared.reference.world)
    for seed in seeds:
        disagreement = await compared.disagreement(generator.operation(seed))
        assert disagreement is None, f"seed {seed}: {disagreement}"
