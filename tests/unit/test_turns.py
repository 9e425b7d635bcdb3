from __future__ import annotations

import asyncio

import pytest

from service.turns import Turns


async def test_whoever_needs_no_turn_gets_in_between_any_two() -> None:
    turns = Turns()
    done: list[str] = []

    async def work() -> None:
        async with turns:
            done.append("w")

    async def pass_by() -> None:
        for _ in range(20):
            done.append("p")
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(5)), pass_by())
    assert done.count("w") == 5
    assert "ww" not in "".join(done)


async def test_a_turn_that_fails_is_over() -> None:
    turns = Turns()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns:
                _ = 1 / 0
    async with asyncio.timeout(1), turns:
        pass
