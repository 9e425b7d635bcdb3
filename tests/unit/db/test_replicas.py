"""How far the primary's log was written when."""

from __future__ import annotations

from service.db.changes import Look
from service.db.replicas import MARK_EVERY, Log


def look(written: int, asked_at: float, timeline: int = 1) -> Look:
    return Look("this", "head", False, 0, timeline=timeline, written=written, asked_at=asked_at)


def test_a_replica_is_as_of_the_last_moment_whose_log_it_has() -> None:
    log = Log()
    log.begin(look(100, 1.0))
    log.note(look(100, 2.0))
    log.note(look(200, 3.0))
    assert log.as_of(99) is None, "it may be of any time before"
    assert log.as_of(100) == log.as_of(199) == 2.0
    assert log.as_of(200) == log.as_of(10_000) == 3.0


def test_of_moments_close_together_one_is_enough() -> None:
    log = Log()
    log.begin(look(100, 1.0))
    log.note(look(200, 1.0 + MARK_EVERY / 2))
    assert log.as_of(200) == 1.0
    log.note(look(200, 1.0 + 2 * MARK_EVERY))
    assert log.as_of(200) == 1.0 + 2 * MARK_EVERY


def test_a_new_timeline_knows_nothing_of_the_log_before_it() -> None:
    log = Log()
    log.begin(look(500, 1.0))
    log.begin(look(100, 2.0, timeline=2))
    assert (log.identity, log.timeline) == ("this", 2)
    assert log.as_of(500) == 2.0
    assert log.as_of(99) is None
