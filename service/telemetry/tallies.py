"""Distributions of seconds that cost little to add to: they are summed up when somebody comes for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, ItemsView
from typing import Generic, TypeVar

L = TypeVar("L", bound=Hashable)

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, upper bounds of the buckets."""
_NAMES = (*map(str, BOUNDS), "+Inf")


class Distribution:
    """How many took up to so many seconds, and all of their seconds together."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_NAMES)
        self.seconds = 0.0

    @property
    def count(self) -> int:
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """How many are in each bucket and all below it, by upper bounds as Prometheus writes them."""
        total, found = 0, list[tuple[str, float]]()
        for name, count in zip(_NAMES, self.counts, strict=True):
            total += count
            found.append((name, total))
        return found


class Tally(Generic[L]):
    """A distribution for each label."""

    def __init__(self) -> None:
        self._met: dict[L, Distribution] = {}

    def add(self, label: L, seconds: float) -> None:
        """Counts one more."""
        try:
            met = self._met[label]
        except KeyError:
            met = self._met[label] = Distribution()
        met.counts[bisect_left(BOUNDS, seconds)] += 1
        met.seconds += seconds

    def merge(self, label: L, other: Distribution) -> None:
        """Counts all that another has."""
        met = self._met.setdefault(label, Distribution())
        met.counts = [mine + theirs for mine, theirs in zip(met.counts, other.counts, strict=True)]
        met.seconds += other.seconds

    def items(self) -> ItemsView[L, Distribution]:
        """Each label with its distribution."""
        return self._met.items()
