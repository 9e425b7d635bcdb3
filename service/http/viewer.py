"""What `viewer` tells: the caller, as the executor asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from schema.scalars import Date, DateTime
from schema.viewer import ApiKeyInfo, RateLimit, Tier, UsageDay
from schema.vocabulary import Feature
from service.access.caller import Key
from service.access.usage import Usage
from service.errors import BadUserInput
from service.http.admission import Admission, Guest

MOST_DAYS = 90


class Viewing:
    """One caller, as `schema.viewer.Asker`."""

    def __init__(self, guest: Guest, admission: Admission, usage: Usage) -> None:
        self._guest = guest
        self._admission = admission
        self._usage = usage

    @property
    def tier(self) -> Tier:
        tier, allowed = self._guest.caller.tier, self._guest.terms.allowed
        return Tier(
            name=tier.name,
            features=[each for each in Feature if each.name in allowed.features],
            cost_per_minute=tier.cost_per_minute,
            max_cost_per_request=tier.max_cost_per_request,
            max_page_size=allowed.max_page_size,
        )

    async def api_key(self) -> ApiKeyInfo | None:
        key = self._guest.caller.key
        return _told(key, await self._usage.last_used_at(key.id)) if key else None

    async def rate_limit(self) -> RateLimit:
        balance = await self._admission.balance(self._guest)
        full_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=round(balance.full_in))
        return RateLimit(limit=balance.limit, remaining=balance.remaining, reset_at=DateTime(full_at))

    async def usage(self, days: int) -> Sequence[UsageDay]:
        if not 0 <= days <= MOST_DAYS:
            raise BadUserInput(f"'days' is from 0 to {MOST_DAYS}; it is {days:,}.")
        key = self._guest.caller.key
        if key is None:
            return ()
        return [
            UsageDay(day=Date(each.day), request_count=each.request_count, cost=each.cost)
            for each in await self._usage.days(key.id, days)
        ]


def _told(key: Key, last_used_at: datetime | None) -> ApiKeyInfo:
    return ApiKeyInfo(
        prefix=key.prefix,
        name=key.name,
        created_at=DateTime(key.created_at),
        expires_at=DateTime(key.expires_at) if key.expires_at else None,
        last_used_at=DateTime(last_used_at) if last_used_at else None,
    )
