"""Callers with keys, as tests let them in: each key is written to the database by its digest, as `keys create` does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import asyncpg

from service.access.keys import digest_of, new_key, prefix_of
from tests.access_keys import PEPPER


async def add_tier(conn: asyncpg.Connection[Any], name: str, features: Iterable[str]) -> None:
    """A tier that may do all that is not a feature; it is of a higher rank than those there are."""
    await conn.execute(
        "insert into tiers (name, rank, features, cost_per_minute, max_cost_per_request, max_page_size)"
        " select $1, max(rank) + 1, $2, 1000000000, 1000000000, 1000 from tiers",
        name,
        sorted(features),
    )


async def add_key(conn: asyncpg.Connection[Any], tier: str, **columns: Any) -> str:
    """A new key of a tier."""
    key = new_key()
    row = {"prefix": prefix_of(key), "digest": digest_of(key, PEPPER.encode()), "name": tier, "tier": tier, **columns}
    values = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await conn.execute(f"insert into api_keys ({', '.join(row)}) values ({values})", *row.values())
    return key


def bearer(key: str | None) -> dict[str, str]:
    """The headers of a caller with that key; of one without, none."""
    return {"authorization": f"Bearer {key}"} if key else {}
