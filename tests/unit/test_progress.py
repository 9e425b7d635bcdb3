import pytest

from service.load import LineRefused, Summary
from service.progress import LoadProgress, print_outcome


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
