"""The corpus of the benchmark: outlets, stories and articles as in life, heavy-tailed, the same each time it is made.

Knows no database: it is made of plain rows, in the order in which they would have come in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from bench.wording import LANGUAGES, Wording

END = datetime(2026, 1, 1, tzinfo=UTC)
"""When the last article was published."""
DAYS = 90
LARGEST = 600
"""Articles of the largest stories."""

BIASES = {
    "FAR_LEFT": 4, "LEFT": 12, "LEAN_LEFT": 20, "CENTER": 26, "LEAN_RIGHT": 18, "RIGHT": 14, "FAR_RIGHT": 6
}  # fmt: skip
FACTUALITIES = {"VERY_LOW": 3, "LOW": 9, "MIXED": 28, "HIGH": 50, "VERY_HIGH": 10}
CATEGORIES = {
    "INDEPENDENT": 30, "MEDIA_CONGLOMERATE": 25, "CORPORATION": 15, "PRIVATE_EQUITY": 8, "TELECOM": 4, "BILLIONAIRE": 8,
    "GOVERNMENT": 6, "OTHER": 4,
}  # fmt: skip
MEDIUMS = {
    "WEBSITE": 40, "NEWSPAPER": 30, "MAGAZINE": 8, "TELEVISION": 9, "RADIO": 6, "NEWS_AGENCY": 2, "ORGANIZATION": 2,
    "JOURNAL": 1, "OTHER": 2,
}  # fmt: skip
KINDS = {"NEWS": 90, "OPINION": 8, "ANALYSIS": 2}
TITLES = ("Times", "Post", "Herald", "News", "Daily", "Wire")
AGENCIES = ("ADF", "MBFC", "AS")
COUNTRIES = [
    "US", "GB", "IN", "CA", "AU", "DE", "FR", "ES", "IT", "BR", "MX", "AR", "RU", "JP",
    "NG", "ZA", "KE", "IE", "NZ", "PT", "CH", "AT", "BE", "NL", "SE", "NO", "DK", "FI",
    "PL", "CZ", "GR", "TR", "EG", "IL", "SA", "AE", "PK", "BD", "PH", "ID", "MY", "SG",
    "TH", "VN", "KR", "CN", "TW", "CL", "CO", "PE", "UY", "EC", "BO", "GH", "TZ", "UG",
    "IS", "MT", "LU", "CY",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    slug: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Place:
    slug: str
    country: str


@dataclass(frozen=True, slots=True)
class Rating:
    agency: str
    bias: str | None
    factuality: str | None
    rated_at: datetime


@dataclass(frozen=True, slots=True)
class Outlet:
    domain: str
    name: str
    country: str | None
    place: str | None
    language: str
    medium: str | None
    owners: tuple[tuple[str, str], ...]
    ratings: tuple[Rating, ...]
    paywalled: bool | None


@dataclass(frozen=True, slots=True)
class Story:
    key: str
    title: str
    summary: str
    key_points: list[str]
    topics: list[str]
    places: list[str]
    image_url: str | None


class Article(NamedTuple):
    """`outlet` and `story` are positions in the corpus' lists."""

    outlet: int
    story: int
    published_at: datetime
    kind: str
    paywalled: bool | None
    language: str
    url: str
    title: str
    excerpt: str | None
    authors: list[str]
    image_url: str | None


