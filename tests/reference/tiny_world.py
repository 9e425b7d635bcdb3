"""A small world, always the same for one seed, rich in what goes wrong: ties, nulls, unrated outlets, merged and hidden
stories, equal titles and names, topics three deep, text of many scripts. The database keeps its figures.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from tests.reference.rules import BIASES, CATEGORIES, LEVELS, SIDES

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 40
AGENCIES = ("ABM", "Balance Watch", "Fair Scale", "MBFC")
COUNTRIES = ("US", "GB", "DE", "FR", "IN", "BR", "JP")
LANGUAGES = ("en", "de", "fr", "pt-BR", "ja", "zh-Hant")
MEDIUMS = (
    "WEBSITE",
    "NEWSPAPER",
    "MAGAZINE",
    "TELEVISION",
    "RADIO",
    "NEWS_AGENCY",
    "ORGANIZATION",
    "JOURNAL",
    "OTHER",
)
WORDS = [
    "river",
    "council",
    "votes",
    "budget",
    "strike",
    "harbour",
    "doctors",
    "teachers",
    "flood",
    "vaccine",
    "court",
    "tariff",
    "border",
    "summit",
    "climate",
    "wildfire",
    "election",
    "ceasefire",
    "rail",
    "pension",
    "merger",
    "satellite",
    "harvest",
    "drought",
    "museum",
    "festival",
    "election",
    "council",
    "budget",
    "strike",
    "Überschwemmung",
    "Straße",
    "économie",
    "élections",
    "選挙",
    "予算",
    "выборы",
    "انتخابات",
    "e-mail",
    "covid-19",
    "O'Neill",
    "3.5",
    "https://example.org/a",
]
NAMES = (
    "The Post",
    "the post",
    "THE POST",
    "100% News",
    "1000 News",
    "A_B Weekly",
    "AXB Weekly",
    "Ärzteblatt",
    "ärger",
    "Zeitung",
)
URL_ENDS = ("a", "ü", "%22", "選挙", "x?y=\\z", "quote's")
TOPICS = {
    "politics": None,
    "elections": "politics",
    "local-elections": "elections",
    "parliament": "politics",
    "science": None,
    "climate": "science",
    "oceans": "climate",
    "space": "science",
    "sports": None,
    "football": "sports",
    "economy": None,
    "empty": None,
    "empty-child": "empty",
}
PLACES = ("berlin", "london", "paris", "tokyo", "austin", "sao-paulo", "nowhere")


class TinyWorld:
    """The rows of the world of one seed, table by table."""

    def __init__(self, seed: int = 1, *, stories: int = 64, outlets: int = 40, articles: int = 520) -> None:
        self._random = random.Random(seed)
        self._topic_keys = {slug: key for key, slug in enumerate(TOPICS, 1)}
        self._story_keys = list(range(101, 101 + stories))
        self._outlet_keys = list(range(11, 11 + outlets))
        self.tables: dict[str, tuple[Sequence[str], list[tuple[Any, ...]]]] = {}
        self._add_places()
        self._add_topics()
        self._add_outlets()
        self._add_stories()
        self._add_articles(articles)

    async def insert(self, conn: asyncpg.Connection) -> None:
        """Writes the world into an empty database, and gives what is dated by the writing a date of the seed's."""
        async with conn.transaction():
            for table, (columns, rows) in self.tables.items():
                await conn.copy_records_to_table(table, columns=columns, records=rows)
            written = [(key, self._moment(), self._moment()) for key in self._story_keys]
            await conn.executemany("update stories set updated_at = $2, computed_at = $3 where id = $1", written)
            await conn.execute("delete from changes")
        await conn.execute("analyze")

    def _table(self, name: str, columns: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        self.tables[name] = columns.split(), rows
        return rows

    def _add_places(self) -> None:
        rows = self._table("places", "id slug name country")
        for key, slug in enumerate(PLACES, 1):
            rows.append((key, slug, slug.replace("-", " ").title(), self._maybe(self._random.choice(COUNTRIES))))

    def _add_topics(self) -> None:
        rows = self._table("topics", "id slug name parent_id")
        for slug, parent in TOPICS.items():
            rows.append((self._topic_keys[slug], slug, slug.title(), self._topic_keys[parent] if parent else None))

    def _add_outlets(self) -> None:
        rows = self._table("outlets", "id domain slug name homepage_url country place_id language medium")
        owners = self._table("owners", "outlet_id position name category")
        ratings = self._table("ratings", "outlet_id agency bias factuality rated_at url")
        pick = self._random.choice
        for index, key in enumerate(self._outlet_keys):
            domain = f"{pick(('news', 'post', 'daily_', 'the'))}{index}.{pick(('example', 'test', 'press.example'))}"
            name = NAMES[index] if index < len(NAMES) else self._words(1, 3).title()
            rows.append(
                (
                    key,
                    domain,
                    domain.replace(".", "-"),
                    name,
                    self._maybe(f"https://{domain}/"),
                    self._maybe(pick(COUNTRIES)),
                    self._maybe(self._random.randint(1, len(PLACES))),
                    self._maybe(pick(LANGUAGES)),
                    self._maybe(pick(MEDIUMS)),
                )
            )
            for position in range(pick((0, 1, 1, 1, 2, 3))):
                owners.append((key, position, self._words(1, 2).title(), pick(CATEGORIES)))
            for agency in self._random.sample(AGENCIES, pick((0, 1, 1, 2, 2, 3, 4))):
                rated = self._maybe(self._moment())
                ratings.append((key, agency, *self._opinion(index), rated, self._maybe("https://agency.example/r")))

    def _opinion(self, index: int) -> tuple[str | None, str | None]:
        """A bias near the outlet's own, so that some stories lean, and a level."""
        near = index * 7 // len(self._outlet_keys) + self._random.choice((-1, 0, 0, 0, 1))
        return self._maybe(BIASES[min(max(near, 0), 6)], 0.9), self._maybe(self._random.choice(LEVELS))

    def _add_stories(self) -> None:
        rows = self._table("stories", "id key slug title summary key_points image_url merged_into removed")
        topics = self._table("story_topics", "story_id topic_id position")
        places = self._table("story_places", "story_id place_id position")
        perspectives = self._table("perspectives", "story_id side summary")
        self._hidden = {*self._story_keys[3:60:9]}
        merged = sorted(self._hidden)[:5]
        for key in self._story_keys:
            into = self._random.choice([101, 102, max(self._hidden)]) if key in merged else None
            points = [self._words(2, 8) for _ in range(self._random.choice((0, 0, 1, 5)))]
            rows.append(
                (
                    key,
                    f"upstream-{key}",
                    f"story-{key}-slug",
                    "The same title twice" if key % 20 == 1 else self._words(2, 8),
                    self._maybe(self._words(5, 30)),
                    points,
                    self._maybe(f"https://images.example/{key}.jpg?w=1&h=\\"),
                    into,
                    key in self._hidden and into is None and key % 2 == 0,
                )
            )
            for position, topic in enumerate(
                self._random.sample(sorted(self._topic_keys), self._random.choice((0, 1, 2, 3)))
            ):
                if not topic.startswith("empty"):
                    topics.append((key, self._topic_keys[topic], position))
            for position, place in enumerate(
                self._random.sample(range(1, len(PLACES)), self._random.choice((0, 1, 2)))
            ):
                places.append((key, place, position))
            for side in self._random.sample(SIDES, self._random.choice((0, 1, 3))):
                perspectives.append((key, side, self._words(3, 12)))

    def _add_articles(self, number: int) -> None:
        rows = self._table(
            "articles",
            "id outlet_id story_id published_at updated_at kind paywalled language url title excerpt authors image_url",
        )
        shown = [key for key in self._story_keys if key not in self._hidden]
        begun = {key: self._moment() for key in shown}
        leaning = {key: self._random.choice((-1, 0, 0, 1)) for key in shown}
        for index in range(number):
            place = index if index < len(shown) else int(len(shown) * self._random.random() ** 3)
            story = shown[place]
            moment = begun[story] + timedelta(minutes=30 * int(200 * self._random.random() ** 3))
            precise = self._random.random() < 0.2
            rows.append(
                (
                    1000 + index,
                    self._outlet(leaning[story]),
                    story,
                    moment + timedelta(microseconds=self._random.randrange(10**9) * precise),
                    self._moment(),
                    self._random.choice(("NEWS", "NEWS", "NEWS", "OPINION", "ANALYSIS")),
                    self._maybe(self._random.random() < 0.4, 0.7),
                    self._maybe(self._random.choice(LANGUAGES)),
                    f"https://example.org/{index}/{self._random.choice(URL_ENDS)}",
                    self._words(2, 9),
                    self._maybe(self._words(5, 40)),
                    [self._words(1, 2) for _ in range(self._random.choice((0, 1, 2)))],
                    self._maybe("https://images.example/a.png"),
                )
            )

    def _outlet(self, leaning: int) -> int:
        """An outlet; a story that leans takes most of its outlets, which stand in order of bias, from one end."""
        share = self._random.random()
        if leaning:
            share = share**3 if leaning < 0 else 1 - share**3
        return self._outlet_keys[min(int(share * (len(self._outlet_keys) - 2)), len(self._outlet_keys) - 3)]

    def _moment(self) -> datetime:
        return START + timedelta(minutes=30 * self._random.randrange(48 * DAYS))

    def _words(self, least: int, most: int) -> str:
        return " ".join(self._random.choices(WORDS, k=self._random.randint(least, most)))

    def _maybe(self, value: Any, likelihood: float = 0.75) -> Any:
        return value if self._random.random() < likelihood else None
