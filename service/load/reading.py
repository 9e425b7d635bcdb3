"""Reads files in chunks: the lines that are right in themselves, by type, and those that are wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from service.events import Observer, ignore
from service.load.events import Summary
from service.load.files import File, FileBroken, Source, open_files, part_read, split_lines
from service.load.lines import MAX_LINE, LineError, read_line
from service.load.tally import Tally

CHUNK_LINES = 10_000
CHUNK_BYTES = 8 * 1024 * 1024
"""What is held in memory at a time: one chunk on its way to the database, and the next one while it is read."""
SHOWN = 200
"""Characters of a wrong line that are kept to be shown."""
BEFORE = 40
"""So many of them before the place where it is wrong."""

NAME = re.compile(r"[A-Za-z]\w*")
"""The names in the path to a field, as in `ratings[0].bias`."""

Row = tuple[int, str, str]
"""A line's number, its key and its fields."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong line by its number, with what of it is worth seeing, and the place in that where it goes wrong."""

    number: int
    error: LineError
    text: str = ""
    at: int | None = None


@dataclass(slots=True)
class Chunk:
    """Lines that were read at one go: what is right, by type, and what is wrong."""

    lines: int = 0
    bytes: int = 0
    begins: str | None = None
    rows: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[Wrong] = field(default_factory=list[Wrong])

    @property
    def is_full(self) -> bool:
        return self.lines >= CHUNK_LINES or self.bytes >= CHUNK_BYTES


def check(files: Sequence[Source], observer: Observer = ignore) -> Summary:
    """Whether the lines of files are right in themselves; those that are count as unchanged. Raises Unreadable.

    What only a database tells is not looked at: whether an article's story is there, or what a merge names.
    """
    tally = Tally(observer, strict=False)
    with open_files(files) as opened:
        for chunk in chunks(opened):
            count(chunk, tally)
            tally.tell_progress(part_read(opened))
    return tally.summary(completed=True)


def count(chunk: Chunk, tally: Tally) -> None:
    """Enters a chunk in the books. Raises LoadRefused at the first wrong line of a strict load."""
    if chunk.begins is not None:
        tally.begin_file(chunk.begins)
    tally.lines += chunk.lines
    for kind, rows in chunk.rows.items():
        tally.accept(kind, len(rows))
    for line in chunk.wrong:
        tally.refuse(line.number, line.error.field, line.error.reason, line.error.type, text=line.text, at=line.at)


def chunks(files: Sequence[File]) -> Iterator[Chunk]:
    """All lines of the files, numbered through from 1."""
    number = 0
    for file in files:
        chunk = Chunk(begins=file.name)
        lines = split_lines(file)
        while True:
            number = _fill(chunk, lines, number)
            yield chunk
            if not chunk.is_full:
                break
            chunk = Chunk()


def _fill(chunk: Chunk, lines: Iterator[bytes], number: int) -> int:
    """Reads lines until the chunk is full or the file ends; the number of the last one. Blank lines only count."""
    now = datetime.now(UTC)
    while not chunk.is_full:
        try:
            text = next(lines, None)
        except FileBroken as error:
            chunk.wrong.append(Wrong(number + 1, LineError(f"the file cannot be read any further: {error}")))
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
            chunk.wrong.append(Wrong(number, error, *_excerpt(text, error)))
        else:
            chunk.rows[line.type].append((number, line.key, line.fields))
    return number


def _excerpt(line: bytes, error: LineError) -> tuple[str, int | None]:
    """What is to be seen of a wrong line: where it goes wrong, where the field is named, else its beginning."""
    text = line[:MAX_LINE].decode(errors="replace")
    named = NAME.findall(error.field or "")
    place = error.at if error.at is not None else text.find(f'"{named[-1]}"') if named else 0
    start = max(place - BEFORE, 0) if place > 2 * BEFORE else 0
    cut = "…" if start else ""
    return cut + text[start : start + SHOWN], None if error.at is None else error.at - start + len(cut)
