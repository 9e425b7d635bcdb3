"""The pages of a list, read one after another. Knows nothing of how they are written, or to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from service.errors import ApiError, CostLimitExceeded, RateLimited, ResponseTooLarge, Unavailable
from service.http.asking import Asked

PAGE = 250
"""Items that are read at a time: so many are in memory of each export, whoever takes how long to read them."""
PATIENCE = 120.0
"""Seconds that one page is waited for while the caller's allowance refills, or the database is away."""

Ask = Callable[[int, str | None], Awaitable[Asked]]
"""Asks for so many items after a cursor, for the price that they have."""


class Page(NamedTuple):
    """Some items of a list, what came before them by the bytes of a response."""

    asked: Asked
    edges: Sequence[Mapping[str, Any]]


async def pages(ask: Ask, key: str, size: int) -> AsyncGenerator[Page]:
    """All pages of the list that is answered under a key, of so many items at most.

    Raises ApiError: of the first page at once, of others when waiting has not helped.
    """
    cursor, patience, goes_on = None, 0.0, True
    while goes_on:
        asked, size = await _asked(ask, size, cursor, patience=patience)
        found = orjson.loads(asked.body)["data"][key]
        cursor, goes_on, patience = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"], PATIENCE
        yield Page(asked, found["edges"])


async def _asked(ask: Ask, size: int, cursor: str | None, *, patience: float) -> tuple[Asked, int]:
    """A page, and how many items it was asked for: fewer where so many are too dear, or too long, at once."""
    while True:
        try:
            return await ask(size, cursor), size
        except (CostLimitExceeded, ResponseTooLarge):
            if size == 1:
                raise
            size //= 2
        except (RateLimited, Unavailable) as refusal:
            patience -= _seconds(refusal)
            if patience < 0:
                raise
            await asyncio.sleep(_seconds(refusal))


def _seconds(refusal: ApiError) -> int:
    return max(1, refusal.retry_after) if isinstance(refusal, RateLimited | Unavailable) else 1
