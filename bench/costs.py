"""Whether cost is in proportion to time: operations of all kinds, one client in turn, beside what they cost."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import click

import schema
from bench.corpus import END
from bench.filling import filled_database
from bench.queries import QUERIES
from bench.windows import FEATURES, STORIES
from service.db.pool import Database
from service.documents.routes import heading_of
from service.planner import Allowed, Call, Limits, Planner, WindowLimits
from service.settings import Settings

REGISTERED = Path(schema.__file__).parent / "operations"

WINDOW = f'{{after: "{(END - timedelta(days=47)).isoformat()}", before: "{(END - timedelta(days=17)).isoformat()}"}}'
"""30 days amid the corpus."""

COUNTS = "storyCount articleCount reportCount outletCount"
COVERAGE = f"coverage(published: {WINDOW})"
OUTLET = "outlet(by: {domain: $outlet})"
STORY = "story(by: {slug: $slug})"
TOPIC = "topic(by: {slug: $topic})"
OPERATIONS: Mapping[str, str] = {
    "100 stories": "{ stories(first: 100) { nodes { id slug title lastPublishedAt } } }",
    "100 stories with topics and places": (
        "{ stories(first: 100) { nodes { title topics { name } places { name } } } }"
    ),
    "100 stories with countries and languages": (
        "{ stories(first: 100) { nodes { coverage { countries { country count } languages { language count } } } } }"
    ),
    "100 stories with the seven points": (
        "{ stories(first: 100) { nodes { coverage { bias { points { bias share { percent } } mean } } } } }"
    ),
    "100 stories with the percents of the sides": (
        "{ stories(first: 100) { nodes { coverage { bias { left { percent } center { percent } right { percent }"
        " } } } } }"
    ),
    "100 stories with all three distributions": (
        "{ stories(first: 100) { nodes { coverage { bias { points { share { percent } } }"
        " factuality { ... on FactualityDistribution { levels { share { percent } } } }"
        " ownership { ... on OwnershipDistribution { categories { share { percent } } } } } } } }"
    ),
    "100 articles with outlet": "{ articles(first: 100) { nodes { title url outlet { name bias } } } }",
    "100 articles with outlet and story": (
        "{ articles(first: 100) { nodes { title outlet { name } story { title } } } }"
    ),
    "100 outlets with ratings and owners": (
        "{ outlets(first: 100) { nodes { name ratings { agency bias } ownership"
        " { ... on Ownership { owners { name } } } } } }"
    ),
    "50 stories with the timelines": "{ stories(first: 50) { nodes { timeline { start articleCount } } } }",
    "20 stories with 20 reports": "{ stories { nodes { reports { nodes { articleCount outlet { name } } } } } }",
    "100 ids of stories": "{ stories(first: 100) { nodes { id } } }",
    "a count of all stories": "{ stories(first: 0) { totalCount { value } } }",
    "a count of all articles": "{ articles(first: 0) { totalCount { value } } }",
    "a count of a topic's stories": (
        f"query($topic: String!) {{ {TOPIC} {{ stories(first: 0) {{ totalCount {{ value }} }} }} }}"
    ),
    "20 stories with counts of their articles": (
        "{ stories { nodes { articles(first: 0) { totalCount { value } } } } }"
    ),
    "a story's related": f"query($slug: String!) {{ {STORY} {{ related {{ title }} }} }}",
    "20 stories' related": "{ stories { nodes { related { title } } } }",
    "stories by a common word": '{ stories(filter: {search: "the"}) { nodes { title } } }',
    "stories by a word": "query($word: String!) { stories(filter: {search: $word}) { nodes { title } } }",
    "stories by relevance": (
        "query($word: String!) { stories(filter: {search: $word}, sort: RELEVANCE) { nodes { title } } }"
    ),
    "stories by relevance of a common word": (
        '{ stories(filter: {search: "the"}, sort: RELEVANCE) { nodes { title } } }'
    ),
    "stories by a word, counted": (
        "query($word: String!) { stories(first: 0, filter: {search: $word}) { totalCount { value } } }"
    ),
    "articles by a word": "query($word: String!) { articles(filter: {search: $word}) { nodes { title } } }",
    "articles by a common word": '{ articles(filter: {search: "the"}) { nodes { title } } }',
    "a topic's stories": f"query($topic: String!) {{ {TOPIC} {{ stories(first: 100) {{ nodes {{ title }} }} }} }}",
    "stories that changed of late": (
        f'{{ stories(first: 100, filter: {{updated: {{after: "{(END - timedelta(days=1)).isoformat()}"}}}})'
        " { nodes { title } } }"
    ),
    "an outlet's articles": (
        f"query($outlet: String!) {{ {OUTLET} {{ articles(first: 100) {{ nodes {{ title }} }} }} }}"
    ),
    "an outlet's stories": f"query($outlet: String!) {{ {OUTLET} {{ stories(first: 100) {{ nodes {{ title }} }} }} }}",
    "window: counts of everything": f"{{ coverage(filter: {{published: {WINDOW}}}) {{ {COUNTS} }} }}",
    "window: days of everything": (
        f"{{ coverage(filter: {{published: {WINDOW}}}) {{ timeline {{ start reportCount }} }} }}"
    ),
    "window: top outlets of everything": (
        f"{{ coverage(filter: {{published: {WINDOW}}}) {{ topOutlets {{ outlet {{ name }} reportCount }} }} }}"
    ),
    "window: top topics of everything": (
        f"{{ coverage(filter: {{published: {WINDOW}}}) {{ topTopics {{ topic {{ name }} storyCount }} }} }}"
    ),
    "window: counts of a topic": f"query($topic: String!) {{ {TOPIC} {{ {COVERAGE} {{ {COUNTS} }} }} }}",
    "window: all of a topic": (
        f"query($topic: String!) {{ {TOPIC} {{ {COVERAGE} {{ {COUNTS} bias {{ mean }} blindspots {{ left }}"
        " timeline { start } topOutlets { outlet { name } } topTopics { topic { name } } } } }"
    ),
    "window: activity of an outlet": (
        f"query($outlet: String!) {{ {OUTLET} {{ activity(published: {WINDOW}) {{ articleCount storyCount"
        " firstReportCount blindspotCount } } }"
    ),
    "window: all activity of an outlet": (
        f"query($outlet: String!) {{ {OUTLET} {{ activity(published: {WINDOW}) {{ articleCount storyCount"
        " firstReportCount timeline { start } topTopics { storyCount } } } }"
    ),
    "window: 2 outlets compared": (
        f"query($outlets: [String!]!) {{ compareOutlets(domains: $outlets, published: {WINDOW}) {{ jaccard }} }}"
    ),
    "window: 10 outlets compared": (
        f"query($ten: [String!]!) {{ compareOutlets(domains: $ten, published: {WINDOW}) {{ jaccard }} }}"
    ),
    "100 changes": "{ changes { changes { cursor kind story { title } } endCursor } }",
}
VALUES = {
    "slug": "select slug from stories where article_count >= 24 order by md5(slug) limit 1",
    "word": "select (regexp_match(title, '[A-Z][a-z]{5,}'))[1] from stories where title ~ '[A-Z][a-z]{5,}'"
    " order by md5(slug) limit 1",
    "topic": "select slug from topics order by story_count desc offset 20 limit 1",
    "outlet": "select domain from outlets order by article_count desc offset 20 limit 1",
    "outlets": "select array(select domain from outlets order by article_count desc offset 20 limit 2)",
    "domains": "select array(select domain from outlets order by article_count desc offset 20 limit 3)",
    "place": "select slug from places order by story_count desc offset 5 limit 1",
    "since": "select max(published_at) - interval '30 days' from articles",
    "ten": "select array(select domain from outlets order by article_count desc offset 20 limit 10)",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stories", default=STORIES, show_default=True, help="Stories of the corpus.")
@click.option("--rounds", default=8, show_default=True, help="How often each is asked; the least counts.")
@click.option("--database", required=True, help="A Postgres that keeps the corpus, or where to make it.")
def main(stories: int, rounds: int, database: str) -> None:
    """Measure what a unit of cost takes, operation by operation."""
    asyncio.run(_measure(database, stories, rounds))


def _is_measured(name: str, text: str) -> bool:
    """Whether a registered document is a query that selects what no other does: those of REST and feeds select less."""
    beside = heading_of(text).routes or name.startswith(("Export", "Feed", "News"))
    return not beside and "\nsubscription " not in text


async def _measure(server: str, stories: int, rounds: int) -> None:
    dsn = await filled_database(server, stories, lambda what: print(what, file=sys.stderr, flush=True))
    planner = Planner(schema.schema, Limits(windows=WindowLimits(open_days=36_500)))
    settings = Settings.model_validate({"database_url": dsn, "operation_timeout": 60})
    conn = await asyncpg.connect(dsn)
    try:
        values = {name: await conn.fetchval(query) for name, query in VALUES.items()}
        values |= {"search": values["word"], "published": {"after": values.pop("since").isoformat()}}
    finally:
        await conn.close()
    registered = {path.stem: path.read_text(encoding="utf-8") for path in sorted(REGISTERED.glob("*.graphql"))}
    by_graphql = {name: text for name, text in registered.items() if _is_measured(name, text)}
    asked = (
        by_graphql | {f"{query.name.upper()} {query.title}": query.operation for query in QUERIES} | dict(OPERATIONS)
    )
    print("| operation | cost | ms | µs for 1 |\n| --- | --- | --- | --- |")
    async with Database(dsn, settings) as database:
        for name, text in asked.items():
            call, seconds = await _least(planner, database, text, values, rounds)
            print(f"| {name} | {call.cost:,} | {seconds * 1e3:.1f} | {seconds * 1e6 / call.cost:,.0f} |", flush=True)


async def _least(
    planner: Planner, database: Database, text: str, values: Mapping[str, Any], rounds: int
) -> tuple[Call, float]:
    """Seconds from the plan at hand to finished JSON. The first round warms up, and is not counted."""
    operation = planner.document(text).operation()
    call = planner.plan(operation, values, Allowed(FEATURES))
    taken: list[float] = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        call = planner.plan(operation, values, Allowed(FEATURES))
        record: Any = await database.fetch_row(call.statement or "", call.parameters, selective=call.selective)
        call.assemble(record, None)
        taken.append(time.perf_counter() - began)
    return call, min(taken[1:])


if __name__ == "__main__":
    main()
