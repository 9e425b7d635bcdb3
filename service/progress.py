"""Tells a person how a load goes on: a bar where one watches, plain lines elsewhere, the outcome at the end."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.events import Event
from service.load import BatchWritten, LineRefused, LinesRead, Summary

SECONDS_BETWEEN_LINES = 10
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
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None)
        self._started = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Observe an event of the load."""
        match event:
            case LineRefused():
                self._console.print(error_line(event))
                if event.text:
                    self._console.print(f"    {_shown(event.text)}")
            case LinesRead(lines, refused):
                rate = lines / max(time.monotonic() - self._started, 0.001)
                self._tell(f"{lines:,} lines read, {rate:,.0f}/s, {refused:,} refused", lines, None)
            case BatchWritten(done, total):
                self._tell(f"{done:,} of {total:,} written", done, total)
            case _:
                pass

    def _tell(self, told: str, done: int, total: int | None) -> None:
        self._bar.update(self._task, description=told, completed=done, total=total)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            self._console.print(told)


def error_line(error: LineRefused) -> str:
    """A refused line in a line: where it is, and what is wrong with it.

    Names of fields and files come from others: what steers a terminal or cannot be written shows escaped.
    """
    field = f"{error.field}: " if error.field else ""
    return _printable(f"{error.file}:{error.line}: {field}{error.reason}")


def _shown(text: str) -> str:
    """The beginning of a line, as far as it fits beside its error."""
    return _printable(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…")


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
