"""What outlets print about one story: headlines by language, side and kind, dealt so that few come twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

from service.demo.facts import Facts
from service.demo.material import Telling, frames

CUT = 150
"""Characters after which some outlets' excerpts break off."""


class Headlines:
    """Deals headlines and excerpts for the articles of one story."""

    def __init__(self, rng: Random, tellings: dict[str, Telling], facts: Facts, title: str) -> None:
        """`title` is the story's own, which the first articles have too."""
        self._rng = rng
        self._tellings = tellings
        self._facts = facts
        self._title = title
        self._decks: dict[tuple[str, str], list[str]] = {}

    def headline(self, language: str, side: str | None, kind: str | None) -> str:
        """The next headline for an article of that language, side of its outlet, and kind."""
        if kind is not None:
            return self._deal((language, kind), lambda: self._comments(language, kind))
        if side in {"LEFT", "RIGHT"} and self._rng.random() < 0.5 and self._slanted(language, side):
            return self._deal((language, side), lambda: self._slanted(language, side))
        return self._deal((language, "NEWS"), lambda: self._news(language))

    def excerpt(self, language: str) -> str:
        """The next excerpt, now and then cut with an ellipsis."""
        text = self._deal((language, "EXCERPT"), lambda: self._excerpts(language))
        if len(text) > CUT and self._rng.random() < 0.6:
            text = text[: text.rindex(" ", 0, CUT)].rstrip(",;:") + " …"
        return text

    def _deal(self, deck: tuple[str, str], make: Callable[[], list[str]]) -> str:
        """The next card of a deck, which is made anew when it is used up."""
        if not self._decks.get(deck):
            self._decks[deck] = make()[::-1]
        return self._decks[deck].pop()

    def _news(self, language: str) -> list[str]:
        told = self._tellings[language]
        tag = self._facts.phrase(told.tag, language)
        leading = [self._facts.say(form, language) for form in told.news]
        following = [self._facts.say(frame, language, tag=tag) for frame in frames()[language].news]
        following += [self._facts.say(point, language).rstrip(".") for point in told.points]
        leading.sort(key=lambda headline: headline != self._title)
        return leading[:1] + self._shuffled(leading[1:]) + self._shuffled(following)

    def _slanted(self, language: str, side: str) -> list[str]:
        told = self._tellings[language]
        forms = told.left if side == "LEFT" else told.right
        return self._shuffled([self._facts.say(form, language) for form in forms])

    def _comments(self, language: str, kind: str) -> list[str]:
        tag = self._facts.phrase(self._tellings[language].tag, language)
        framed = frames()[language]
        forms = framed.opinion if kind == "OPINION" else framed.analysis
        return self._shuffled([self._facts.say(form, language, tag=tag) for form in forms])

    def _excerpts(self, language: str) -> list[str]:
        told = self._tellings[language]
        sentences = [self._facts.say(line, language) for line in (*told.points, *told.lines)]
        if told.summary:
            sentences.append(self._facts.say(told.summary, language))
        followed = [" ".join(pair) for pair in pairwise(sentences)]
        return self._shuffled(sentences + followed)

    def _shuffled(self, texts: list[str]) -> list[str]:
        return self._rng.sample(texts, len(texts))
