"""A caller, the key that they have, and what they showed of themselves. Values only: nobody is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from service.access.addresses import Network, is_within
from service.access.tiers import Tier


class Credentials(NamedTuple):
    """What a caller showed: a key, if any, the origin of the page that asked, if any, and the address."""

    key: str | None
    origin: str | None
    address: str

    def __repr__(self) -> str:
        """Tells nothing of the key, wherever it may be shown."""
        return f"Credentials(origin={self.origin!r}, address={self.address!r})"


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A key as it is kept, without what would let anyone use it.

    Where `origins` or `networks` name any, it is good from there only.
    """

    id: int
    prefix: str
    name: str
    tier: str
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    origins: frozenset[str]
    networks: tuple[Network, ...]

    def is_good(self, now: float) -> bool:
        """Whether it counts at that time, in seconds since 1970."""
        begun = self.not_before is None or self.not_before.timestamp() <= now
        return begun and self.revoked_at is None and (self.expires_at is None or now < self.expires_at.timestamp())

    def is_for(self, given: Credentials) -> bool:
        """Whether it may be used from there."""
        if self.origins and given.origin not in self.origins:
            return False
        return not self.networks or is_within(given.address, self.networks)


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who asks. `account` is what their allowance and their streams are counted by."""

    key: Key | None
    tier: Tier
    account: str
    digest: bytes = field(default=b"", repr=False)
