from __future__ import annotations

from service.access.tiers import Tier, Tiers


def tier(name: str, rank: int, *features: str) -> Tier:
    return Tier(name, rank, frozenset(features), 100, 10, 100)


TIERS = Tiers([tier("all", 9, "A", "B"), tier("anonymous", 0), tier("some", 5, "A")])


def test_who_lacks_a_feature_is_told_the_tier_of_least_rank_that_has_it() -> None:
    assert TIERS.least_with("A") == "some"
    assert TIERS.least_with("B") == "all"


def test_where_no_tier_has_a_feature_none_is_told() -> None:
    assert TIERS.least_with("C") is None


def test_a_tier_is_found_by_its_name() -> None:
    assert TIERS.get("some") == tier("some", 5, "A")
    assert TIERS.get("none") is None
    assert TIERS.anonymous == tier("anonymous", 0)
