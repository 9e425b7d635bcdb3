"""Which stories the demo world has: events, places, sizes, times and slants, drawn by lot. It writes no lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from service.demo.facts import Facts, draw_facts
from service.demo.material import City, Event, cities, events

SPAN = timedelta(days=30)
NEWEST = timedelta(minutes=15)
"""The world ends so long before now, but for the worked example."""

SLANTS: list[tuple[int, dict[str | None, float]]] = [
    (56, {"LEFT": 1.0, "CENTER": 1.0, "RIGHT": 1.0, None: 1.0}),
    (12, {"LEFT": 1.3, "CENTER": 0.6, "RIGHT": 0.1, None: 0.8}),
    (12, {"LEFT": 0.1, "CENTER": 0.6, "RIGHT": 1.4, None: 0.8}),
    (8, {"LEFT": 0.4, "CENTER": 2.0, "RIGHT": 0.4, None: 0.6}),
    (6, {"LEFT": 1.4, "CENTER": 0.5, "RIGHT": 1.4, None: 0.7}),
    (4, {"LEFT": 0.2, "CENTER": 0.1, "RIGHT": 0.2, None: 2.0}),
]
"""How often a kind of story occurs, and how eagerly the outlets of each side take it up."""


@dataclass(frozen=True)
class Plot:
    """One story to be told."""

    number: int
    event: Event
    city: City
    facts: Facts
    title: str
    other_title: str
    topics: list[str]
    article_count: int
    ago: timedelta
    lasts: timedelta
    slant: dict[str | None, float]
    language: str
    """The language of the story's own fields."""


def draw_plots(rng: Random, count: int, article_count: int, taken: set[str]) -> Iterator[Plot]:
    """`count` plots of `article_count` articles in all, the largest first, each with a title that is not in `taken`."""
    titles = set(taken)
    castings = list(_castings(rng, count))
    for number, (size, (event, case)) in enumerate(zip(_sizes(count, article_count), castings, strict=True), 1):
        language = next(iter(event.tellings))
        while True:
            city = rng.choice([city for city in cities() if language in {"en", city.language}])
            facts = draw_facts(rng, event, event.cases[case], city)
            forms = event.tellings[language].news
            title, other_title = (facts.say(form, language) for form in rng.sample(forms, 2))
            if not titles & {title, other_title}:
                break
        titles |= {title, other_title}
        ago = NEWEST + (SPAN - 2 * NEWEST) * rng.random() ** 1.2 + timedelta(minutes=25)
        yield Plot(
            number=number,
            event=event,
            city=city,
            facts=facts,
            title=title,
            other_title=other_title,
            topics=_topics(event, case),
            article_count=size,
            ago=ago,
            lasts=min(ago - NEWEST, timedelta(hours=2 + 9 * rng.random() * size**0.5)),
            slant=rng.choices([slant for _, slant in SLANTS], [often for often, _ in SLANTS])[0],
            language=language,
        )


def _castings(rng: Random, count: int) -> list[tuple[Event, int]]:
    """Events with one of their cases each: every case once before any comes twice, those of wide reach rather first."""
    every = [(event, case) for event in events() for case in range(len(event.cases))]
    drawn: list[tuple[Event, int]] = []
    while len(drawn) < count:
        drawn += rng.sample(every, min(len(every), count - len(drawn)))
    return sorted(drawn, key=lambda casting: rng.random() ** casting[0].reach)


def _sizes(count: int, total: int) -> list[int]:
    """Sizes of `count` stories, largest first: a few of several hundred articles, half of 2 to 5, `total` in all."""
    shares = [((index + 0.5) / count + 0.012) ** -1.3 for index in range(count)]
    scale = (total - count) / sum(shares)
    sizes = [1 + int(share * scale) for share in shares]
    for index in range(total - sum(sizes)):
        sizes[index] += 1
    return sizes


def _topics(event: Event, case: int) -> list[str]:
    own = event.cases[case].get("topics")
    return own if isinstance(own, list) else event.topics
