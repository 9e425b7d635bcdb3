"""The figures of the demo world's stories, counted from its lines in plain Python by the rules of the contract."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from math import ceil
from typing import Any

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")


class DemoFigures:
    """What shows once the lines are loaded: articles by story, and the figures over them."""

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        """Every line of the world, in order."""
        self.outlets: set[str] = set()
        self.articles_of: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._ratings: dict[str, list[str]] = {}
        for line in lines:
            match line["type"]:
                case "outlet":
                    self.outlets.add(line["domain"])
                    self._ratings[line["domain"]] = [rating["bias"] for rating in line["ratings"] if rating["bias"]]
                case "article":
                    self.outlets.add(line["outlet"])
                    self.articles_of[line.get("story") or f"url:{line['url']}"].append(line)
                case "merge":
                    self.articles_of[line["into"]] += self.articles_of.pop(line["from"])
                case "remove":
                    del self.articles_of[line["story"]]
                case _:
                    pass

    def bias(self, domain: str) -> str | None:
        """The consensus of the agencies: the nearest point to their mean, a tie going toward the center."""
        points = [BIASES.index(bias) - 3 for bias in self._ratings.get(domain, [])]
        if not points:
            return None
        mean = Fraction(sum(points), len(points))
        nearest = ceil(abs(mean) - Fraction(1, 2))
        return BIASES[3 + (nearest if mean > 0 else -nearest)]

    def points(self, key: str) -> list[int]:
        """Reports of a story by bias, left to right."""
        reporting = {article["outlet"] for article in self.articles_of[key]}
        counts = Counter(self.bias(domain) for domain in reporting)
        return [counts[bias] for bias in BIASES]

    def side_counts(self, key: str) -> tuple[int, int, int]:
        """Reports of a story by side."""
        points = self.points(key)
        return sum(points[:3]), points[3], sum(points[4:])

    def mean(self, key: str) -> Fraction | None:
        """The mean of the rated reports' whole points."""
        points = self.points(key)
        return Fraction(sum((at - 3) * n for at, n in enumerate(points)), sum(points)) if sum(points) else None

    def blindspot(self, key: str) -> str | None:
        """The side that is missing."""
        left, center, right = self.side_counts(key)
        rated = left + center + right
        if rated < 5:
            return None
        for side, own, other in (("LEFT", left, right), ("RIGHT", right, left)):
            share, opposite = Fraction(own, rated), Fraction(other, rated)
            if share <= Fraction(1, 5) and opposite >= Fraction(7, 20) and opposite >= 2 * share:
                return side
        return None

    def leading_side(self, key: str) -> str | None:
        """The side with strictly the most reports."""
        counts = dict(zip(("LEFT", "CENTER", "RIGHT"), self.side_counts(key), strict=True))
        most = max(counts.values())
        leading = [side for side, count in counts.items() if count == most]
        return leading[0] if len(leading) == 1 else None
