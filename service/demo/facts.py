"""The facts of one story: what the slots of its event stand for, and how each language writes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from random import Random

from service.demo.material import City, Event, Word, cities, names

GROUPING = {"en": ",", "fr": "\u202f"}  # the others write 1.000


class Facts:
    """What the slots of one story stand for."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        """`words` is what each slot stands for."""
        self._words = words
        self._written: dict[str, dict[str, str]] = {}

    def say(self, template: str, language: str, **more: str) -> str:
        """The sentence with its slots filled as that language writes them, beginning with a capital."""
        text = self.phrase(template, language, **more)
        return text[:1].upper() + text[1:]

    def phrase(self, template: str, language: str, **more: str) -> str:
        """The same in the middle of a sentence."""
        if language not in self._written:
            self._written[language] = {slot: _written(word, language) for slot, word in self._words.items()}
        return template.format_map(self._written[language] | more)


def draw_facts(rng: Random, event: Event, case: Mapping[str, Word | list[str]], city: City) -> Facts:
    """Facts drawn by lot for an event that happens in `city`."""
    words: dict[str, Word] = {"city": city.name, "near": _near(rng, city).name, "abroad": _abroad(rng, city).name}
    for role, person in zip(("who", "other", "third"), draw_people(rng, city.language, 3), strict=True):
        words[role], words[f"{role}_last"] = " ".join(person), person[1]
    words["party"], words["opposition"] = rng.sample(names().bodies["party"], 2)
    words["company"], words["rival"] = rng.sample(names().bodies["company"], 2)
    words["club"], words["opponent"] = rng.sample(names().bodies["club"], 2)
    words["institute"] = rng.choice(names().bodies["institute"])
    words |= {slot: _number(rng, bounds) for slot, bounds in event.numbers.items()}
    words |= {slot: word for slot, word in case.items() if not isinstance(word, list)}
    return Facts(words)


def draw_people(rng: Random, language: str, count: int) -> list[tuple[str, str]]:
    """First and last names of `count` different people who might live where that language is spoken."""
    pool = names().people.get(language) or names().people["en"]
    return list(zip(rng.sample(pool.first, count), rng.sample(pool.last, count), strict=True))


def ascii_words(text: str) -> list[str]:
    """The words of a text in ASCII and lower case, as web addresses have them."""
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o")).encode("ascii", "ignore")
    return "".join(c if c.isalnum() else " " for c in folded.decode().replace("'", "").lower()).split()


def _near(rng: Random, city: City) -> City:
    """Another city of the country, or of the language where the country has only one."""
    others = [other for other in cities() if other.name != city.name]
    return rng.choice(
        [other for other in others if other.country == city.country]
        or [other for other in others if other.language == city.language]
        or others
    )


def _abroad(rng: Random, city: City) -> City:
    return rng.choice([other for other in cities() if other.country != city.country])


def _number(rng: Random, bounds: Sequence[int | float]) -> int | float:
    low, high, *step = bounds
    if isinstance(low, float) or isinstance(high, float):
        return round(rng.uniform(low, high), 1)
    return rng.randrange(low, high + 1, int(step[0]) if step else 1)


def _written(word: Word, language: str) -> str:
    match word:
        case dict():
            return word[language]
        case float():
            return f"{word:.1f}" if language == "en" else f"{word:.1f}".replace(".", ",")
        case int():
            return f"{word:,}".replace(",", GROUPING.get(language, "."))
        case str():
            return word
