"""Writers that know nothing of figures: plain SQL on the model's tables, in an order that only a seed knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

Statement = tuple[str, tuple[Any, ...]]

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT", None)
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH", None)
CATEGORIES = ("INDEPENDENT", "TELECOM", "GOVERNMENT", "OTHER")
START = datetime(2026, 3, 1, tzinfo=UTC)

OUTLETS, STORIES, TOPICS, PLACES = range(1, 9), range(1, 11), range(1, 7), range(1, 4)

FILL = """
insert into places (id, slug, name) select n, 'p' || n, 'P' from generate_series(1, 3) n;
insert into topics (id, slug, name, parent_id) select n, 't' || n, 'T', nullif(n / 2, 0) from generate_series(1, 6) n;
insert into outlets (id, domain, slug, name, country)
    select n, n || '.example', n || '-example', 'O', (array['US', 'GB', null])[1 + n % 3] from generate_series(1, 8) n;
insert into stories (id, key, slug, title) select n, n, n, 'A title' from generate_series(1, 10) n;
insert into articles (outlet_id, story_id, published_at, url, title)
    select 1 + n % 8, 1 + n % 10, timestamptz '2026-03-01 00:00+00' + n * interval '7 hours', n, 'A title'
    from generate_series(1, 40) n;
"""


class Writer:
    """Makes statements; each may write no row, one, or many."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._seed = seed

    def statement(self) -> Statement:
        kinds: list[Callable[[], Statement]] = [
            *[self._insert_articles] * 3,
            *[self._move_articles] * 3,
            *[self._delete_articles] * 2,
            *(
                self._date_articles,
                self._reword_article,
                self._rate,
                self._unrate,
                self._rerate,
                self._own,
                self._disown,
            ),
            *(self._settle, self._put_under, self._tag, self._retag, self._untag, self._locate, self._reword_story),
        ]
        return self._random.choice(kinds)()

    def _moment(self) -> datetime:
        return START + timedelta(minutes=self._random.randrange(20_000))

    def _insert_articles(self) -> Statement:
        number = self._random.choice((1, 1, 5, 20))
        self._number += number
        rows = [(self._one(OUTLETS), self._one(STORIES), self._moment(), self._url(n)) for n in range(number)]
        return (
            (
                "insert into articles (outlet_id, story_id, published_at, url, title)"
                " select *, 'A title' from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[])"
            ),
            tuple(map(list, zip(*rows, strict=True))),
        )

    def _url(self, n: int) -> str:
        return f"https://x.example/{self._seed}/{self._number - n}"

    def _move_articles(self) -> Statement:
        return self._random.choice(
            [
                ("update articles set story_id = $1 where story_id = $2", (self._one(STORIES), self._one(STORIES))),
                ("update articles set outlet_id = $1 where outlet_id = $2", (self._one(OUTLETS), self._one(OUTLETS))),
                (
                    "update articles set story_id = $1, outlet_id = $2, published_at = $3 where id % 7 = $4",
                    (self._one(STORIES), self._one(OUTLETS), self._moment(), self._random.randrange(7)),
                ),
                ("update articles set story_id = 1 + (id + $1) % 10 where id % 5 = $2", (self._one(STORIES), 3)),
            ]
        )

    def _delete_articles(self) -> Statement:
        return self._random.choice(
            [
                ("delete from articles where id % 9 = $1", (self._random.randrange(9),)),
                ("delete from articles where story_id = $1", (self._one(STORIES),)),
                ("delete from articles where outlet_id = $1 and id % 2 = 0", (self._one(OUTLETS),)),
            ]
        )

    def _date_articles(self) -> Statement:
        return "update articles set published_at = published_at + $1::interval where id % 4 = $2", (
            timedelta(hours=self._random.randint(-50, 50)),
            self._random.randrange(4),
        )

    def _reword_article(self) -> Statement:
        return "update articles set title = $1 where id % 11 = $2", (str(self._random.random()), 4)

    def _rate(self) -> Statement:
        return (
            (
                "insert into ratings (outlet_id, agency, bias, factuality) values ($1, $2, $3, $4)"
                " on conflict (outlet_id, agency) do update set bias = excluded.bias, factuality = excluded.factuality"
            ),
            (self._one(OUTLETS), self._random.choice("abc"), self._random.choice(BIASES), self._random.choice(LEVELS)),
        )

    def _rerate(self) -> Statement:
        return "update ratings set bias = $1 where agency = $2", (
            self._random.choice(BIASES),
            self._random.choice("abc"),
        )

    def _unrate(self) -> Statement:
        return "delete from ratings where outlet_id = $1", (self._one(OUTLETS),)

    def _own(self) -> Statement:
        return (
            (
                "insert into owners (outlet_id, position, name, category) values ($1, 1, 'N', $2)"
                " on conflict (outlet_id, position) do update set category = excluded.category"
            ),
            (self._one(OUTLETS), self._random.choice(CATEGORIES)),
        )

    def _disown(self) -> Statement:
        return "delete from owners where outlet_id = $1", (self._one(OUTLETS),)

    def _settle(self) -> Statement:
        country = self._random.choice(("US", "GB", "DE", None))
        return "update outlets set country = $1, name = name || '.' where id = $2", (country, self._one(OUTLETS))

    def _put_under(self) -> Statement:
        topic = self._random.choice(TOPICS[1:])
        return "update topics set parent_id = $1 where id = $2", (self._random.choice([None, *range(1, topic)]), topic)

    def _tag(self) -> Statement:
        return (
            "insert into story_topics (story_id, topic_id, position) values ($1, $2, 1) on conflict do nothing",
            (self._one(STORIES), self._one(TOPICS)),
        )

    def _retag(self) -> Statement:
        return (
            (
                "update story_topics t set topic_id = $1 where topic_id = $2"
                " and not exists (select from story_topics o where o.story_id = t.story_id and o.topic_id = $1)"
            ),
            (self._one(TOPICS), self._one(TOPICS)),
        )

    def _untag(self) -> Statement:
        return "delete from story_topics where topic_id = $1", (self._one(TOPICS),)

    def _locate(self) -> Statement:
        return (
            (
                "insert into story_places (story_id, place_id, position) values ($1, $2, 1)"
                " on conflict (story_id, place_id) do update set position = 2"
            ),
            (self._one(STORIES), self._one(PLACES)),
        )

    def _reword_story(self) -> Statement:
        return "update stories set title = $1 where id = $2", (str(self._random.random()), self._one(STORIES))

    def _one(self, among: range) -> int:
        return self._random.choice(among)


async def write(dsn: str, seed: int, transactions: int) -> int:
    """Writes transactions of one to four statements; how many of them a deadlock undid."""
    writer, undone = Writer(seed), 0
    conn = await asyncpg.connect(dsn, server_settings={"deadlock_timeout": "20ms"})
    try:
        for number in range(transactions):
            try:
                async with conn.transaction():
                    for _ in range(1 + number % 4):
                        statement, values = writer.statement()
                        await conn.execute(statement, *values)
            except asyncpg.DeadlockDetectedError:
                undone += 1
    finally:
        await conn.close()
    return undone
