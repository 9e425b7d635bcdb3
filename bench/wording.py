"""Made-up words in several languages, as often used as words are: a few in every sentence, most of them seldom."""

# ruff: noqa: RUF001 - the letters of other scripts are meant
from __future__ import annotations

from random import Random

LANGUAGES = {
    "en": 55.0, "es": 12.0, "fr": 9.0, "de": 8.0, "pt": 5.0, "it": 4.0, "ru": 3.0, "ar": 2.0, "ja": 1.2, "sw": 0.6,
    "is": 0.15, "mt": 0.05,
}  # fmt: skip
"""Every language of the corpus, with its share in percent."""

COMMON = {
    "en": "the of to and in a for that on is with as by from at it was over after will has new more its who not but",
    "es": "de la que el en y los se del las un por con una para su al más lo como",
    "fr": "de la le et les des en un du une que est pour qui dans par plus au sur pas",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als",
    "pt": "de a o que e do da em um para com uma os no se na por mais as dos",
    "it": "di e il la che in un a per è una sono del con non si da le dei nel",
}
SYLLABLES = {
    "ru": "во ста ни ко ра по мо за ре ли сто ве на го ди те ла ми ру зна",
    "ar": "ال با مر سا لو تي نا كر دم في حو شر قا بي ست عم",
    "ja": "カ ミ ト サ ラ ノ キ シ モ ハ ナ ユ ソ テ リ マ ク オ",
    "": "an bel cor da el fin gra ha il jo ka len mor na ol per qua ri sen tar ul ven wis yor zan bra sti ond",
}
WORDS = 8_000
"""In each language."""
PHRASES = 20_000
NAMES = 6_000


class Wording:
    """The phrases of every language, and the names that stories are about."""

    def __init__(self, random: Random) -> None:
        self.phrases = {language: _phrases(random, _words(random, language)) for language in LANGUAGES}
        self.names = sorted({_word(random, SYLLABLES[""].split(), 3).capitalize() for _ in range(NAMES)})


def _words(random: Random, language: str) -> list[str]:
    """From the commonest to the rarest."""
    syllables = SYLLABLES.get(language, SYLLABLES[""]).split()
    made = dict.fromkeys(COMMON.get(language, "").split())
    while len(made) < WORDS:
        made[_word(random, syllables, random.choice((2, 2, 3, 3, 4)))] = None
    return list(made)


def _word(random: Random, syllables: list[str], length: int) -> str:
    return "".join(random.choices(syllables, k=length))


def _phrases(random: Random, words: list[str]) -> list[str]:
    """Each of four to nine words, a word of rank r drawn in proportion to 1 / (r + 3)."""
    weights = [1 / (rank + 3) for rank in range(len(words))]
    sizes = random.choices(range(4, 10), k=PHRASES)
    drawn = iter(random.choices(words, weights, k=sum(sizes)))
    return [" ".join(next(drawn) for _ in range(size)) for size in sizes]
