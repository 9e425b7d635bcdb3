"""Allowances: what a caller may spend in a minute, refilled steadily, and counted once for all processes.

A bucket is kept in Redis as the moment at which it will be full again. A process takes ahead what an account seems to
spend in a quarter of a second, at most a hundredth of its budget, so that a busy account does not cost a round trip for
each request; what it has not spent within a second it gives back. So `remaining` may be wrong by a hundredth for each
other process, and by what was refilled or spent within the last second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, NamedTuple

from service.access.remembered import Remembered
from service.errors import ApiError, RateLimited
from service.events import AllowancesSpent, Observer, ignore
from service.redis import RedisAway, SharedRedis

Mode = Literal["enforce", "measure", "off"]

SHARE = 100
"""A process takes at most one part in so many of a budget ahead."""
AHEAD = 0.25
"""Seconds for which it takes ahead what was spent in as many."""
KEPT = 1.0
"""Seconds after which it gives back what is left of that."""
MOST = 10_000
"""Accounts that are remembered."""
TOLD = 10.0
"""Seconds between events that tell how many requests were refused."""

# Both keep the time in microseconds by the clock of Redis. What is no number is as nothing.
_BUCKET = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local unit = 60000000 / ARGV[1]
local kept = redis.pcall('GET', KEYS[1])
local full_at = math.max(now, type(kept) == 'string' and tonumber(kept) or 0)
local function keep()
    if full_at > now then
        redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
    else
        redis.call('DEL', KEYS[1])
    end
end
"""
_TAKE = f"""{_BUCKET}
local left = math.floor(ARGV[1] - (full_at - now) / unit + 0.000001)
local least, wanted = tonumber(ARGV[2]), tonumber(ARGV[3])
local taken = 0
if left >= least then
    taken = math.min(wanted, left)
    full_at = full_at + taken * unit
    if taken > 0 then keep() end
end
return {{taken, left - taken}}
"""
_GIVE_BACK = f"""{_BUCKET}
full_at = full_at - ARGV[2] * unit
keep()
"""


class Balance(NamedTuple):
    """What a bucket holds at most, what is left in it, and the seconds until it is full if nothing more is spent."""

    limit: int
    remaining: int
    full_in: float


@dataclass(slots=True)
class _Share:
    """What this process has of an account's budget: `units` taken ahead, beside which the bucket had `left`.

    Since `asked_at` so much was `spent`. What costs `refused` or more cannot be had before `refused_until`.
    """

    per_minute: int
    asked_at: float
    units: int = 0
    left: int = 0
    spent: int = 0
    refused: int = 0
    refused_until: float = 0.0

    def balance(self) -> Balance:
        remaining = self.units + self.left
        return Balance(self.per_minute, remaining, (self.per_minute - remaining) * 60 / self.per_minute)


