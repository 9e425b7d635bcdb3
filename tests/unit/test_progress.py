# pyright: reportPrivateUsage=false
from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from service import progress as progress_module
from service.events import Event
from service.load import BatchWritten, LineRefused, LinesRead, ReadingEnded, Summary, WritingBegan
from service.progress import LoadProgress, print_outcome

LOAD: list[tuple[float, Event]] = [
    (1.0, LinesRead(10_000, 0, 0.1)),
    (5.0, LinesRead(50_000, 0, 0.5)),
    (6.0, LineRefused("news.ndjson", 50_001, None, "the line must be an object", "[]")),
    (10.0, LinesRead(100_000, 1, 1.0)),
    (10.0, ReadingEnded(100_000)),
    (20.0, WritingBegan(80_000)),
    (30.0, BatchWritten(20_000, 80_000)),
    (60.0, BatchWritten(80_000, 80_000)),
]
"""What happens in a load, each with the seconds since it began."""


def told_of(load: list[tuple[float, Event]], console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a load that takes no time tell of it as if it did."""
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    with LoadProgress(console) as progress:
        for seconds, event in load:
            clock[0] = seconds
            progress(event)
            progress._bar.refresh()


def refused(line: int, *, file: str = "news.ndjson", field: str | None = "slug", reason: str = "is required") -> str:
    """The line that tells of a refused one, which has to be the same at once and in the outcome."""
    error = LineRefused(file, line, field, reason)
    with LoadProgress() as progress:
        progress(error)
    print_outcome(Summary({}, (error,), line, 1.0, completed=True))
    return f"{file}:{line}: {field}: {reason}"


@pytest.mark.parametrize("line", [1, 100, 1234])
def test_a_place_in_a_file_is_told_as_it_is(line: int, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(line, file="[red]:smile:[/].ndjson", reason="must be one of :100: and [b]")
    out, err = capsys.readouterr()
    assert told in err.splitlines()
    assert f"refused  {told}" in out.splitlines()


def test_what_a_name_holds_neither_steers_a_terminal_nor_makes_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(7, file="\udcff\x1b[2J", field="perspectives.é\n8: nothing")
    out, err = capsys.readouterr()
    assert err.splitlines() == ["\\udcff\\x1b[2J:7: perspectives.é\\n8: nothing: is required"]
    assert "\x1b" not in out


def test_where_nobody_watches_lines_tell_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "SECONDS_BETWEEN_LINES", 0)
    told = io.StringIO()
    told_of(LOAD, Console(file=told, soft_wrap=True), monkeypatch)
    assert told.getvalue().splitlines() == [
        "read 10,000 lines, 10,000/s, 10%",
        "read 50,000 lines, 10,000/s, 0:05 left, 50%",
        "news.ndjson:50001: the line must be an object",
        "    []",
        "read 100,000 lines, 10,000/s, 1 refused, 100%",
        "read 100,000 lines, putting them together, 1 refused",
        "written 0 of 80,000, 1 refused, 0%",
        "written 20,000 of 80,000, 2,000/s, 1 refused, 0:30 left, 25%",
        "written 80,000 of 80,000, 2,000/s, 1 refused, 100%",
    ]


def test_lines_are_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    events: list[tuple[float, Event]] = [(second, LinesRead(second, 0)) for second in range(35)]
    told_of(events, Console(file=told, soft_wrap=True), monkeypatch)
    assert told.getvalue().splitlines() == [f"read {second} lines, 1/s" for second in (10, 20, 30)]


def test_where_a_person_watches_a_bar_tells_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    console = Console(file=told, force_terminal=True, width=80, markup=False, emoji=False, highlight=False)
    told_of(LOAD, console, monkeypatch)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.getvalue())
    frames = [frame.strip() for frame in re.split(r"[\r\n]+", plain) if frame.strip()]
    assert all(len(frame) <= 80 for frame in frames)
    assert "news.ndjson:50001: the line must be an object" in frames
    bars = [re.sub(r" ?[━╸╺]+ ?", " | ", frame.lstrip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")) for frame in frames if re.search("[━╸╺]", frame)]
    assert [frame[0] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" for frame in frames if "written 20,000" in frame][-1], "it does not move any more"
    assert [bar for bar in bars if "written 20,000" in bar][-1].startswith(
        "written 20,000 of 80,000, 2,000/s, 1 refused, 0:30 left | 25% "
    )
    assert [bar for bar in bars if "putting" in bar][-1].startswith(
        "read 100,000 lines, putting them together, 1 refused | "
    )


@pytest.mark.parametrize(("seconds", "span"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3_723, "1:02:03")])
def test_spans_are_told_as_clocks_tell_them(seconds: float, span: str) -> None:
    assert progress_module._span(seconds) == span


@pytest.mark.parametrize(
    ("text", "at", "shown"),
    [
        ('{"a": }', 6, ['    {"a": }', "          ^"]),
        ("nope", 0, ["    nope", "    ^"]),
        ("\t{", 2, ["    \\t{", "       ^"]),
        ("火{", 1, ["    火{", "      ^"]),
        ('["x"]', None, ['    ["x"]']),
        ("", None, []),
    ],
)
def test_a_mark_stands_under_where_a_line_goes_wrong(
    text: str, at: int | None, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with LoadProgress() as progress:
        progress(LineRefused("f", 1, None, "not JSON", text, at))
    assert capsys.readouterr().err.splitlines()[1:] == shown
