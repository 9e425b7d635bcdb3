"""Measures the load of a stream, beside a bare COPY of the same rows into the same indexed tables."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import orjson

from bench.corpus import Corpus
from bench.driving import Unusable
from bench.stream import lines
from service.db.migrations import migrate
from service.load import load

MODEL = ("topics", "places", "outlets", "owners", "ratings", "stories", "story_topics", "story_places", "articles")
"""The tables that a stream speaks of, what others refer to first."""
FIGURES = (
    *("topic_ancestors", "reports", "outlet_days", "coverage_days", "coverage_hours", "coverage_outlets"),
    *("story_facets", "changes"),
)
"""What a load writes besides."""
COLUMNS = """
    select attname from pg_attribute
    where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity <> 'a'
    order by attnum
"""


@dataclass(frozen=True, slots=True)
class Loading:
    """Articles a second: loaded, and copied without and with the rows that a load computes."""

    articles: int
    loaded: float
    copied: float
    copied_with_figures: float

    @property
    def ratio(self) -> float:
        """The load's rate for one of the COPY of the stream's own rows."""
        return self.loaded / self.copied


async def measure_loading(server_dsn: str, stories: int) -> Loading:
    """Loads a corpus of that many stories into an empty database, and copies what is there then into another."""
    corpus = Corpus(stories)
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder, "stream.ndjson")
        with stream.open("wb") as file:
            file.writelines(orjson.dumps(line) + b"\n" for line in lines(corpus))
        async with empty_database(server_dsn) as loaded:
            began = time.perf_counter()
            summary = await load(loaded, [stream])
            seconds = time.perf_counter() - began
            if summary.refused:
                raise Unusable(f"the load refused {summary.refused} lines of the benchmark's own stream")
            copied = await _copy(server_dsn, loaded, MODEL)
            with_figures = copied + await _copy(server_dsn, loaded, FIGURES)
    n = corpus.article_count
    return Loading(n, n / seconds, n / copied, n / with_figures)


async def _copy(server_dsn: str, source: str, tables: Iterable[str]) -> float:
    """Seconds that Postgres takes to COPY the rows of the tables into empty ones with all their indexes."""
    quiet = {"session_replication_role": "replica"}
    async with empty_database(server_dsn) as target, _connected(source) as reader, _connected(target, quiet) as writer:
        seconds = 0.0
        for table in tables:
            columns = [row["attname"] for row in await reader.fetch(COLUMNS, table)]
            rows = io.BytesIO()
            await reader.copy_from_table(table, columns=columns, output=rows, format="binary")
            rows.seek(0)
            began = time.perf_counter()
            await writer.copy_to_table(table, columns=columns, source=rows, format="binary")
            seconds += time.perf_counter() - began
        return seconds


@asynccontextmanager
async def empty_database(server_dsn: str) -> AsyncGenerator[str]:
    """The DSN of a migrated database without news, for as long as it is needed."""
    name = f"parallax_bench_{uuid4().hex[:12]}"
    async with _connected(server_dsn) as conn:
        await conn.execute(f"create database {name}")
    dsn = urlsplit(server_dsn)._replace(path=f"/{name}").geturl()
    try:
        await migrate(dsn)
        yield dsn
    finally:
        # By a connection of its own: the server may have been started again meanwhile.
        async with _connected(server_dsn) as conn:
            await conn.execute(f"drop database {name} with (force)")


@asynccontextmanager
async def _connected(
    dsn: str, settings: dict[str, str] | None = None
) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    conn = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield conn
    finally:
        await conn.close()
