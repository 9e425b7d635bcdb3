"""How long Postgres takes for coverage over 30 days of the corpus: by what is chosen and by what is asked of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import click

import schema
from bench.corpus import END
from bench.filling import filled_database
from service.db.pool import Database
from service.planner import Allowed, Limits, Planner, WindowLimits
from service.settings import Settings

STORIES = 100_000
WHOLE = (END - timedelta(days=47), END - timedelta(days=17))
ODD = tuple(moment + timedelta(hours=5, minutes=17) for moment in WHOLE)
"""Amid the corpus, so that stories lie across both edges."""
FEATURES = frozenset({"FACTUALITY", "OWNERSHIP", "HISTORY"})

_SHARES = "left { count } center { count } right { count } ratedCount unratedCount mean points { share { percent } }"
ASKED = {
    "counts": "storyCount articleCount reportCount outletCount",
    "distributions": f"bias {{ {_SHARES} }}"
    " factuality { ... on FactualityDistribution { levels { share { percent } } } }"
    " ownership { ... on OwnershipDistribution { categories { share { percent } } } }",
    "blindspots": "blindspots { left right }",
    "by day": "timeline(interval: DAY) { start articleCount reportCount left center right unrated }",
    "by hour": "timeline(interval: HOUR) { start articleCount reportCount left center right unrated }",
    "top outlets": "topOutlets { outlet { domain } reportCount articleCount }",
    "top topics": "topTopics { topic { slug } storyCount }",
}
ASKED["all"] = " ".join(figures for name, figures in ASKED.items() if name != "by hour")
ACTIVITY = (
    "articleCount storyCount firstReportCount blindspotCount timeline { start reportCount } topTopics { storyCount }"
)

TOPICS = "select slug from topics order by story_count desc"
PLACES = "select slug from places order by story_count desc"
OUTLETS = "select domain from outlets order by article_count desc limit 10"
COUNTRIES = (
    "select country from outlets where country is not null group by country order by sum(article_count) desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One operation, whose window is its only variable."""

    chosen: str
    asked: str
    operation: str


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stories", default=STORIES, show_default=True, help="Stories of the corpus.")
@click.option("--rounds", default=4, show_default=True, help="How often each is asked; the least counts.")
@click.option("--database", required=True, help="A Postgres that keeps the corpus, or where to make it.")
def main(stories: int, rounds: int, database: str) -> None:
    """Measure windows, of whole days and of odd hours at both ends."""
    asyncio.run(_measure(database, stories, rounds))


async def _measure(server: str, stories: int, rounds: int) -> None:
    dsn = await filled_database(server, stories, lambda what: print(what, file=sys.stderr, flush=True))
    planner = Planner(schema.schema, Limits(windows=WindowLimits(open_days=36_500)))
    settings = Settings.model_validate({"database_url": dsn, "operation_timeout": 60})
    print(f"| chosen | {' | '.join(ASKED)} |\n|{' --- |' * (len(ASKED) + 1)}", end="")
    async with Database(dsn, settings) as database:
        chosen = ""
        for question in await _questions(dsn):
            document = planner.document(question.operation)
            taken = [
                await _least(database, planner.plan(document.operation(), _window(window), Allowed(FEATURES)), rounds)
                for window in (WHOLE, ODD)
            ]
            if question.chosen != chosen:
                chosen = question.chosen
                print(f"\n| {chosen} |", end="")
            print(f" {' / '.join(f'{seconds * 1_000:.0f}' for seconds in taken)} |", end="", flush=True)
    print()


def _window(ends: tuple[Any, ...]) -> Mapping[str, Any]:
    return {"window": {"after": ends[0].isoformat(), "before": ends[1].isoformat()}}


async def _least(database: Database, call: Any, rounds: int) -> float:
    """Seconds of one client in turn, the least of some. The first one of all warms up, and is not counted."""
    taken: list[float] = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        await database.fetch_row(call.statement, call.parameters, selective=call.selective)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


async def _questions(dsn: str) -> list[Question]:
    conn = await asyncpg.connect(dsn)
    try:
        topics, places, outlets, countries = [
            [row[0] for row in await conn.fetch(query)] for query in (TOPICS, PLACES, OUTLETS, COUNTRIES)
        ]
    finally:
        await conn.close()
    filters = {
        "everything": "",
        "a topic of middling size": f'topics: ["{topics[len(topics) // 2]}"]',
        "the second topic": f'topics: ["{topics[1]}"]',
        "the largest topic": f'topics: ["{topics[0]}"]',
        "the largest outlet": f'outlets: ["{outlets[0]}"]',
        "the country with the most articles": f"countries: [{countries[0]}]",
        "the largest place": f'places: ["{places[0]}"]',
        "the largest topic in that country": f'topics: ["{topics[0]}"], countries: [{countries[0]}]',
        "the ten largest topics": f"topics: [{_strings(topics[:10])}]",
    }
    head = "query($window: Window!) {"
    made = [
        Question(chosen, asked, f"{head} coverage(filter: {{{given} published: $window}}) {{ {figures} }} }}")
        for chosen, given in filters.items()
        for asked, figures in ASKED.items()
    ]
    activity = f'{head} outlet(by: {{domain: "{outlets[0]}"}}) {{ activity(published: $window) {{ {ACTIVITY} }} }} }}'
    overlaps = f"{head} compareOutlets(domains: [{_strings(outlets)}], published: $window) {{ bothCount jaccard }} }}"
    return [
        *made,
        Question("`activity` of the largest outlet", "all", activity),
        Question("`compareOutlets` of the ten largest", "all", overlaps),
    ]


def _strings(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


if __name__ == "__main__":
    main()
