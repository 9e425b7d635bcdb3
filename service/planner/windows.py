"""Windows of time that are given: refused where they are empty, too long, or older than the caller may look back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from service.errors import BadUserInput
from service.planner.allowed import Allowed
from service.planner.inputs import Input, is_given
from service.planner.sql import Sql, Values, parameter

HISTORY = "HISTORY"


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """Days that a window may have at most, and days that callers without the feature HISTORY may look back."""

    most_days: int = 366
    open_days: int = 90


def bounds(source: Input, name: str, limits: WindowLimits, allowed: Allowed) -> dict[str, Sql]:
    """Parameters for both ends, null where they are not given."""

    def end(member: str) -> Callable[[Values], Any]:
        def read(values: Values) -> Any:
            window = source.read(values)
            if not is_given(window):
                return None
            after, before = window["after"], window.get("before")
            _check(name, after, before or datetime.now(UTC), limits, allowed)
            return after if member == "after" else before

        return read

    return {member: parameter("timestamptz", end(member)) for member in ("after", "before")}


def _check(name: str, after: datetime, before: datetime, limits: WindowLimits, allowed: Allowed) -> None:
    if after >= before:
        raise BadUserInput(f"'{name}.after' must be before '{name}.before', which is now where it is missing.")
    if before - after > timedelta(days=limits.most_days):
        raise BadUserInput(f"'{name}' is a window of at most {limits.most_days} days.")
    if HISTORY not in allowed.features and datetime.now(UTC) - after > timedelta(days=limits.open_days):
        raise allowed.refusal(f"What began more than {limits.open_days} days ago, as '{name}' does,", HISTORY)
