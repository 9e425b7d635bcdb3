"""Lets callers in: who they are, what they may see, and what an operation takes of their allowance."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from schema.vocabulary import Feature
from service.access.addresses import account_of
from service.access.caller import Caller, Credentials
from service.access.callers import Callers
from service.access.limits import Allowances, Balance
from service.access.tiers import Tier
from service.access.usage import Usage
from service.errors import ApiError, CostLimitExceeded, RateLimited, Unauthenticated
from service.paces import Paces
from service.planner import Allowed, Call
from service.remembered import Remembered
from service.settings import Settings

UNCHARGED_A_MINUTE = 600
"""Operations a minute of one address that ask for `viewer` and `service` alone, and are answered for nothing."""
REFUSED_A_MINUTE = 60
"""Keys a minute of one address that may turn out to be none, before it has to wait: nobody finds a key by trying."""


MOST_STRANGERS = 5_000
"""Addresses of which it is remembered what a caller without a key is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What tells apart callers whose documents and plans differ. Equal only to itself, which is quick to find by."""

    allowed: Allowed
    registered_only: bool


class Guest(NamedTuple):
    """A caller who was let in, with the address they came from."""

    caller: Caller
    terms: Terms
    address: str


class Admission:
    """Lets callers in, and charges them."""

    def __init__(self, callers: Callers, allowances: Allowances, usage: Usage, settings: Settings) -> None:
        self._callers = callers
        self._allowances = allowances
        self._usage = usage
        self._settings = settings
        self._tiers = callers.tiers
        self._terms: dict[tuple[str, bool], Terms] = {}
        self._strangers = Remembered[str, Guest](MOST_STRANGERS)
        self._paces = Paces()

    def known(self, given: Credentials) -> Guest | None:
        """The caller of those credentials, where nobody has to be asked."""
        if given.key is None and self._tiers is self._callers.tiers and (guest := self._strangers.get(given.address)):
            return guest
        caller = self._callers.at_hand(given)
        if caller is None:
            return None
        guest = self._guest(caller, given)
        return guest if caller.key is not None else self._strangers.put(given.address, guest)

    async def admit(self, given: Credentials) -> Guest:
        """The caller of those credentials. Raises Unauthenticated, RateLimited or Unavailable."""
        return self.known(given) or self._guest(await self._identified(given), given)

    def _guest(self, caller: Caller, given: Credentials) -> Guest:
        return Guest(caller, self._terms_of(caller), given.address)

    def may_read_now(self, guest: Guest) -> bool:
        """Whether what a guest sent is read at once: `reading` would neither wait, nor refuse, nor ask anybody."""
        caller = guest.caller
        balance = self._allowances.spend_at_hand(caller.account, caller.tier.cost_per_minute, 0)
        return balance is not None and balance.remaining >= 1 and self._paces.is_free(caller.account)

    @asynccontextmanager
    async def reading(self, guest: Guest) -> AsyncGenerator[None]:
        """What a guest sent is read within, whatever it came by.

        Nothing is read for who has nothing left, and who was refused just before has to wait; a refusal has its price.
        Raises RateLimited.
        """
        await self._refuse_spent(guest)
        async with self.charging_refusals(guest), self._paces.turn(guest.caller.account):
            yield

    async def _refuse_spent(self, guest: Guest) -> None:
        """Raises RateLimited for who has nothing left, before anything is read for them.

        They are still read for so often a minute, for they may ask for `viewer` and `service` alone.
        """
        if (await self.balance(guest)).remaining < 1:
            open_still = await self._allowances.balance(_uncharged(guest), UNCHARGED_A_MINUTE)
            if open_still.remaining < 1:
                await self._allowances.spend(guest.caller.account, guest.caller.tier.cost_per_minute, 1)
            await self._allowances.spend(_uncharged(guest), UNCHARGED_A_MINUTE, 1)

    async def charge(self, guest: Guest, call: Call) -> Balance:
        """Takes what a call costs; what is left then. Raises CostLimitExceeded or RateLimited, and takes nothing."""
        tier, account = self._tier_of(guest), guest.caller.account
        if call.cost > tier.max_cost_per_request:
            self._allowances.refuse(_too_dear(call, tier))
        if call.uncharged:
            await self._allowances.spend(_uncharged(guest), UNCHARGED_A_MINUTE, 1)
            return await self._allowances.balance(account, tier.cost_per_minute)
        return await self._spent(guest, call.cost)

    def charged_at_hand(self, guest: Guest, call: Call) -> Balance | None:
        """The same for a guest who came just now, where it needs nobody; None, with nothing taken, where it does."""
        tier, cost = guest.caller.tier, call.cost
        if cost > tier.max_cost_per_request or call.uncharged:
            return None
        balance = self._allowances.spend_at_hand(guest.caller.account, tier.cost_per_minute, cost)
        if balance is not None:
            self._count(guest, cost)
        return balance

    @asynccontextmanager
    async def charging_refusals(self, guest: Guest) -> AsyncGenerator[None]:
        """Takes what is due for a request that is refused within the block. May raise RateLimited instead."""
        try:
            yield
        except ApiError as refusal:
            if refusal.price:
                await self._spent(guest, refusal.price)
            raise

    async def balance(self, guest: Guest) -> Balance:
        """What is left."""
        return await self._allowances.balance(guest.caller.account, self._tier_of(guest).cost_per_minute)

    async def _spent(self, guest: Guest, cost: int) -> Balance:
        balance = await self._allowances.spend(guest.caller.account, self._tier_of(guest).cost_per_minute, cost)
        self._count(guest, cost)
        return balance

    def _count(self, guest: Guest, cost: int) -> None:
        if guest.caller.key is not None:
            self._usage.spent(guest.caller.key.id, cost)

    def _tier_of(self, guest: Guest) -> Tier:
        """The caller's tier as it is now: a socket may have been opened when another budget held."""
        return self._callers.tiers.get(guest.caller.tier.name) or guest.caller.tier

    async def _identified(self, given: Credentials) -> Caller:
        """The caller of a key that is not known here yet."""
        account = f"refused:{account_of(given.address)}"
        # Each change of any key has all forgotten: those met before must not wait for who tries keys beside them.
        tries = not self._callers.has_met(given)
        if tries and (await self._allowances.balance(account, REFUSED_A_MINUTE)).remaining < 1:
            raise RateLimited("Too many keys from this address were refused. Try again in a moment.", retry_after=1)
        try:
            return await self._callers.identify(given)
        except Unauthenticated:
            await self._allowances.spend(account, REFUSED_A_MINUTE, 1)
            raise

    def _terms_of(self, caller: Caller) -> Terms:
        if self._tiers is not self._callers.tiers:
            self._tiers = self._callers.tiers
            self._terms.clear()
            self._strangers.clear()
        of = caller.tier.name, caller.key is None
        terms = self._terms.get(of)
        if terms is None:
            terms = self._terms[of] = self._new_terms(caller)
        return terms

    def _new_terms(self, caller: Caller) -> Terms:
        granted = frozenset[str](self._settings.granted_features)
        least = ((each.name, self._tiers.least_with(each.name)) for each in Feature)
        allowed = Allowed(
            caller.tier.features | granted,
            min(caller.tier.max_page_size, self._settings.max_page_size),
            tuple((feature, tier) for feature, tier in least if tier),
        )
        return Terms(allowed, self._settings.registered_only and caller.key is None)


def _uncharged(guest: Guest) -> str:
    """The account of what costs nothing, of all callers from one place together."""
    return f"uncharged:{account_of(guest.address)}"


def _too_dear(call: Call, tier: Tier) -> CostLimitExceeded:
    most = tier.max_cost_per_request
    return CostLimitExceeded(
        f"The operation costs {call.cost:,}, which is {call.cost - most:,} more than one operation of the tier "
        f"{tier.name} may: {most:,}. `{call.heaviest}` weighs most.",
        extensions={"requested": call.cost, "limit": most, "heaviest": call.heaviest},
    )