class Corpus:
    """5,000 outlets and any number of stories, by default the 100,000 of the benchmark."""

    def __init__(self, stories: int = 100_000, *, outlets: int = 5_000, seed: int = 1) -> None:
        self._random = Random(seed)
        self._wording = Wording(self._random)
        self.topics = self._topics()
        self.places = self._places()
        self.outlets = [self._outlet(number) for number in range(outlets)]
        self._starts = sorted(self._random.random() * DAYS * 86_400 for _ in range(stories))
        self._names = [" ".join(self._random.sample(self._wording.names, 2)) for _ in range(stories)]
        self.stories = [self._story(number) for number in range(stories)]
        self._schedule = self._scheduled()
        self.article_count = len(self._schedule)

    def articles(self) -> Iterator[Article]:
        """Every article, oldest first; the same ones each time."""
        random = Random(f"articles of {len(self.stories)}")
        stories = len(self.stories)
        begin = END - timedelta(days=DAYS)
        for number, scheduled in enumerate(self._schedule):
            milliseconds, story = divmod(scheduled, stories)
            yield self._article(random, number, story, begin + timedelta(milliseconds=milliseconds))

    def _scheduled(self) -> list[int]:
        """A whole number for each article, in order: milliseconds since the beginning, times stories, plus its story.

        A story's first article starts it; half of the others follow within eight hours, one in a hundred after a week.
        """
        stories, end = len(self.stories), DAYS * 86_400
        made: list[int] = []
        for story, start in enumerate(self._starts):
            later = [start + self._random.lognormvariate(10.27, 1.4) for _ in range(self._size() - 1)]
            times = [start, *(at if at < end else start + self._random.random() * (end - start) for at in later)]
            made += [int(at * 1_000) * stories + story for at in times]
        return sorted(made)

    def _size(self) -> int:
        return min(LARGEST, round(2 + 3 / (self._random.random() + 0.004)))

    def _topics(self) -> list[Topic]:
        """20 subjects with nine beneath each."""
        names = self._random.sample(self._wording.names, 200)
        slugs = [name.lower() for name in names]
        return [Topic(slug, slugs[number % 20] if number >= 20 else None) for number, slug in enumerate(slugs)]

    def _places(self) -> list[Place]:
        names = self._random.sample(self._wording.names, 100)
        return [Place(f"{name.lower()}-town", COUNTRIES[_early(self._random, len(COUNTRIES))]) for name in names]

    def _outlet(self, number: int) -> Outlet:
        random = self._random
        name = " ".join((random.choice(self._wording.names), random.choice(TITLES)))
        rated = random.random() >= 0.2
        return Outlet(
            domain=f"{name.lower().replace(' ', '-')}-{number}.example",
            name=name,
            country=None if random.random() < 0.05 else COUNTRIES[_early(random, len(COUNTRIES))],
            place=random.choice(self.places).slug if random.random() < 0.7 else None,
            language=_drawn(random, LANGUAGES),
            medium=None if random.random() < 0.1 else _drawn(random, MEDIUMS),
            owners=tuple(
                (f"{random.choice(self._wording.names)} Group", _drawn(random, CATEGORIES))
                for _ in range(random.choice((0, 1, 1, 1, 2)))
            ),
            ratings=tuple(self._ratings()) if rated else (),
            paywalled=random.choice((None, False, False, False, True)),
        )

    def _ratings(self) -> Iterator[Rating]:
        """Agencies mostly agree; one in four rates no factuality."""
        random = self._random
        points, levels = list(BIASES), list(FACTUALITIES)
        bias, factuality = points.index(_drawn(random, BIASES)), levels.index(_drawn(random, FACTUALITIES))
        for agency in random.sample(AGENCIES, random.choice((1, 2, 2, 3))):
            yield Rating(
                agency,
                points[min(6, max(0, bias + random.choice((0, 0, 0, 0, 1, -1))))],
                levels[min(4, max(0, factuality + random.choice((0, 0, 0, 1, -1))))]
                if random.random() < 0.75
                else None,
                END - timedelta(days=random.randrange(30, 900)),
            )

    def _story(self, number: int) -> Story:
        random, phrases = self._random, self._wording.phrases["en"]
        return Story(
            key=f"story:{number}",
            title=_sentence(self._names[number], random.choice(phrases))[:-1],
            summary=" ".join(
                _sentence(random.choice(phrases), random.choice(phrases)) for _ in range(random.randint(3, 7))
            ),
            key_points=[_sentence(random.choice(phrases), random.choice(phrases)) for _ in range(random.randint(0, 5))],
            topics=list(dict.fromkeys(self.topics[_early(random, 200)].slug for _ in range(random.randint(1, 3)))),
            places=list(
                dict.fromkeys(self.places[_early(random, 100)].slug for _ in range(random.choice((0, 1, 1, 2))))
            ),
            image_url=f"https://images.example/stories/{number}.jpg" if random.random() < 0.8 else None,
        )

    def _article(self, random: Random, number: int, story: int, published_at: datetime) -> Article:
        position = int(len(self.outlets) * random.random() ** 3)
        outlet = self.outlets[position]
        phrases = self._wording.phrases[outlet.language]
        a, b, c, d = (phrases[int(random.random() * len(phrases))] for _ in range(4))
        chance = random.random()
        name = self._names[story]
        return Article(
            outlet=position,
            story=story,
            published_at=published_at,
            kind="NEWS" if chance < 0.9 else "OPINION" if chance < 0.98 else "ANALYSIS",
            paywalled=outlet.paywalled,
            language=outlet.language,
            url=f"https://{outlet.domain}/{published_at.date()}/{name.lower().replace(' ', '-')}-{number}",
            title=_sentence(name, a)[:-1],
            excerpt=None if chance < 0.05 else _sentence(b, name, c, d),
            authors=[] if chance < 0.3 else [self._wording.names[int(chance * 4_000)] + " " + name.rpartition(" ")[2]],
            image_url=None if chance < 0.2 else f"https://images.example/{number}.jpg",
        )


def _early(random: Random, size: int) -> int:
    """A position, the first ones far more often than the last."""
    return int(size * random.random() ** 3)


def _drawn(random: Random, weights: Mapping[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _sentence(*parts: str) -> str:
    text = " ".join(parts)
    return text[0].upper() + text[1:] + "."
