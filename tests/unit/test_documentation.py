from __future__ import annotations

from typing import Any

import pytest

from tests.documentation import disagreement


@pytest.mark.parametrize(
    ("shown", "answered"),
    [
        ({"a": 1}, {"a": 2.5, "b": 3}),
        ({"a": "…"}, {"a": {"b": []}}),
        ([{"a": 1}], [{"a": 1}, {"a": 2}]),
        ({"a": None}, {"a": "x"}),
        ({"a": {"b": 1}}, {"a": None}),
    ],
)
def test_an_answer_of_the_shape_that_is_shown_agrees(shown: Any, answered: Any) -> None:
    assert disagreement(shown, answered, exactly=False) == ""


@pytest.mark.parametrize(
    ("shown", "answered"),
    [
        ({"a": 1}, {"b": 1}),
        ({"a": "…"}, {}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ([{"a": 1}], []),
        ([{"a": 1}], [{"a": 1}, {"b": 2}]),
        ({"a": {}}, {"a": []}),
        ({"a": None}, {}),
    ],
)
def test_an_answer_of_another_shape_does_not(shown: Any, answered: Any) -> None:
    assert disagreement(shown, answered, exactly=False)


@pytest.mark.parametrize(
    ("shown", "answered"), [({"a": 1}, {"a": 2}), ([1], [1, 1]), ({"a": "x"}, {"a": "y"}), ({"a": None}, {"a": 1})]
)
def test_what_is_shown_exactly_is_the_very_value(shown: Any, answered: Any) -> None:
    assert disagreement(shown, shown, exactly=True) == ""
    assert disagreement(shown, answered, exactly=True)
