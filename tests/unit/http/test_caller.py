from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from service.http import caller
from service.http.caller import CallerGone, WhileCallerWaits


@pytest.fixture(autouse=True)
def _watched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "GRACE", 0.0)


class Connection:
    """What a server tells of a connection that a caller may close."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def receive(self) -> Message:
        await self.closed.wait()
        return {"type": "http.disconnect"}


async def test_work_ends_when_the_caller_leaves() -> None:
    connection = Connection()
    asyncio.get_running_loop().call_later(0.01, connection.closed.set)
    with pytest.raises(CallerGone), WhileCallerWaits(connection.receive):
        await asyncio.sleep(60)


async def test_the_task_can_be_cancelled_and_go_on_after_its_caller_left() -> None:
    connection = Connection()
    connection.closed.set()
    with pytest.raises(CallerGone), WhileCallerWaits(connection.receive):
        await asyncio.sleep(60)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    async with asyncio.timeout(1):
        await asyncio.sleep(0)


async def test_work_that_ends_leaves_nobody_watching() -> None:
    connection = Connection()
    before = asyncio.all_tasks()
    with WhileCallerWaits(connection.receive):
        await asyncio.sleep(0.02)
        assert len(asyncio.all_tasks()) == len(before) + 1
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def work() -> None:
        with WhileCallerWaits(Connection().receive):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_passes() -> None:
    with pytest.raises(ValueError, match="its own"), WhileCallerWaits(Connection().receive):
        raise ValueError("its own")
