"""What came of the faults, as a table for people."""

from __future__ import annotations

from bench.chaos.fault import AFTER, Result

COLUMNS = ("served", "stale", "refused", "failed", "wrong")
HEAD = ("fault", *COLUMNS, "oldest s", "writes", "missed", "recovery s", "")


def as_table(results: list[Result]) -> str:
    """The table in Markdown; what was counted while a fault lasted and in the seconds after it, as `during + after`."""
    rows = [HEAD, tuple("---" if name in {"fault", ""} else "---:" for name in HEAD), *map(_row, results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    if result.not_run:
        return (result.what, *("" for _ in HEAD[1:-1]), f"not run: {result.not_run}")
    missed = result.missed
    return (
        result.what,
        *(f"{result.during[name]:,} + {result.after[name]:,}" for name in COLUMNS),
        f"{result.behind:.2f}",
        f"{result.writes:,}",
        str(missed.untold + missed.twice + missed.lost),
        f"{result.recovery:.1f}" if result.recovery < AFTER - 0.5 else f"over {AFTER:.0f}",
        "" if result.is_well else "✗",
    )
