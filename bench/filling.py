"""Fills a database with a corpus the fast way: COPY the model without its indexes, let the upkeep of the schema itself
compute the figures in big pieces, and make the indexes last. Kept between runs under a name that tells what it holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from bench.corpus import Corpus
from service.db.migrations import FOLDER, migrate

BATCH = 2_000
"""Stories whose figures are computed in one transaction."""
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "synchronous_commit": "off",
    "maintenance_work_mem": "1GB",
    "work_mem": "256MB",
    "max_parallel_maintenance_workers": "1",
}
# Upkeep by triggers would go story by story; foreign keys hold by construction.
QUIET = {**SESSION, "session_replication_role": "replica"}


async def filled_database(server_dsn: str, stories: int, tell: Callable[[str], None]) -> str:
    """The DSN of a database with the corpus of that many stories, found or made."""
    name = f"parallax_bench_{_fingerprint(stories)}"
    dsn = urlsplit(server_dsn)._replace(path=f"/{name}").geturl()
    async with _connected(server_dsn, SESSION) as conn:
        if await conn.fetchval("select true from pg_database where datname = $1", name):
            return dsn
        making = f"{name}_making"
        await conn.execute(f"drop database if exists {making} with (force)")
        await conn.execute(f"create database {making}")
        making_dsn = urlsplit(server_dsn)._replace(path=f"/{making}").geturl()
        await migrate(making_dsn)
        await fill(making_dsn, stories, tell)
        await conn.execute(f"alter database {making} rename to {name}")
    return dsn


async def fill(dsn: str, stories: int, tell: Callable[[str], None]) -> None:
    """Fills a migrated, empty database."""
    started = time.monotonic()

    def told(what: str) -> None:
        tell(f"{time.monotonic() - started:6.1f} s  {what}")

    corpus = Corpus(stories)
    told(f"{corpus.article_count:,} articles of {stories:,} stories are thought out")
    async with _connected(dsn, SESSION) as conn, _connected(dsn, QUIET) as quiet:
        await _copy_references(conn, corpus)
        await _copy_stories(quiet, corpus)
        told("stories copied")
        of_articles = await _drop_indexes(conn, "articles")
        of_facets = await _drop_indexes(conn, "story_facets")
        await _copy_articles(quiet, corpus)
        told("articles copied")
        await conn.execute(of_articles.pop("articles_report"))
        await conn.execute("vacuum (analyze) articles")
        await conn.execute("analyze")
        await asyncio.gather(_create_indexes(dsn, of_articles), _compute(quiet, stories))
        told("articles indexed, figures computed")
        await _create_indexes(dsn, of_facets)
        await quiet.execute("update stories set updated_at = last_published_at + interval '2 minutes'")
        await conn.execute("vacuum (full) stories")
        await conn.execute("vacuum (analyze)")
        told("facets indexed, vacuumed and analyzed")


def _fingerprint(stories: int) -> str:
    """What makes two databases differ: the corpus, how it is put in, and the schema."""
    here = Path(__file__).parent
    sources = [*(here / name for name in ("corpus.py", "wording.py", "filling.py")), *sorted(FOLDER.glob("sql/*.sql"))]
    read = b"".join(path.read_bytes() for path in sources)
    return hashlib.sha256(read + str(stories).encode()).hexdigest()[:12]


@asynccontextmanager
async def _connected(dsn: str, settings: dict[str, str]) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    conn = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield conn
    finally:
        await conn.close()


async def _copy(conn: asyncpg.Connection[asyncpg.Record], table: str, columns: str, records: Any) -> None:
    await conn.copy_records_to_table(table, columns=columns.split(), records=records)


# The model --------------------------------------------------------------------------------------------


async def _copy_references(conn: asyncpg.Connection[asyncpg.Record], corpus: Corpus) -> None:
    """What stories refer to, with its upkeep: it is little."""
    topics = {topic.slug: number for number, topic in enumerate(corpus.topics, 1)}
    places = {place.slug: number for number, place in enumerate(corpus.places, 1)}
    numbered = list(enumerate(corpus.outlets, 1))
    await _copy(
        conn, "topics", "id slug name parent_id",
        [(n, t.slug, t.slug.capitalize(), topics.get(t.parent or "")) for n, t in enumerate(corpus.topics, 1)],
    )  # fmt: skip
    await _copy(
        conn, "places", "id slug name country",
        [(n, p.slug, p.slug.capitalize(), p.country) for n, p in enumerate(corpus.places, 1)],
    )  # fmt: skip
    await _copy(
        conn, "outlets", "id domain slug name homepage_url country place_id language medium",
        [
            (n, o.domain, o.domain.replace(".", "-"), o.name, f"https://{o.domain}/", o.country,
             places.get(o.place or ""), o.language, o.medium)
            for n, o in numbered
        ],
    )  # fmt: skip
    owners = [(n, place, *owner) for n, o in numbered for place, owner in enumerate(o.owners)]
    await _copy(conn, "owners", "outlet_id position name category", owners)
    ratings = [(n, r.agency, r.bias, r.factuality, r.rated_at) for n, o in numbered for r in o.ratings]
    await _copy(conn, "ratings", "outlet_id agency bias factuality rated_at", ratings)


async def _copy_stories(conn: asyncpg.Connection[asyncpg.Record], corpus: Corpus) -> None:
    topics = {topic.slug: number for number, topic in enumerate(corpus.topics, 1)}
    places = {place.slug: number for number, place in enumerate(corpus.places, 1)}
    numbered = list(enumerate(corpus.stories, 1))
    await _copy(
        conn, "stories", "id key slug title summary key_points image_url",
        ((n, s.key, f"{s.title.lower().replace(' ', '-')[:80]}-{n}", s.title, s.summary, s.key_points, s.image_url)
         for n, s in numbered),
    )  # fmt: skip
    of_topics = [(n, topics[slug], place) for n, s in numbered for place, slug in enumerate(s.topics)]
    await _copy(conn, "story_topics", "story_id topic_id position", of_topics)
    of_places = [(n, places[slug], place) for n, s in numbered for place, slug in enumerate(s.places)]
    await _copy(conn, "story_places", "story_id place_id position", of_places)


async def _copy_articles(conn: asyncpg.Connection[asyncpg.Record], corpus: Corpus) -> None:
    columns = (
        "id outlet_id story_id published_at updated_at kind paywalled language url title excerpt authors image_url"
    )
    delay = timedelta(minutes=2)

    def rows() -> Iterator[tuple[object, ...]]:
        for number, a in enumerate(corpus.articles(), 1):
            yield (number, a.outlet + 1, a.story + 1, a.published_at, a.published_at + delay, *a[3:])

    await _copy(conn, "articles", columns, rows())


# What follows from it ---------------------------------------------------------------------------------


COVERAGE = """
    select count_coverage(array_agg(e.change))
    from (
        select (story_id, published_at, 1, 0, outlet_id, null, null, null)::coverage_change as change
        from articles where story_id >= $1 and story_id < $2
        union all
        select (r.story_id, r.first_published_at, 0, 1, r.outlet_id, o.bias, o.factuality, o.ownership)::coverage_change
        from reports r join outlets o on o.id = r.outlet_id where r.story_id >= $1 and r.story_id < $2
    ) e
