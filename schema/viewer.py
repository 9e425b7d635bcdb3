"""Who is asking, and what they may still ask. Answered by the executor, of what the HTTP layer knows of callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

import strawberry

from schema.directives import FREE
from schema.scalars import Date, DateTime
from schema.vocabulary import Feature


@strawberry.type(description="The key itself is never shown again.", directives=FREE)
class ApiKeyInfo:
    prefix: str = strawberry.field(description="Its first 12 characters, by which it is known to those who gave it.")
    name: str = strawberry.field(description="What it was named when it was made.")
    created_at: DateTime = strawberry.field(description="When it was made.")
    expires_at: DateTime | None = strawberry.field(description="From when on it is refused; null for never.")
    last_used_at: DateTime | None = strawberry.field(
        description="When it was last used, as far as is written down: up to a minute before; null for never."
    )


@strawberry.type(description="What callers of one kind are allowed.", directives=FREE)
class Tier:
    name: str = strawberry.field(description="What it is called.")
    features: list[Feature] = strawberry.field(description="What it includes beyond the open data.")
    cost_per_minute: int = strawberry.field(description="What may be spent in a minute.")
    max_cost_per_request: int = strawberry.field(description="What one operation may cost.")
    max_page_size: int = strawberry.field(description="How many items a page may have.")


@strawberry.type(
    description="An allowance that refills steadily. Before this operation, which costs nothing of it.", directives=FREE
)
class RateLimit:
    limit: int = strawberry.field(description="What may be spent at once where nothing was spent lately.")
    remaining: int = strawberry.field(description="What is left of it now, as far as this server knows.")
    reset_at: DateTime = strawberry.field(description="When it is full again if nothing is spent until then.")


@strawberry.type(description="What was spent on one day.", directives=FREE)
class UsageDay:
    day: Date = strawberry.field(description="In UTC.")
    request_count: int = strawberry.field(description="How many operations were answered, and charged.")
    cost: int = strawberry.field(description="What they cost together.")


class Asker(Protocol):
    """What is known of the caller. The context of an operation has it as `viewer`."""

    @property
    def tier(self) -> Tier: ...

    async def api_key(self) -> ApiKeyInfo | None:
        """The key as it is kept, if there is one."""
        ...

    async def rate_limit(self) -> RateLimit:
        """The present allowance."""
        ...

    async def usage(self, days: int) -> Sequence[UsageDay]:
        """What was spent on the last days, newest first; raises BadUserInput for too many."""
        ...


@strawberry.type(description="Who is asking, and what they may still ask.", directives=FREE)
class Viewer:
    asker: strawberry.Private[Asker]

    @strawberry.field(description="Null for callers without a key.")
    async def api_key(self) -> ApiKeyInfo | None:
        return await self.asker.api_key()

    @strawberry.field(description="What the caller is allowed.")
    def tier(self) -> Tier:
        return self.asker.tier

    @strawberry.field(description="What the caller may still spend.")
    async def rate_limit(self) -> RateLimit:
        return await self.asker.rate_limit()

    @strawberry.field(
        description="What was spent, day by day, newest first; days without use are left out. Empty without a key."
    )
    async def usage(
        self,
        days: Annotated[int, strawberry.argument(description="How many, today the first of them; at most 90.")] = 30,
    ) -> list[UsageDay]:
        return list(await self.asker.usage(days))
