"""Who callers are: anonymous, or whoever has a key that is good now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from hashlib import blake2b
from ipaddress import ip_network
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import orjson

from service.access.addresses import account_of
from service.access.caller import Caller, Credentials, Key
from service.access.keys import digest_of, is_well_formed
from service.access.tiers import Tier, Tiers
from service.db.pool import Database
from service.db.queries import QUERIES
from service.errors import ApiError, Unauthenticated, Unavailable
from service.events import AccessKnown, AccessUnknown, Observer, ignore
from service.remembered import Remembered

REFUSED = "The key is not good: it may be mistyped, revoked, expired, or not for use from here. Nothing more is told."
AWAY = "It cannot be said just now whether the key is good. Try again in a moment."

POLL = 1.0
"""Seconds between looks at whether anything has changed."""
PATIENCE = 1.5
"""Seconds that such a look may take."""
BOUND = 4.0
"""Seconds, since the beginning of the last look that was answered, for which what is known counts."""
REFUSAL = 0.05
"""Seconds that each refusal takes, so that time does not tell what lies behind it."""
MOST = 5_000
"""Keys that are remembered, and as many that are none."""


class Callers:
    """Knows callers by their keys; open between `async with`.

    Whatever changes about a key or a tier holds here within BOUND seconds and the time of one look, whether or not
    Redis is there. A process asks Postgres once a second whether anything has changed, and once for each key that it
    has not seen since; a request by a key that is known asks nobody.
    """

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        away: float = 0.0,
        observe: Observer = ignore,
        now: Callable[[], float] = time.time,
    ) -> None:
        """For `away` seconds more than BOUND, known keys count while Postgres cannot be asked."""
        self._database = database
        self._pepper = pepper
        self._bound = BOUND + away
        self._observe = observe
        self._now = now
        self.tiers = Tiers()
        """As they were at the last look."""
        self._generation: UUID | None = None
        self._looked_at = float("-inf")
        self._knows: bool | None = None
        self._callers = Remembered[bytes, Caller](MOST)
        # The same by a digest that takes an eighth of the time: nobody finds 178 random bits by it.
        self._known = Remembered[bytes, Caller](MOST)
        self._none = Remembered[bytes, bool](MOST)
        self._met = Remembered[bytes, bool](MOST)
        self._asking: dict[object, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look_again_and_again())
        with suppress(ApiError):  # told by the task, which goes on trying
            await self._look()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asking = [self._looking, *self._asking.values()]
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)

    def at_hand(self, given: Credentials) -> Caller | None:
        """The caller, where nobody has to be asked; None where someone has, and where it will be refused."""
        if given.key is None:
            return self._anonymous_at(given)
        if not self._counts():
            return None
        caller = self._known.get(_fingerprint(given.key))
        return caller if caller and self._is_good(caller, given) else None

    def has_met(self, given: Credentials) -> bool:
        """Whether the key was found here before, whatever became of it: who shows it does not try keys."""
        return given.key is not None and bool(self._met.get(digest_of(given.key, self._pepper)))

    async def identify(self, given: Credentials) -> Caller:
        """The caller. Raises Unauthenticated, with nothing that tells why, or Unavailable."""
        began = time.monotonic()
        if given.key is None:
            return self._anonymous_at(given)
        caller = await self._find(digest_of(given.key, self._pepper)) if is_well_formed(given.key) else None
        if caller and self._is_good(caller, given):
            return self._known.put(_fingerprint(given.key), caller)
        await asyncio.sleep(max(0.0, began + REFUSAL - time.monotonic()))
        raise Unauthenticated(REFUSED)

    async def holds(self, caller: Caller) -> bool:
        """Whether a caller is still who they were, and has no feature less.

        While Postgres is away, what is known of the key counts: nothing that they could be told comes from elsewhere.
        """
        if caller.key is None:
            return self.tiers.anonymous.features >= caller.tier.features
        if not caller.key.is_good(self._now()):
            return False
        try:
            found = await self._find(caller.digest)
        except Unavailable:
            return True
        if found is None or found.key is None or not found.key.is_good(self._now()):
            return False
        same_limits = (found.key.origins, found.key.networks) == (caller.key.origins, caller.key.networks)
        return same_limits and found.tier.features >= caller.tier.features

    def _counts(self) -> bool:
        return time.monotonic() - self._looked_at < self._bound

    def _is_good(self, caller: Caller, given: Credentials) -> bool:
        key = caller.key
        return key is not None and key.is_good(self._now()) and key.is_for(given)

    def _anonymous_at(self, given: Credentials) -> Caller:
        return Caller(None, self.tiers.anonymous, account_of(given.address))

    # What Postgres is asked ------------------------------------------------------------------------------------

    async def _find(self, digest: bytes) -> Caller | None:
        """The caller whose key has that digest, None where no key has. Raises Unavailable."""
        await self._until_it_counts()
        while not (caller := self._callers.get(digest)):
            if self._none.get(digest):
                return None
            await self._once(digest, lambda: self._fetch(digest))
        return caller

    async def _until_it_counts(self) -> None:
        if not self._counts():
            await self._look()

    async def _fetch(self, digest: bytes) -> None:
        """Remembers which key has that digest, or that none has; changes nothing where keys have just changed."""
        row = await self._ask("access_key", digest)
        if row["generation"] != self._generation:
            await self._look()
        elif (key := _key_of(row)) and (tier := self.tiers.get(key.tier)):
            self._callers.put(digest, Caller(key, tier, f"key:{key.id}", digest))
            self._met.put(digest, True)
        else:
            self._none.put(digest, True)

    async def _look(self) -> None:
        await self._once("look", self._look_now)

    async def _look_now(self) -> None:
        began = time.monotonic()
        generation = (await self._ask("access_generation"))["generation"]
        if generation != self._generation:
            row = await self._ask("access_tiers")
            self.tiers = Tiers(_tier_of(tier) for tier in orjson.loads(row["tiers"]))
            self._generation = row["generation"]
            for remembered in (self._callers, self._known, self._none):
                remembered.clear()
        self._looked_at = began
        if not self._knows:
            self._knows = True
            self._observe(AccessKnown())

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                await self._look()
            except ApiError as error:
                if self._knows is not False:
                    self._knows = False
                    self._observe(AccessUnknown(error))
            await asyncio.sleep(POLL)

    async def _ask(self, query: str, *parameters: object) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._database.fetch_row(QUERIES[query], parameters)
        except (ApiError, TimeoutError):  # a table that cannot be read is as far away as one that is not there
            raise Unavailable(AWAY) from None

    async def _once(self, what: object, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Asks once for all who want the same meanwhile."""
        task = self._asking.get(what)
        if task is None:
            task = self._asking[what] = asyncio.create_task(ask())
            task.add_done_callback(lambda done: self._answered(what, done))
        await asyncio.shield(task)

    def _answered(self, what: object, task: asyncio.Task[None]) -> None:
        del self._asking[what]
        if not task.cancelled():
            task.exception()  # those who wait are told; where nobody does, nobody has to be


def _fingerprint(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass")).digest()


def _key_of(row: Any) -> Key | None:
    if row["id"] is None:
        return None
    told: dict[str, Any] = {name: row[name] for name in Key.__dataclass_fields__}
    told["origins"] = frozenset(row["origins"])
    told["networks"] = tuple(ip_network(network) for network in row["networks"])
    return Key(**told)


def _tier_of(told: dict[str, Any]) -> Tier:
    told["features"] = frozenset(told["features"])
    return Tier(**told)
