"""Reads files into the session's own tables: every line that is right in itself, as it came."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files as package_files

import asyncpg

from service.db.queries import named_statements
from service.load.files import File, FileBroken, split_lines
from service.load.lines import LineError, read_line
from service.load.tally import Tally

CHUNK_LINES = 10_000
CHUNK_BYTES = 8 * 1024 * 1024
"""What is held in memory at a time: one chunk on its way to the database, and the next one while it is read."""

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

Row = tuple[int, str, str]


@dataclass(slots=True)
class _Chunk:
    """Lines that were read at one go: what is right, by type, and what is wrong."""

    lines: int = 0
    bytes: int = 0
    begins: str | None = None
    rows: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    errors: list[tuple[int, LineError]] = field(default_factory=list[tuple[int, LineError]])

    @property
    def is_full(self) -> bool:
        return self.lines >= CHUNK_LINES or self.bytes >= CHUNK_BYTES


async def stage(conn: asyncpg.Connection[asyncpg.Record], files: Sequence[File], tally: Tally) -> None:
    """Makes the tables and fills them. Raises LoadRefused at the first wrong line of a strict load."""
    await conn.execute(STATEMENTS["create_tables"])
    chunks = _chunks(files)
    reading = asyncio.create_task(asyncio.to_thread(next, chunks, None))
    try:
        while chunk := await reading:
            # The next chunk is read while this one is on its way.
            reading = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            _count(chunk, tally)
            for kind, rows in chunk.rows.items():
                await conn.copy_records_to_table(TABLES[kind], records=rows, columns=COLUMNS)
            tally.tell_progress()
    finally:
        # Nobody may close a file while it is read.
        await asyncio.gather(reading, return_exceptions=True)
    await conn.execute(STATEMENTS["analyze_tables"])


def _count(chunk: _Chunk, tally: Tally) -> None:
    if chunk.begins is not None:
        tally.begin_file(chunk.begins)
    tally.lines += chunk.lines
    for kind, rows in chunk.rows.items():
        tally.accept(kind, len(rows))
    for line, error in chunk.errors:
        tally.refuse(line, error.field, error.reason, error.type)


def _chunks(files: Sequence[File]) -> Iterator[_Chunk]:
    number = 0
    for file in files:
        chunk = _Chunk(begins=file.name)
        lines = split_lines(file)
        while True:
            number = _fill(chunk, lines, number)
            yield chunk
            if not chunk.is_full:
                break
            chunk = _Chunk()


def _fill(chunk: _Chunk, lines: Iterator[bytes], number: int) -> int:
    """Reads lines until the chunk is full or the file ends; the number of the last one. Blank lines only count."""
    now = datetime.now(UTC)
    while not chunk.is_full:
        try:
            text = next(lines, None)
        except FileBroken as error:
            chunk.errors.append((number + 1, LineError(f"the file cannot be read any further: {error}")))
            break
        if text is None:
            break
        number += 1
        chunk.lines += 1
        chunk.bytes += len(text)
        if not text or text.isspace():
            continue
        try:
            line = read_line(text, now)
        except LineError as error:
            chunk.errors.append((number, error))
        else:
            chunk.rows[line.type].append((number, line.key, line.fields))
    return number
