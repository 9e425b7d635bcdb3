"""Allowances: what a caller may spend in a minute, refilled steadily, and counted once for all processes.

A bucket is kept in Redis as the moment at which it will be full again. A process takes ahead what an account seems to
spend in a quarter of a second, at most a hundredth of its budget, so that a busy account does not cost a round trip for
each request; what it has not spent within a second it gives back. So `remaining` may be wrong by a hundredth for each
other process, and by what others spent within the last second; never is more granted than the bucket had.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple, Self

from service.errors import ApiError, RateLimited
from service.events import AllowancesSpent, Observer, ignore
from service.redis import RedisAway, SharedRedis
from service.remembered import Remembered

Mode = Literal["enforce", "measure", "off"]

SHARE = 100
"""A process takes at most one part in so many of a budget ahead."""
AHEAD = 0.25
"""Seconds for which it takes ahead what was spent in as many."""
KEPT = 1.0
"""Seconds after which it gives back what is left of that."""
MOST = 10_000
"""Accounts that are remembered."""
ROUNDING = 1e-6
TOLD = 10.0
"""Seconds between events that tell how many requests were refused."""

# The time is in microseconds by the clock of Redis, which may be set back: no bucket is emptier than empty for that.
# What is kept and is no number counts as nothing kept.
_BUCKET = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local unit = 60000000 / ARGV[1]
local kept = redis.pcall('GET', KEYS[1])
local used = math.min(60000000, math.max(0, (type(kept) == 'string' and tonumber(kept) or 0) - now))
local function keep()
    if used > 0 then
        redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', math.ceil(used / 1000))
    else
        redis.call('DEL', KEYS[1])
    end
end
"""
_TAKE = f"""{_BUCKET}
local left = math.floor(ARGV[1] - used / unit + 0.000001)
local needed, wanted = tonumber(ARGV[2]), tonumber(ARGV[3])
local taken = 0
if left >= needed then taken = math.min(wanted, left) end
if taken > 0 then
    used = used + taken * unit
    keep()
end
return {{taken, string.format('%.3f', used)}}
"""
_GIVE_BACK = f"""{_BUCKET}
used = used - ARGV[2] * unit
keep()
"""


class Balance(NamedTuple):
    """What a bucket holds at most, what is left in it, and the seconds until it is full if nothing more is spent."""

    limit: int
    remaining: int
    full_in: float

    @classmethod
    def full(cls, limit: int) -> Self:
        """That of a full bucket."""
        return cls(limit, limit, 0.0)


@dataclass(slots=True)
class _Share:
    """What this process knows of an account's budget, and has of it: `units` taken ahead.

    At `asked_at` the bucket had `left` beside them; since then so much was `spent`. `asking` counts the questions that
    are on their way to Redis.
    """

    per_minute: int
    asked_at: float
    left: float
    units: int = 0
    spent: int = 0
    asking: int = 0

    def left_at(self, now: float) -> float:
        """What the bucket has, if nobody else has spent since."""
        return min(self.per_minute, self.left + (now - self.asked_at) * self.per_minute / 60)

    def balance(self, now: float) -> Balance:
        limit = self.per_minute
        left = self.left + (now - self.asked_at) * limit / 60 + self.units
        if left >= limit:
            return Balance.full(limit)
        return Balance(limit, int(left + ROUNDING), (limit - left) * 60 / limit)

    def wait_for(self, units: int, now: float) -> float:
        """Seconds until the bucket has so much, at the earliest; 0 where it may have it already."""
        wait = (units - self.left) * 60 / self.per_minute - (now - self.asked_at)
        return wait if wait > ROUNDING else 0.0

    def take(self, units: int, now: float) -> int:
        """Takes so much of what is known to be left, or nothing."""
        if self.wait_for(units, now):
            return 0
        self.left, self.asked_at, self.spent = self.left_at(now) - units, now, 0
        return units


