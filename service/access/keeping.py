"""Makes, changes and tells of keys and tiers, for whoever runs the service. Knows neither requests nor a terminal.

Each change is one transaction, which the log names with who made it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import asyncpg

from service.access.keys import MARK, SHOWN_LENGTH, digest_of, new_key, prefix_of
from service.access.pepper import fingerprint_of
from service.access.tiers import Tier
from service.db.queries import named_statements
from service.db.state import connected

STATEMENTS = named_statements((files("service.access") / "keeping.sql").read_text(encoding="utf-8"))

LEAST = len(MARK) + 4
"""Characters of a prefix by which a key may be named: fewer are a slip, however few keys there are."""


class Refused(Exception):
    """Nothing was changed; the message says why, and what would do."""


@dataclass(frozen=True)
class NewKey:
    """What is to hold for a new key."""

    name: str
    tier: str
    not_before: datetime | None = None
    expires_at: datetime | None = None
    origins: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class TierChange:
    """What is to become of a tier; None leaves it as it is."""

    rank: int | None = None
    features: frozenset[str] | None = None
    cost_per_minute: int | None = None
    max_cost_per_request: int | None = None
    max_page_size: int | None = None


@dataclass(frozen=True)
class Rotated:
    """The new key, and until when the old one counts."""

    key: str
    old_prefix: str
    old_expires_at: datetime


class Keeping:
    """The keys and tiers of one database. `by` is who changes them, as the log will tell."""

    def __init__(self, dsn: str, by: str = "") -> None:
        self._dsn = dsn
        self._by = by

    async def create(self, new: NewKey, pepper: bytes) -> str:
        """A new key, which nobody can be told again. Raises Refused."""
        async with self._changing() as conn:
            await self._tier(conn, new.tier)
            parameters = (new.name, new.tier, new.not_before, new.expires_at, new.origins, new.networks)
            while True:
                key = new_key()
                if await _row(conn, "create_key", *_kept(key, pepper), *parameters):
                    return key

    async def rotate(self, prefix: str, overlap: timedelta, pepper: bytes, expires_at: datetime | None) -> Rotated:
        """A new key with all that holds for the old one, which expires after the overlap at the latest.

        Raises Refused, also where another has taken its place already: of two who rotate at once, one is told.
        """
        async with self._changing() as conn:
            old = await _named(conn, prefix)
            if old["revoked_at"] or (old["expires_at"] and old["expires_at"] <= old["at"]):
                raise Refused(f"{old['prefix']} does not count any more: make a new key.")
            if successor := await _row(conn, "replacement", old["id"]):
                raise Refused(
                    f"{old['prefix']} was rotated already: {successor['prefix']} has taken its place. Rotate that one."
                )
            while True:
                key = new_key()
                if await _row(conn, "replace_key", old["id"], *_kept(key, pepper), expires_at):
                    break
            expired = await _row(conn, "expire_key", old["id"], overlap)
            return Rotated(key, old["prefix"], expired["expires_at"])

    async def revoke(self, prefix: str) -> tuple[str, datetime | None]:
        """Revokes a key; its whole prefix, and since when it was revoked before. Raises Refused."""
        async with self._changing() as conn:
            key = await _named(conn, prefix)
            if key["revoked_at"] is None:
                await conn.execute(STATEMENTS["revoke_key"], key["id"])
            return key["prefix"], key["revoked_at"]

    async def put_tier(self, name: str, change: TierChange) -> Tier:
        """Changes a tier, or makes one of which all is told. Raises Refused."""
        async with self._changing() as conn:
            known = await _row(conn, "lock_tier", name)
            tier = _changed(name, dict(known) if known else {"features": (), "max_page_size": 100}, change)
            await conn.execute(
                STATEMENTS["put_tier"],
                tier.name,
                tier.rank,
                sorted(tier.features),
                tier.cost_per_minute,
                tier.max_cost_per_request,
                tier.max_page_size,
            )
            return tier

    async def keys(self) -> list[dict[str, Any]]:
        """All keys, oldest first, without what would let anyone use them."""
        return await self._rows("keys")

    async def tiers(self) -> list[dict[str, Any]]:
        """All tiers by rank, with how many keys each has."""
        return await self._rows("tiers")

    async def log(self, most: int) -> list[dict[str, Any]]:
        """The latest changes of keys and tiers, newest first."""
        return await self._rows("log", most)

    async def peppers(self, pepper: bytes) -> tuple[int, int]:
        """How many keys that count are kept by this pepper, and how many by another."""
        (row,) = await self._rows("peppers", fingerprint_of(pepper))
        return row["known"], row["foreign"]

    async def _tier(self, conn: Any, name: str) -> None:
        known = [row["name"] for row in await conn.fetch(STATEMENTS["tiers"])]
        if name not in known:
            raise Refused(f'There is no tier "{name}": there are {", ".join(known)}.')

    async def _rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        async with connected(self._dsn) as conn:
            return [dict(row) for row in await conn.fetch(STATEMENTS[statement], *parameters)]

    @asynccontextmanager
    async def _changing(self) -> AsyncGenerator[Any]:
        """A connection in a transaction that the log will name with who makes it."""
        async with connected(self._dsn) as conn, conn.transaction():
            await conn.execute(STATEMENTS["sign"], self._by)
            try:
                yield conn
            except asyncpg.IntegrityConstraintViolationError as error:
                raise Refused(_CONSTRAINTS.get(error.constraint_name or "", str(error))) from None


_CONSTRAINTS = {
    "api_keys_name_check": "A name has 1 to 200 characters that can be seen.",
    "api_keys_times": "Times lie between the years 1970 and 9999.",
    "tiers_name_check": "The name of a tier begins with a letter a to z; up to 39 of a-z, 0-9, _ and - follow.",
    "tiers_rank_key": "Another tier has that rank.",
    "tiers_cost_per_minute_check": "The cost of a minute lies between 1 and 1,000,000,000.",
    "tiers_check": "The cost of one request lies between 1 and that of a minute.",
    "tiers_max_page_size_check": "A page holds 1 to 1,000 items.",
}


def _kept(key: str, pepper: bytes) -> tuple[str, bytes, bytes]:
    return prefix_of(key), digest_of(key, pepper), fingerprint_of(pepper)


async def _row(conn: Any, statement: str, *parameters: object) -> Any:
    return await conn.fetchrow(STATEMENTS[statement], *parameters)


async def _named(conn: Any, prefix: str) -> Any:
    """The one key whose prefix begins so; a whole key is taken for its prefix."""
    if not prefix.startswith(MARK) or len(prefix) < LEAST:
        raise Refused(f"A key is named by its first {SHOWN_LENGTH} characters, or {LEAST} or more where these suffice.")
    found = await conn.fetch(STATEMENTS["find_keys"], prefix_of(prefix))
    if not found:
        raise Refused(f"No key begins with {prefix_of(prefix)}: `parallax keys list` names those there are.")
    if len(found) > 1:
        raise Refused(f"{', '.join(row['prefix'] for row in found)} all begin with {prefix}: give more of it.")
    return found[0]


def _changed(name: str, known: dict[str, Any], change: TierChange) -> Tier:
    told = {field: value for field, value in vars(change).items() if value is not None}
    whole: dict[str, Any] = {"name": name, **known, **told}
    missing = [field for field in TierChange.__dataclass_fields__ if field not in whole]
    if missing:
        wanted = ", ".join(f"--{field.replace('_', '-')}" for field in missing)
        raise Refused(f'There is no tier "{name}" yet; to make one, give {wanted} too.')
    whole["features"] = frozenset(whole["features"])
    return Tier(**whole)
