"""Tells a person how a load goes on: a bar where one watches, plain lines elsewhere, the outcome at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.events import Event
from service.load import BatchWritten, LineRefused, LinesRead, ReadingEnded, Summary, WritingBegan

SECONDS_BETWEEN_LINES = 10
SECONDS_BEFORE_GUESSING = 2
"""Before that nothing is said of how long the rest will take."""
MOST_SHOWN = 110
"""Characters of a wrong line that are shown under what is wrong with it."""
MOST_ERRORS = 20
"""So many errors are named again in the outcome; each was told when it was found."""


def plain_console(*, stderr: bool = False) -> Console:
    """A console that shows text as it is: rich would take the 100 in `file:100: wrong` for the name of an emoji."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


class LoadProgress:
    """An observer of a load that writes to standard error; a context, since a bar has to be taken down."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or plain_console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[percent]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("reading", total=None, percent="")
        self._began = self._told = time.monotonic()
        self._refused = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Observe an event of the load."""
        match event:
            case LineRefused():
                self._refused += 1
                shown = (f"    {line}" for line in _shown(event.text, event.at))
                self._console.print("\n".join([error_line(event), *shown]))
            case LinesRead(lines, _, part):
                self._tell(f"read {lines:,} lines", lines, part)
            case ReadingEnded(lines):
                # How long that takes depends on what is stored, and only the database knows how far it is.
                self._tell(f"read {lines:,} lines, putting them together", 0, None)
            case WritingBegan(total):
                self._began = time.monotonic()
                self._tell(f"written 0 of {total:,}", 0, 0.0 if total else None)
            case BatchWritten(done, total):
                self._tell(f"written {done:,} of {total:,}", done, done / total)
            case _:
                pass

    def _tell(self, what: str, done: int, part: float | None) -> None:
        """Tells how far this part of the load is: what has been done, how fast, and how long the rest will take."""
        now = time.monotonic()
        passed = now - self._began
        told = [what]
        if done and passed > 0:
            told.append(f"{done / passed:,.0f}/s")
        if self._refused:
            told.append(f"{self._refused:,} refused")
        if part and part < 1 and passed >= SECONDS_BEFORE_GUESSING:
            told.append(f"{_span(passed / part - passed)} left")
        percent = "" if part is None else f"{part:.0%}"
        (task,) = self._bar.tasks
        # What comes next has an end of its own, or none that is known: `update` would take back neither.
        task.total, task.finished_time = (None if part is None else 1), None
        self._bar.update(self._task, description=", ".join(told), completed=part or 0, percent=percent)
        if not self._console.is_terminal and now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            self._console.print(", ".join([*told, percent] if percent else told))


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def error_line(error: LineRefused) -> str:
    """A refused line in a line: where it is, and what is wrong with it.

    Names of fields and files come from others: what steers a terminal or cannot be written shows escaped.
    """
    field = f"{error.field}: " if error.field else ""
    return _printable(f"{error.file}:{error.line}: {field}{error.reason}")


def _shown(text: str, at: int | None) -> Iterator[str]:
    """What is to be seen of a line, as far as it fits beside its error, and a mark under where it goes wrong."""
    if text:
        yield _printable(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…")
    if at is not None:
        yield f"{' ' * cell_len(_printable(text[:at]))}^"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_findings(summary: Summary, console: Console | None = None) -> None:
    """How many lines of each type are right, and how many wrong; to standard output."""
    console = console or plain_console()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for column in ("right", "wrong"):
        table.add_column(column, justify="right")
    for kind, counts in [*summary.counts.items(), ("all", summary)]:
        table.add_row(kind, f"{counts.unchanged:,}", f"{counts.refused:,}")
    console.print(table)
    console.print(f"{summary.lines:,} lines read in {summary.seconds:.1f} s.")


def print_outcome(summary: Summary, console: Console | None = None) -> None:
    """What became of the lines, by type, and the first of those refused; to standard output."""
    console = console or plain_console()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for column in ("created", "updated", "unchanged", "refused"):
        table.add_column(column, justify="right")
    for kind, counts in [*summary.counts.items(), ("all", summary)]:
        numbers = (counts.created, counts.updated, counts.unchanged, counts.refused)
        table.add_row(kind, *(f"{number:,}" for number in numbers))
    console.print(table)
    for error in summary.errors[:MOST_ERRORS]:
        console.print(f"refused  {error_line(error)}")
    if summary.refused > MOST_ERRORS:
        console.print(f"refused  and {summary.refused - MOST_ERRORS:,} more")
    ending = (
        f"in {summary.seconds:.1f} s"
        if summary.completed
        else "and nothing was loaded: --strict wants every line right"
    )
    console.print(f"{summary.lines:,} lines read {ending}.")