"""


async def _compute(conn: asyncpg.Connection[asyncpg.Record], stories: int) -> None:
    for begin in range(1, stories + 1, BATCH):
        await conn.execute(
            "select refresh_reports(array_agg(story_id), array_agg(outlet_id))"
            " from articles where story_id >= $1 and story_id < $2",
            begin,
            begin + BATCH,
        )
        await conn.execute(COVERAGE, begin, begin + BATCH)
        # The next pieces are planned by what the tables hold by now.
        if (begin // BATCH).bit_count() <= 1:
            await conn.execute("analyze reports, story_facets")
    await conn.execute(
        """
        select count_articles(array_agg(outlet_id), array_agg(published_at), array_agg(1)) from articles;
        select count_reports(array_agg(outlet_id), array_agg(first_published_at), array_agg(1)) from reports;
        select count_begun(array_agg(t.topic_id), array_agg(utc_day(s.first_published_at)), array_agg(1))
        from story_topics t join stories s on s.id = t.story_id;
        update topics set story_count = (select count(*) from story_facets where facet = 'TOPIC' and value = topics.id);
        update places set story_count = (select count(*) from story_facets where facet = 'PLACE' and value = places.id);
        """
    )
    # A stream that comes in the order of time leaves the rows of a day together.
    await conn.execute("cluster outlet_days using outlet_days_day")
    await conn.execute("cluster coverage_days using coverage_days_pkey")
    await conn.execute("cluster coverage_hours using coverage_hours_pkey")
    await conn.execute("cluster coverage_outlets using coverage_outlets_pkey")


async def _drop_indexes(conn: asyncpg.Connection[asyncpg.Record], table: str) -> dict[str, str]:
    """Drops all but the primary key; the statements that make them again, by name."""
    found = await conn.fetch(
        "select indexname, indexdef from pg_indexes where tablename = $1 and indexname <> $1 || '_pkey'", table
    )
    for index in found:
        await conn.execute(f"drop index {index['indexname']}")
    return {index["indexname"]: index["indexdef"] for index in found}


async def _create_indexes(dsn: str, statements: dict[str, str]) -> None:
    async with _connected(dsn, SESSION) as conn:
        for name, statement in statements.items():
            await conn.execute(statement)
            if name.endswith("_search"):
                # As the migration has it; it goes with the index.
                await conn.execute(f"alter index {name} alter column 1 set statistics 1000")
