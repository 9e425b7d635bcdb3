from __future__ import annotations

import asyncio
import time

import pytest

from service.errors import BadRequest, Unavailable
from service.paces import LONGEST, MOST_OWED, Paces


def work(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


async def refused(paces: Paces, account: str) -> None:
    with pytest.raises(BadRequest):
        await reading(paces, account, BadRequest("x"))


async def reading(paces: Paces, account: str, error: Exception | None = None) -> None:
    async with paces.turn(account):
        work(0.005)
        if error is not None:
            raise error


async def test_who_is_refused_waits_much_longer_than_it_took() -> None:
    paces = Paces()
    began = time.monotonic()
    await asyncio.gather(*(refused(paces, "a") for _ in range(4)))
    assert time.monotonic() - began > 3 * 0.05


async def test_those_who_were_read_at_the_same_time_are_waited_for_together() -> None:
    paces = Paces()

    async def refused_beside_others() -> None:
        async with paces.turn("a"):
            await asyncio.sleep(0.01)
            work(0.005)
            raise BadRequest("x")

    await asyncio.gather(*(refused_beside_others() for _ in range(4)), return_exceptions=True)
    began = time.monotonic()
    await reading(paces, "a")
    assert 3 * 0.05 < time.monotonic() - began < MOST_OWED + LONGEST + 1


async def test_nobody_waits_for_another_account() -> None:
    paces = Paces()
    refusing = [asyncio.create_task(refused(paces, "a")) for _ in range(20)]
    await asyncio.sleep(0.02)
    async with asyncio.timeout(0.5):
        for _ in range(10):
            async with paces.turn("b"):
                pass
    assert not all(task.done() for task in refusing)
    for task in refusing:
        task.cancel()
    await asyncio.gather(*refusing, return_exceptions=True)


async def test_who_is_answered_or_cannot_help_it_does_not_wait() -> None:
    paces = Paces()
    began = time.monotonic()
    for _ in range(5):
        await reading(paces, "a")
        with pytest.raises(Unavailable):
            await reading(paces, "a", Unavailable("x"))
    assert time.monotonic() - began < 0.3


async def test_who_leaves_while_waiting_holds_nobody_up_and_nothing_is_left_behind() -> None:
    paces = Paces()
    await refused(paces, "a")
    waiting = asyncio.create_task(refused(paces, "a"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        await reading(paces, "a")
    await asyncio.sleep(0.01)
    assert not paces._queues  # pyright: ignore[reportPrivateUsage]
