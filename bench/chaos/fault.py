"""What a fault is, how it is measured, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from bench.chaos.judging import GOOD, Outcome, Seen
from bench.chaos.load import Load, Missed
from bench.chaos.stage import Stage

Around = Callable[[Stage], AbstractAsyncContextManager[None]]

QUIET = 2.0
"""Seconds in which all was good, after which the next fault may come."""
QUIET_WITHIN = 30.0
AFTER = 8.0
"""Seconds for which is watched what comes after a fault."""
RECOVERS_WITHIN = 5.0
SHOWN = 5
"""Reasons that are told of each outcome."""


class NotRun(Exception):
    """A fault cannot be had here; the message says why."""


def _nothing(_stage: Stage) -> AbstractAsyncContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that fails while the block of `happens` runs, and is back when that is left. Both raise NotRun.

    What `prepared` sets up is there before, and is not part of what is measured.
    """

    name: str
    what: str
    happens: Around
    prepared: Around = _nothing


@dataclass(frozen=True, slots=True)
class Result:
    """What became of requests that were sent `during` a fault and `after` it, and how long it took to be well again."""

    name: str
    what: str
    seconds: float
    during: dict[str, int] = field(default_factory=dict[str, int])
    after: dict[str, int] = field(default_factory=dict[str, int])
    behind: float = 0.0
    """Seconds for which the oldest unmarked answer was out of date when it was asked for."""
    recovery: float = 0.0
    """Seconds from the return of what failed to the first request from which all are answered as ever."""
    writes: int = 0
    """Committed while it lasted."""
    missed: Missed = field(default_factory=Missed)
    reasons: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    not_run: str = ""

    @property
    def wrong(self) -> int:
        return self.during.get("wrong", 0) + self.after.get("wrong", 0)

    @property
    def is_well(self) -> bool:
        """Whether it ran, no answer was wrong, nobody missed a change, and all was well again in time."""
        missed = self.missed.untold + self.missed.twice + self.missed.lost
        return not (self.not_run or self.wrong or missed or self.recovery > RECOVERS_WITHIN)


async def measured(fault: Fault, stage: Stage, load: Load, seconds: float, after: float = AFTER) -> Result:
    """Has a fault happen for so many seconds, and watches for as many after it."""
    try:
        async with fault.prepared(stage):
            await _quiet(load)
            began = time.monotonic()
            commits = load.history.commits
            async with fault.happens(stage):
                await asyncio.sleep(seconds)
                writes = load.history.commits - commits
            returned = time.monotonic()
            await asyncio.sleep(after)
            ended = time.monotonic()
            missed = await load.missed()
    except NotRun as reason:
        return Result(fault.name, fault.what, seconds, not_run=str(reason))
    meanwhile = [seen for seen in load.seen if began <= seen.asked < returned]
    later = [seen for seen in load.seen if returned <= seen.asked < ended]
    return Result(
        fault.name,
        fault.what,
        returned - began,
        _counts(meanwhile),
        _counts(later),
        max((seen.behind for seen in meanwhile + later if seen.outcome is Outcome.SERVED), default=0.0),
        max((seen.asked - returned for seen in later if seen.outcome not in GOOD), default=0.0),
        writes,
        missed,
        _reasons(meanwhile + later),
    )


async def _quiet(load: Load) -> None:
    """Waits until all has been good for a while, or for long enough."""
    end = time.monotonic() + QUIET_WITHIN
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.2)
        bad = [seen.asked for seen in load.seen[-2_000:] if seen.outcome not in GOOD]
        if load.seen and load.seen[-1].asked > now - 0.5 and now - max([load.seen[0].asked, *bad]) > QUIET:
            return


def _counts(seen: Iterable[Seen]) -> dict[str, int]:
    counts = Counter(each.outcome.value for each in seen)
    return {outcome.value: counts[outcome.value] for outcome in Outcome}


def _reasons(seen: Iterable[Seen]) -> dict[str, list[str]]:
    """For outcomes that have any, some reasons with how often each was given."""
    counts: dict[str, Counter[str]] = {}
    for each in seen:
        if each.why:
            told = each.why if each.outcome is not Outcome.WRONG else f"{each.process}, {each.kind.value}: {each.why}"
            counts.setdefault(each.outcome.value, Counter())[told] += 1
    return {name: [f"{n} x {why}" for why, n in some.most_common(SHOWN)] for name, some in counts.items()}
