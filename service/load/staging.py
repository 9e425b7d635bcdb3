"""Reads files into the session's own tables: every line that is right in itself, as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files as package_files

import asyncpg

from service.db.queries import named_statements
from service.load.files import File, part_read
from service.load.reading import chunks, count
from service.load.tally import Tally

TABLES = {
    "topic": "staged_topics",
    "place": "staged_places",
    "outlet": "staged_outlets",
    "story": "staged_stories",
    "article": "staged_articles",
    "merge": "staged_fates",
    "remove": "staged_fates",
}
COLUMNS = ("line", "key", "fields")
STATEMENTS = named_statements((package_files("service.load") / "staging.sql").read_text(encoding="utf-8"))


async def stage(conn: asyncpg.Connection[asyncpg.Record], files: Sequence[File], tally: Tally) -> None:
    """Makes the tables and fills them. Raises LoadRefused at the first wrong line of a strict load."""
    await conn.execute(STATEMENTS["create_tables"])
    read = chunks(files)
    reading = asyncio.create_task(asyncio.to_thread(next, read, None))
    try:
        while chunk := await reading:
            # The next chunk is read while this one is on its way.
            reading = asyncio.create_task(asyncio.to_thread(next, read, None))
            count(chunk, tally)
            for kind, rows in chunk.rows.items():
                await conn.copy_records_to_table(TABLES[kind], records=rows, columns=COLUMNS)
            tally.tell_progress(part_read(files))
    finally:
        # Nobody may close a file while it is read.
        await asyncio.gather(reading, return_exceptions=True)
    await conn.execute(STATEMENTS["analyze_tables"])
