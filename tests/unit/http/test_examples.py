from __future__ import annotations

import re

import pytest

from schema import schema
from service.http.pages import FOLDER
from service.planner import Planner

EXAMPLES = re.findall(r"`([^`]+)`", (FOLDER / "files" / "explore.js").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_graphiql_fit_the_schema_and_the_limits(example: str) -> None:
    assert Planner(schema).document(example).operation().kind in ("query", "subscription")


def test_every_example_is_looked_at() -> None:
    assert len(EXAMPLES) == 6
