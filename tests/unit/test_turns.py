from __future__ import annotations

import asyncio

from service.turns import Turns


async def test_whoever_needs_no_turn_gets_in_between_any_two() -> None:
    turns = Turns()
    done: list[str] = []

    async def work() -> None:
        async with turns:
            done.append("turn")

    async def pass_by() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
            done.append("other")

    await asyncio.gather(*(work() for _ in range(5)), pass_by())
    assert "turn turn" not in " ".join(done[: done.index("other") + 8])
    assert done.count("turn") == 5


async def test_a_turn_that_fails_is_over() -> None:
    turns = Turns()
    for _ in range(3):
        try:
            async with turns:
                raise ValueError
        except ValueError:
            pass
    async with asyncio.timeout(1), turns:
        pass
