"""Keys that tests make, in a database of theirs."""

from __future__ import annotations

from typing import Any

from service.access.keeping import Keeping, NewKey

PEPPER = "a pepper for tests only"


async def made_key(dsn: str, tier: str = "free", **terms: Any) -> str:
    """A new key."""
    return await Keeping(dsn, "tests").create(NewKey("of a test", tier, **terms), PEPPER.encode())
