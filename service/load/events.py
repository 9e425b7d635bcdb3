"""What happens in a load and is worth telling, and what it comes to in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from service.events import Event, Level


@dataclass(frozen=True, slots=True)
class LinesRead(Event):
    """So many lines have been read so far, and so many of them refused.

    `part` of all there is to read, 0 to 1; None where nobody knows how much that is.
    """

    lines: int
    refused: int
    part: float | None = None


@dataclass(frozen=True, slots=True)
class ReadingEnded(Event):
    """There are no more lines; next comes what they come to together."""

    lines: int


@dataclass(frozen=True, slots=True)
class LineRefused(Event):
    """A line is wrong and changes nothing. `line` is its number in the file, from 1.

    `text` is what of it is worth seeing; `at`, the place in that where it goes wrong, from 0, as far as it is known.
    """

    level: ClassVar[Level] = "warning"
    file: str
    line: int
    field: str | None
    reason: str
    text: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class WritingBegan(Event):
    """What the lines come to is known: so many things to write."""

    total: int


@dataclass(frozen=True, slots=True)
class BatchWritten(Event):
    """A batch is in the database: `done` of `total` things to write."""

    done: int
    total: int


@dataclass(slots=True)
class Counts:
    """What became of lines. Of several lines of one key the last says what became of it, the others are unchanged."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a load came to: counts by type of line (`unknown` where a line has none), and its first errors."""

    counts: Mapping[str, Counts]
    errors: tuple[LineRefused, ...]
    lines: int
    seconds: float
    completed: bool
    """False where --strict refused the load."""

    @property
    def created(self) -> int:
        return sum(counts.created for counts in self.counts.values())

    @property
    def updated(self) -> int:
        return sum(counts.updated for counts in self.counts.values())

    @property
    def unchanged(self) -> int:
        return sum(counts.unchanged for counts in self.counts.values())

    @property
    def refused(self) -> int:
        return sum(counts.refused for counts in self.counts.values())

    @property
    def exit_code(self) -> int:
        """0 where no line was refused, 1 where some were, 2 where nothing could be loaded."""
        if not self.refused:
            return 0
        return 1 if self.completed and self.created + self.updated + self.unchanged else 2
