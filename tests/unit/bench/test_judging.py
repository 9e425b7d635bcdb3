from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from bench.asking import Reply
from bench.chaos.judging import Judge, Kind, Outcome, Question, Seen
from bench.history import History

ASKED = Question("service 1", 1, Kind.PAGE, asked=100.0, answered=100.1, story=7)


def judge() -> Judge:
    """Story 7 was 1 from 50 on, 2 from 90 on; nobody knows whether it was 3."""
    history = History()
    for began in (50.0, 90.0):
        history.commit(history.begin(7, began), began)
    history.begin(7, 99.0)
    return Judge(history)


def page(number: int, *, story: int = 7, age: int = 0, marked: bool = False) -> Reply:
    body = orjson.dumps({"data": {"story": {"id": f"story_{story}", "title": f"Story {number}"}}})
    status = "parallax; hit; detail=memory; ttl=-1" if marked else "parallax; hit; detail=memory"
    return Reply(200, {"cache-status": status, "age": str(age)}, body)


def refused(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}")


@pytest.mark.parametrize("number", [2, 3])
def test_what_was_last_written_is_served_and_so_is_what_may_have_been(number: int) -> None:
    assert judge().judge(ASKED, page(number)).outcome is Outcome.SERVED


@pytest.mark.parametrize("reply", [page(4), page(2, story=8), Reply(200, {}, b"{}"), Reply(200, {}, b"\xff")])
def test_what_never_was_is_wrong(reply: Reply) -> None:
    assert judge().judge(ASKED, reply).outcome is Outcome.WRONG


def test_what_is_too_old_is_wrong_unless_it_says_so() -> None:
    assert judge().judge(ASKED, page(1)).outcome is Outcome.WRONG
    assert judge().judge(ASKED, page(1, marked=True, age=30)).outcome is Outcome.STALE
    assert judge().judge(ASKED, page(1, marked=True, age=1)).outcome is Outcome.WRONG, "it is older than it says"


def test_what_is_a_little_behind_is_served_and_measured() -> None:
    seen = judge().judge(replace(ASKED, asked=91.0, answered=91.1), page(1))
    assert (seen.outcome, seen.behind) == (Outcome.SERVED, 1.0)


def test_what_nobody_asked_for_before_may_not_be_behind_at_all() -> None:
    asked = replace(ASKED, kind=Kind.RARE, asked=90.5, answered=90.6)
    assert judge().judge(asked, page(1)).outcome is Outcome.WRONG


def test_what_is_older_than_what_the_process_gave_before_is_wrong() -> None:
    judging = judge()
    early = replace(ASKED, asked=90.0, answered=90.1)

    def after(question: Question) -> Seen:
        return judging.judge(question, page(1))

    judging.judge(early, page(2))
    assert after(replace(early, asked=90.05, answered=90.2)).outcome is Outcome.SERVED, "it was asked for before"
    assert after(replace(early, asked=90.3, answered=90.4)).outcome is Outcome.WRONG
    assert after(replace(early, asked=90.3, answered=90.4, life=2)).outcome is Outcome.SERVED
    assert after(replace(early, asked=90.3, answered=90.4, process="service 2")).outcome is Outcome.SERVED


def test_a_refusal_says_when_to_come_again() -> None:
    assert judge().judge(ASKED, refused(503, retry_after="1")).outcome is Outcome.REFUSED
    assert judge().judge(ASKED, refused(504)).outcome is Outcome.REFUSED
    assert judge().judge(ASKED, refused(503)).outcome is Outcome.FAILED
    assert judge().judge(ASKED, refused(500)).outcome is Outcome.FAILED


def test_what_was_there_before_the_history_began_is_out_of_date_since_then() -> None:
    history = History({1: 7}, began=100.0)
    assert history.may_be(1, 7, by=100.5)
    assert history.may_be(1, 3, by=100.5), "a list may hold it still"
    assert history.behind(1, 3, at=101.5) == 1.5
    assert history.behind(1, 7, at=101.5) == 0.0
    assert not history.may_be(1, 8, by=100.5)