class Allowances:
    """Spends what callers may spend. While Redis is away, each process decides by itself, by what it knew last."""

    def __init__(
        self,
        redis: SharedRedis | None,
        prefix: str,
        mode: Mode = "enforce",
        observe: Observer = ignore,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._mode = mode
        self._observe = observe
        self._now = now
        self._shares = Remembered[str, _Share](MOST)
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._told_at = now() - TOLD

    async def spend(self, account: str, per_minute: int, cost: int) -> Balance:
        """What is left after the cost was taken. Raises RateLimited, with nothing taken."""
        at_hand = self.spend_at_hand(account, per_minute, cost)
        if at_hand is not None:
            return at_hand
        share, now = self._share(account, per_minute), self._now()
        # Redis is not asked for what it is known not to have yet.
        if cost > share.units and (wait := share.wait_for(cost - share.units, now)):
            return self._refuse(per_minute, wait)
        ahead = self._ahead(share) if cost and not share.asking else 0
        # What is here is set aside: those who come meanwhile must not count on it too.
        units, share.units = share.units, 0
        needed = max(0, cost - units)
        try:
            taken = await self._take(account, share, needed, max(needed, ahead))
        finally:
            share.units += units
        if taken >= needed:
            share.units += taken - cost
            share.spent += cost
        self._give_back_later(account, share)
        if taken < needed:
            return self._refuse(per_minute, share.wait_for(needed, self._now()))
        return share.balance(self._now())

    def refuse(self, refusal: ApiError) -> None:
        """Raises the refusal of an operation for its cost; where they are measured, only counts it."""
        if self._mode == "off":
            return
        self._refused += 1
        if self._now() - self._told_at >= TOLD:
            self._observe(AllowancesSpent(self._refused, self._mode))
            self._refused, self._told_at = 0, self._now()
        if self._mode == "enforce":
            raise refusal

    async def balance(self, account: str, per_minute: int) -> Balance:
        """What is left. Never raises RateLimited, and spends nothing."""
        return await self.spend(account, per_minute, 0)

    def spend_at_hand(self, account: str, per_minute: int, cost: int) -> Balance | None:
        """What is left after the cost was taken, where that needs nobody; None, with nothing taken, where it does."""
        if self._mode == "off":
            return Balance.full(per_minute)
        share = self._shares.get(account)
        if share is None or share.per_minute != per_minute:
            return None
        now = self._now()
        if self._redis is None:
            return share.balance(now) if share.take(cost, now) == cost else None
        if cost > share.units or now - share.asked_at >= KEPT:
            return None
        share.units -= cost
        share.spent += cost
        return share.balance(now)

    def _share(self, account: str, per_minute: int) -> _Share:
        """What is known; of an account that is not known, that it is full. Another budget is as full as the last."""
        share, now = self._shares.get(account), self._now()
        if share is None:
            return self._shares.put(account, _Share(per_minute, now, per_minute))
        if share.per_minute != per_minute:
            left = share.left_at(now) * per_minute / share.per_minute
            return self._shares.put(account, _Share(per_minute, now, left))
        return share

    async def _take(self, account: str, share: _Share, needed: int, wanted: int) -> int:
        """What was given: at least what is needed, or nothing. By what is known here, where Redis is away."""
        if self._redis is None:
            return share.take(needed, self._now())
        share.asking += 1
        try:
            command = ("EVAL", _TAKE, 1, self._key(account), share.per_minute, needed, wanted)
            taken, used = await self._redis.run(*command)
        except RedisAway:
            return share.take(needed, self._now())
        finally:
            share.asking -= 1
        share.left = share.per_minute * (1 - float(used) / 60_000_000)
        share.asked_at, share.spent = self._now(), 0
        return int(taken)

    def _ahead(self, share: _Share) -> int:
        """What the account will spend soon, if it goes on as it did since Redis was asked last."""
        elapsed = max(self._now() - share.asked_at, 0.001)
        return min(share.per_minute // SHARE, round(share.spent * AHEAD / elapsed))

    def _give_back_later(self, account: str, share: _Share) -> None:
        if share.units > 0:
            asyncio.get_running_loop().call_later(KEPT, self._give_back, account, share, share.asked_at)

    def _give_back(self, account: str, share: _Share, asked_at: float) -> None:
        """Gives back what is left of a share, unless Redis was asked since: then it is given back later."""
        if share.units > 0 and share.asked_at == asked_at and self._redis is not None:
            units, share.units = share.units, 0
            share.left += units
            command = ("EVAL", _GIVE_BACK, 1, self._key(account), share.per_minute, units)
            task = asyncio.create_task(self._run_if_there(self._redis, *command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run_if_there(self, redis: SharedRedis, *command: str | bytes | int) -> None:
        with suppress(RedisAway):  # the bucket refills by itself
            await redis.run(*command)

    def _refuse(self, per_minute: int, seconds: float) -> Balance:
        """Refuses what cannot be had for so long."""
        wait = max(1, ceil(seconds))
        message = f"The allowance of {per_minute:,} a minute is spent. Try again in {wait} s."
        self.refuse(RateLimited(message, retry_after=wait, limit=per_minute))
        return Balance(per_minute, 0, 60.0)

    def _key(self, account: str) -> str:
        return f"{self._prefix}:allowance:{account}"
