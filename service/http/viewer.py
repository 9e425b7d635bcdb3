"""What `viewer` tells: the caller, as the executor asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

from schema.scalars import Date, DateTime
from schema.viewer import ApiKeyInfo, RateLimit, Tier, UsageDay
from schema.vocabulary import Feature
from service.access.caller import Key
from service.access.limits import Balance
from service.access.usage import Usage
from service.access.usage import UsageDay as Spent
from service.errors import BadUserInput
from service.http.admission import Admission, Guest

MOST_DAYS = 90


class Viewing:
    """One caller, as `schema.viewer.Asker`. Asks once for an operation, however often that asks: it is free."""

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
        return _told(key, await self._last_used_at) if key else None

    async def rate_limit(self) -> RateLimit:
        balance = await self._balance
        full_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=round(balance.full_in))
        return RateLimit(limit=balance.limit, remaining=balance.remaining, reset_at=DateTime(full_at))

    async def usage(self, days: int) -> Sequence[UsageDay]:
        if not 0 <= days <= MOST_DAYS:
            raise BadUserInput(f"'days' is from 0 to {MOST_DAYS}; it is {days:,}.")
        if self._guest.caller.key is None:
            return ()
        before = datetime.now(UTC).date() - timedelta(days=days)
        return [
            UsageDay(day=Date(each.day), request_count=each.request_count, cost=each.cost)
            for each in await self._days
            if each.day > before
        ]

    @cached_property
    def _balance(self) -> asyncio.Task[Balance]:
        return asyncio.create_task(self._admission.balance(self._guest))

    @cached_property
    def _days(self) -> asyncio.Task[list[Spent]]:
        return asyncio.create_task(self._usage.days(self._key_id, MOST_DAYS))

    @cached_property
    def _last_used_at(self) -> asyncio.Task[datetime | None]:
        return asyncio.create_task(self._usage.last_used_at(self._key_id))

    @property
    def _key_id(self) -> int:
        assert self._guest.caller.key is not None
        return self._guest.caller.key.id


def _told(key: Key, last_used_at: datetime | None) -> ApiKeyInfo:
    return ApiKeyInfo(
        prefix=key.prefix,
        name=key.name,
        created_at=DateTime(key.created_at),
        expires_at=DateTime(key.expires_at) if key.expires_at else None,
        last_used_at=DateTime(last_used_at) if last_used_at else None,
    )
