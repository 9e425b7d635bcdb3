"""A bucket as a process keeps it for itself, where there is no Redis."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from service.access.limits import MOST, TOLD, Allowances, Balance, Mode
from service.errors import RateLimited
from service.events import AllowancesSpent, Event, Observer, ignore

KEY = "key:1"


@dataclass
class Clock:
    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def allowances(clock: Clock, mode: Mode = "enforce", observe: Observer = ignore) -> Allowances:
    return Allowances(None, "test", mode, observe, clock)


async def test_a_bucket_holds_the_budget_of_a_minute_and_refills_steadily(clock: Clock) -> None:
    bucket = allowances(clock)
    assert await bucket.balance(KEY, 60) == Balance(60, 60, 0)
    assert await bucket.spend(KEY, 60, 60) == Balance(60, 0, 60)
    clock.time += 10
    assert await bucket.balance(KEY, 60) == Balance(60, 10, 50)
    clock.time += 600
    assert await bucket.balance(KEY, 60) == Balance(60, 60, 0)


async def test_what_is_refused_costs_nothing_and_can_be_had_when_it_was_told(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend(KEY, 60, 55)
    for _ in range(3):
        with pytest.raises(RateLimited) as refusal:
            await bucket.spend(KEY, 60, 20)
        assert (refusal.value.retry_after, refusal.value.limit) == (15, 60)
    clock.time += 14.9
    with pytest.raises(RateLimited) as refusal:
        await bucket.spend(KEY, 60, 20)
    assert refusal.value.retry_after == 1
    clock.time += 0.1
    assert (await bucket.spend(KEY, 60, 20)).remaining == 0


async def test_nothing_costs_nothing_even_where_nothing_is_left(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend(KEY, 60, 60)
    assert await bucket.spend(KEY, 60, 0) == Balance(60, 0, 60)


async def test_another_budget_is_as_full_as_the_one_before(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend(KEY, 60, 30)
    assert await bucket.balance(KEY, 6_000) == Balance(6_000, 3_000, 30)
    assert await bucket.balance(KEY, 6) == Balance(6, 3, 30)


@pytest.mark.parametrize("per_minute", [1, 7, 6_000, 1_000_000_000])
async def test_all_of_a_budget_can_be_spent_and_no_more(clock: Clock, per_minute: int) -> None:
    bucket = allowances(clock)
    part = max(1, per_minute // 10)
    for _ in range(per_minute // part):
        await bucket.spend(KEY, per_minute, part)
    with pytest.raises(RateLimited):
        await bucket.spend(KEY, per_minute, part)


async def test_accounts_have_nothing_to_do_with_each_other(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend(KEY, 60, 60)
    assert (await bucket.spend("key:2", 60, 1)).remaining == 59


async def test_however_many_accounts_come_so_many_are_remembered(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend("address:first", 60, 60)
    await bucket.spend("address:second", 60, 60)
    for number in range(MOST - 1):
        await bucket.spend(f"address:{number}", 60, 60)
    assert (await bucket.balance("address:second", 60)).remaining == 0
    assert (await bucket.balance("address:first", 60)).remaining == 60


async def test_where_refusals_are_measured_they_are_told_and_nobody_is_refused(clock: Clock) -> None:
    events: list[Event] = []
    bucket = allowances(clock, "measure", events.append)
    await bucket.spend(KEY, 60, 60)
    for _ in range(5):
        assert (await bucket.spend(KEY, 60, 30)).remaining == 0
    assert events == [AllowancesSpent(1, "measure")]
    clock.time += TOLD
    await bucket.spend(KEY, 60, 30)
    assert events[1:] == [AllowancesSpent(5, "measure")]


async def test_refusals_are_told_at_a_bounded_rate(clock: Clock) -> None:
    events: list[Event] = []
    bucket = allowances(clock, observe=events.append)
    for _ in range(100):
        with pytest.raises(RateLimited):
            await bucket.spend(KEY, 60, 61)
    assert events == [AllowancesSpent(1, "enforce")]


async def test_where_allowances_are_off_nothing_is_counted(clock: Clock) -> None:
    bucket = allowances(clock, "off")
    for _ in range(3):
        assert await bucket.spend(KEY, 60, 60) == Balance(60, 60, 0)


async def test_what_is_told_to_be_left_is_refilled_meanwhile(clock: Clock) -> None:
    bucket = allowances(clock)
    await bucket.spend(KEY, 6_000, 1_000)
    clock.time += 0.5
    assert (await bucket.balance(KEY, 6_000)).remaining == 5_050


async def test_what_needs_nobody_is_spent_at_once_once_the_account_is_known(clock: Clock) -> None:
    bucket, other = allowances(clock), allowances(clock)
    assert bucket.spend_at_hand(KEY, 60, 1) is None
    assert await bucket.balance(KEY, 60) == await other.balance(KEY, 60)
    for cost, seconds in ((50, 0), (0, 1), (5, 5), (1, 0.5), (0, 0)):
        clock.time += seconds
        assert bucket.spend_at_hand(KEY, 60, cost) == await other.spend(KEY, 60, cost)
    assert bucket.spend_at_hand(KEY, 60, 60) is None
    assert await bucket.balance(KEY, 60) == await other.balance(KEY, 60)
    assert bucket.spend_at_hand(KEY, 120, 1) is None
