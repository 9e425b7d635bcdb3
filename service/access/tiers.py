"""Tiers: what callers of one kind may see and spend. They are data, so that changing one needs no deployment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ANONYMOUS = "anonymous"
"""The tier of callers without a key."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What callers of one kind may see and spend; costs are in the planner's units."""

    name: str
    rank: int
    features: frozenset[str]
    cost_per_minute: int
    max_cost_per_request: int
    max_page_size: int


AT_FIRST = Tier(ANONYMOUS, 0, frozenset(), 50_000, 5_000, 100)
"""What callers without a key may do before the database has told: the same as it does at first."""


class Tiers:
    """All tiers of one moment, of which one is that of callers without a key."""

    def __init__(self, tiers: Iterable[Tier] = (AT_FIRST,)) -> None:
        self._by_name = {tier.name: tier for tier in sorted(tiers, key=lambda tier: tier.rank)}

    def get(self, name: str) -> Tier | None:
        """The tier of that name."""
        return self._by_name.get(name)

    @property
    def anonymous(self) -> Tier:
        """The tier of callers without a key."""
        return self._by_name[ANONYMOUS]

    def least_with(self, feature: str) -> str | None:
        """The name of the tier of least rank that includes a feature."""
        return next((tier.name for tier in self._by_name.values() if feature in tier.features), None)