class Allowances:
    """Spends what callers may spend. While Redis is away, each process decides by itself, with buckets of its own."""

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
        self._full_at = Remembered[str, float](MOST)
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._told_at = now() - TOLD

    def _at_hand(self, account: str, per_minute: int, cost: int) -> Balance | None:
        """What is left after the cost was taken, where that needs nobody; None where Redis has to be asked.

        Raises RateLimited where it is known that so much cannot be had yet.
        """
        if self._mode == "off":
            return Balance(per_minute, per_minute, 0.0)
        if self._redis is None:
            return self._take_here(account, per_minute, cost)
        share = self._shares.get(account)
        if share is None or share.per_minute != per_minute:
            return None
        if cost <= share.units:
            share.units -= cost
            share.spent += cost
            return share.balance()
        if cost >= share.refused and (left := share.refused_until - self._now()) > 0:
            return self._refuse(per_minute, left)
        return None

    async def spend(self, account: str, per_minute: int, cost: int) -> Balance:
        """What is left after the cost was taken. Raises RateLimited, with nothing taken."""
        at_hand = self._at_hand(account, per_minute, cost)
        if at_hand is not None or self._redis is None:
            return at_hand or self._take_here(account, per_minute, cost)
        share = self._shares.get(account)
        if share is None or share.per_minute != per_minute:
            share = self._shares.put(account, _Share(per_minute, self._now()))
        wanted = max(cost, self._ahead(share))
        try:
            answer: Any = await self._redis.run("EVAL", _TAKE, 1, self._key(account), per_minute, cost, wanted)
        except RedisAway:
            return self._take_here(account, per_minute, cost)
        taken, share.left = (int(each) for each in answer)
        share.spent, share.asked_at = 0, self._now()
        if taken < cost:
            wait = (cost - share.left) * 60 / per_minute
            share.refused, share.refused_until = cost, share.asked_at + wait
            return self._refuse(per_minute, wait)
        share.units += taken - cost
        share.spent = cost
        if share.units:
            asyncio.get_running_loop().call_later(KEPT, self._give_back, account, share)
        return share.balance()

    def refuse(self, refusal: ApiError) -> None:
        """Raises the refusal of an operation for its cost; only counts it where they are measured."""
        if self._mode == "off":
            return
        self._refused += 1
        if self._now() - self._told_at >= TOLD:
            self._observe(AllowancesSpent(self._refused, self._mode))
            self._refused, self._told_at = 0, self._now()
        if self._mode == "enforce":
            raise refusal

    async def balance(self, account: str, per_minute: int) -> Balance:
        """What is left. Never raises RateLimited, and takes nothing."""
        if self._mode == "off":
            return Balance(per_minute, per_minute, 0.0)
        if self._redis is not None:
            try:
                answer: Any = await self._redis.run("EVAL", _TAKE, 1, self._key(account), per_minute, 0, 0)
            except RedisAway:
                pass
            else:
                share = self._shares.get(account)
                _, left = (int(each) for each in answer)
                return _Share(per_minute, 0.0, share.units if share else 0, left).balance()
        return self._here(per_minute, self._full_at.get(account) or 0.0)

    def _ahead(self, share: _Share) -> int:
        """What the account will spend soon, if it goes on as it did since Redis was asked last."""
        elapsed = max(self._now() - share.asked_at, 0.001)
        return min(share.per_minute // SHARE, round(share.spent * AHEAD / elapsed))

    def _give_back(self, account: str, share: _Share) -> None:
        """Gives back what is left of a share, unless more was taken since."""
        if share.units > 0 and self._now() - share.asked_at >= KEPT and self._redis is not None:
            units, share.units = share.units, 0
            command = ("EVAL", _GIVE_BACK, 1, self._key(account), share.per_minute, units)
            task = asyncio.create_task(self._run_if_there(self._redis, *command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run_if_there(self, redis: SharedRedis, *command: str | bytes | int) -> None:
        with suppress(RedisAway):  # the bucket refills by itself
            await redis.run(*command)

    def _take_here(self, account: str, per_minute: int, cost: int) -> Balance:
        """The same without Redis: the bucket is this process' own."""
        before = self._here(per_minute, self._full_at.get(account) or 0.0)
        if before.remaining < cost:
            return self._refuse(per_minute, before.full_in - (per_minute - cost) * 60 / per_minute)
        full_at = self._full_at.put(account, self._now() + before.full_in + cost * 60 / per_minute)
        return self._here(per_minute, full_at)

    def _here(self, per_minute: int, full_at: float) -> Balance:
        full_in = min(60.0, max(0.0, full_at - self._now()))
        return Balance(per_minute, int(per_minute - full_in * per_minute / 60 + 1e-6), full_in)

    def _refuse(self, per_minute: int, seconds: float) -> Balance:
        """Refuses what cannot be had for so long."""
        wait = max(1, ceil(seconds))
        message = f"The allowance of {per_minute:,} a minute is spent. Try again in {wait} seconds."
        self.refuse(RateLimited(message, retry_after=wait, limit=per_minute))
        return Balance(per_minute, 0, 60.0)

    def _key(self, account: str) -> str:
        return f"{self._prefix}:allowance:{account}"
