"""The rules for figures (version 1) in plain Python: numbers in, numbers out. Knows nothing of where they come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

RULE_VERSION = "1"
BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")
SIDES = ("LEFT", "CENTER", "RIGHT")
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH")
CATEGORIES = (
    "INDEPENDENT",
    "MEDIA_CONGLOMERATE",
    "CORPORATION",
    "PRIVATE_EQUITY",
    "TELECOM",
    "BILLIONAIRE",
    "GOVERNMENT",
    "OTHER",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HALF_LIFE = timedelta(hours=6)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, which order as the moments do."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def rfc3339(moment: datetime) -> str:
    """The moment in UTC, as +00:00, its fraction without trailing zeros."""
    text = moment.astimezone(UTC).isoformat()
    whole, dot, fraction = text.removesuffix("+00:00").partition(".")
    return f"{whole}{dot}{fraction.rstrip('0')}+00:00"


def point(bias: str) -> int:
    """-3 (far left) to 3 (far right)."""
    return BIASES.index(bias) - 3


def side_of(bias: str | None) -> str | None:
    if bias is None:
        return None
    return SIDES[(point(bias) > 0) - (point(bias) < 0) + 1]


def mean(values: Sequence[int]) -> Fraction | None:
    return Fraction(sum(values), len(values)) if values else None


def nearest_bias(score: Fraction | None) -> str | None:
    """The nearest whole point, a tie going toward the center."""
    if score is None:
        return None
    size = math.ceil(abs(score) - Fraction(1, 2))
    return BIASES[3 + (size if score > 0 else -size)]


def nearest_level(score: Fraction | None) -> str | None:
    """The nearest level, a tie going to the lower."""
    return None if score is None else LEVELS[math.ceil(score - Fraction(1, 2)) - 1]


def percents(counts: Sequence[int]) -> list[int]:
    """Whole percents that add up to 100, by largest remainder, a tie to the earlier; all 0 where nothing is counted."""
    total = sum(counts)
    if total == 0:
        return [0] * len(counts)
    whole = [count * 100 // total for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda entry: (-(counts[entry] * 100 % total), entry))
    for entry in by_remainder[: 100 - sum(whole)]:
        whole[entry] += 1
    return whole


def blindspot(left: int, center: int, right: int) -> tuple[str, Fraction, Fraction] | None:
    """The side that is missing, its fraction and its opposite's; None where the rule finds none."""
    rated = left + center + right
    if rated < 5:
        return None
    for side, own, opposite in (("LEFT", left, right), ("RIGHT", right, left)):
        own_part, opposite_part = Fraction(own, rated), Fraction(opposite, rated)
        if own_part <= Fraction(1, 5) and opposite_part >= Fraction(35, 100) and opposite_part >= 2 * own_part:
            return side, own_part, opposite_part
    return None


def leading_side(counts: Sequence[int]) -> str | None:
    """The side with strictly the most reports."""
    most = max(counts)
    return SIDES[counts.index(most)] if list(counts).count(most) == 1 else None


def trend(moments: Iterable[datetime]) -> float:
    """log2 of the sum of 2^((t - epoch) / 6 h). Rounded where doubles end, so that equal sums are equal numbers."""
    powers = sorted((moment - EPOCH) / HALF_LIFE for moment in moments)
    greatest = powers[-1]
    return round(greatest + math.log2(math.fsum(2.0 ** max(power - greatest, -1000) for power in powers)), 9)


def interval_start(moment: datetime, interval: str) -> datetime:
    """The start of the UTC hour, day or week (from Monday) that the moment falls in."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if interval == "HOUR":
        return hour
    day = hour.replace(hour=0)
    return day - timedelta(days=day.weekday()) if interval == "WEEK" else day
