"""The reference's own rules give the figures that are known by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.reference import rules

pytestmark = pytest.mark.any_engine


def test_the_worked_example_has_its_percents_and_no_blindspot() -> None:
    assert rules.percents([4, 2, 4]) == [40, 20, 40]
    assert rules.blindspot(4, 2, 4) is None
    assert rules.leading_side([4, 2, 4]) is None
    points = [-1, -1, -2, -2, 0, 0, 1, 1, 1, 2]
    assert rules.mean(points) == Fraction(-1, 10)


def test_percents_add_up_to_100_by_largest_remainder_a_tie_to_the_earlier() -> None:
    assert rules.percents([1, 1, 1]) == [34, 33, 33]
    assert rules.percents([0, 0, 0]) == [0, 0, 0]


def test_a_blindspot_begins_exactly_at_its_thresholds() -> None:
    assert rules.blindspot(1, 2, 2) == ("LEFT", Fraction(1, 5), Fraction(2, 5))
    assert rules.blindspot(0, 2, 2) is None


def test_ties_of_ratings_go_toward_the_center_and_to_the_lower_level() -> None:
    assert rules.nearest_bias(Fraction(-3, 2)) == "LEAN_LEFT"
    assert rules.nearest_bias(Fraction(1, 2)) == "CENTER"
    assert rules.nearest_level(Fraction(5, 2)) == "LOW"
