from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from service.db import batching
from service.db.batching import Batches
from service.db.pool import Database
from service.errors import Unavailable
from service.settings import Settings

SETTINGS = Settings(pool_size=1, operation_timeout=100)


class Busy:
    """A database whose reads end when they are let go, each with its statement for a row."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    async def fetch_row(self, statement: str, _parameters: Sequence[Any], **_rest: Any) -> Any:
        await self.may_end.wait()
        return statement


async def test_nobody_is_let_in_behind_who_has_waited_long_and_all_are_when_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "LONG", 10_000)
    database = Busy()
    batches = Batches(cast("Database", database), SETTINGS)
    reading = [asyncio.create_task(batches.fetch_row(each, ())) for each in ("runs", "waits")]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable):
        await batches.fetch_row("comes", ())
    database.may_end.set()
    assert await asyncio.gather(*reading) == ["runs", "waits"]
    assert await batches.fetch_row("comes later", ()) == "comes later"


async def test_who_left_while_waiting_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "LONG", 10_000)
    database = Busy()
    batches = Batches(cast("Database", database), SETTINGS)
    runs, left = (asyncio.create_task(batches.fetch_row(each, ())) for each in ("runs", "leaves"))
    await asyncio.sleep(0.05)
    left.cancel()
    await asyncio.wait((left,))
    comes = asyncio.create_task(batches.fetch_row("comes", ()))
    await asyncio.sleep(0)
    database.may_end.set()
    assert await asyncio.gather(runs, comes) == ["runs", "comes"]
