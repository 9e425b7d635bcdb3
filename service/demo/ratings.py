"""Ratings of outlets by agencies that disagree, yet whose consensus is what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from service.demo.material import Agency, press

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH")
CENTER = BIASES.index("CENTER")

DISSENT = {
    1: [[0]],
    2: [[0, 0], [-1, 1], [0, 1]],
    3: [[0, 0, 1], [-1, 0, 0], [-1, 0, 1]],
}
"""How far so many agencies may stray from their consensus. [0, 1] is a tie, which falls back to the first, since the
second lies outward: away from the center for biases, upward for factuality."""

TRUST = [[2, 3, 3, 4, 4], [2, 3, 3, 3, 4], [1, 2, 2, 3], [0, 0, 1]]
"""Levels of factuality at each distance from the center."""


def draw_level(rng: Random, bias: int | None) -> int | None:
    """A consensus on factuality, lower farther out; none for a few outlets, and one for some of unknown bias."""
    if bias is None:
        return rng.randrange(len(LEVELS)) if rng.random() < 0.15 else None
    return rng.choice(TRUST[abs(bias - CENTER)]) if rng.random() < 0.92 else None


def draw_ratings(
    rng: Random, now: datetime, domain: str, *, bias: int | None, level: int | None
) -> Iterator[dict[str, object]]:
    """Ratings of an outlet, whose consensus is the given bias and level of factuality."""
    agencies = press().agencies
    biases = _opinions(rng, [agency for agency in agencies if agency.bias], BIASES, bias, CENTER)
    levels = _opinions(rng, [agency for agency in agencies if agency.factuality], LEVELS, level, 0)
    for agency in (agency.name for agency in agencies if agency.name in biases or agency.name in levels):
        yield {
            "agency": agency,
            "bias": biases.get(agency),
            "factuality": levels.get(agency),
            "ratedAt": (now - timedelta(days=rng.randrange(40, 900))).isoformat() if rng.random() < 0.9 else None,
            "url": f"https://{agency.lower()}.example/outlets/{domain}" if rng.random() < 0.8 else None,
        }


def _opinions(
    rng: Random, agencies: Sequence[Agency], scale: Sequence[str], consensus: int | None, middle: int
) -> dict[str, str]:
    """What each agency that took the outlet up finds; the first one did where no other has."""
    if consensus is None:
        return {}
    raters = [agency.name for agency in agencies if rng.random() < agency.share] or [agencies[0].name]
    outward = -1 if consensus < middle else 1
    opinions = [[consensus + outward * step for step in strayed] for strayed in DISSENT[len(raters)]]
    lawful = [points for points in opinions if min(points) >= 0 and max(points) < len(scale)]
    points = rng.choice(lawful)
    return dict(zip(raters, [scale[point] for point in rng.sample(points, len(points))], strict=True))
