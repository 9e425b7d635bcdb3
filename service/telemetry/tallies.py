"""Counts and distributions that cost little to add to: read only when somebody comes for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import Generic, TypeVar

L = TypeVar("L", bound=Hashable)

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, upper bounds of a distribution's buckets."""


class Tally(Generic[L]):
    """How often each label was met, and how long that took."""

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self._bounds = bounds
        self._met: dict[L, list[float]] = {}

    def add(self, label: L, seconds: float) -> None:
        """Counts one more."""
        met = self._met.get(label)
        if met is None:
            # How many are in each bucket, and above the last; then the seconds of all.
            met = self._met[label] = [0] * (len(self._bounds) + 2)
        met[bisect_left(self._bounds, seconds)] += 1
        met[-1] += seconds

    def __iter__(self) -> Iterator[tuple[L, list[tuple[str, float]], float]]:
        """Each label with its cumulative buckets, by upper bounds as Prometheus writes them, and its seconds."""
        names = [*map(str, self._bounds), "+Inf"]
        for label, (*counts, seconds) in list(self._met.items()):
            total, buckets = 0.0, list[tuple[str, float]]()
            for name, count in zip(names, counts, strict=True):
                total += count
                buckets.append((name, total))
            yield label, buckets, seconds
