"""What happens in the service and is worth telling. Knows nothing of logs or metrics: whoever emits does not count."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `level` says how much it asks for attention."""

    level: ClassVar[Level] = "info"

    @classmethod
    def name_of(cls) -> str:
        """What it is called in logs and metrics: `redis_failed`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


Observer = Callable[[Event], None]
"""Takes an event and never raises."""


def ignore(event: Event) -> None:
    """The observer that tells nobody."""


@dataclass(frozen=True, slots=True)
class ServingStarted(Event):
    """The service is ready to answer."""


@dataclass(frozen=True, slots=True)
class ServingEnded(Event):
    """Running requests have ended and everything is closed."""


@dataclass(frozen=True, slots=True)
class RequestFailed(Event):
    """A request ended in an error that is not the caller's; `error` is what lies behind it, where that is known."""

    level: ClassVar[Level] = "error"
    request_id: str
    code: str
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class ExportCut(Event):
    """An export that had begun ended before it was whole, for that reason; `error` is told where nobody foresaw it."""

    level: ClassVar[Level] = "warning"
    request_id: str
    code: str
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class CallerLeft(Event):
    """A caller closed the connection before its answer; the statement was cancelled."""

    request_id: str


@dataclass(frozen=True, slots=True)
class ConnectionLost(Event):
    """A connection to Postgres broke under a statement, which is tried once more on a fresh one."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class ConnectionRefused(Event):
    """No connection to Postgres could be made."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class ReplicaLeft(Event):
    """A replica is not read from for now, for that reason: others and the primary are."""

    level: ClassVar[Level] = "warning"
    replica: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReplicaTaken(Event):
    """A replica is read from, for the first time or again."""

    replica: str


@dataclass(frozen=True, slots=True)
class StatementFailed(Event):
    """Postgres refused a statement; `sqlstate` says why. The parameters are not told: they are a caller's."""

    level: ClassVar[Level] = "error"
    sqlstate: str | None
    statement: str


@dataclass(frozen=True, slots=True)
class CacheEntryUnreadable(Event):
    """What was kept for all processes under a key of ours is no answer, and is replaced by one."""

    level: ClassVar[Level] = "warning"


@dataclass(frozen=True, slots=True)
class RefreshFailed(Event):
    """A list that is out of date could not be made anew; it is served for as long as it may."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class FeedLost(Event):
    """Changes are not heard of for now: stories are made anew for each request, and subscribers wait."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class FeedBegun(Event):
    """Changes are heard of from now on; nothing that was kept before counts."""

    database: str


@dataclass(frozen=True, slots=True)
class FeedFound(Event):
    """Changes are heard of again, and those missed have been."""


@dataclass(frozen=True, slots=True)
class ForgettingFailed(Event):
    """Changes that are old enough could not be forgotten; they are kept longer."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class AccessUnknown(Event):
    """Postgres could not be asked whether keys or tiers have changed; keys are refused soon, as unavailable."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class AccessKnown(Event):
    """It is known again which keys are good, or for the first time."""


@dataclass(frozen=True, slots=True)
class AllowancesSpent(Event):
    """So many requests were refused since the last such event, or would have been where they are only measured."""

    count: int
    mode: str


@dataclass(frozen=True, slots=True)
class UsageUnwritten(Event):
    """What callers have spent could not be written down; it is kept, and written later."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class DocumentUnreadable(Event):
    """What was kept for all processes as the document of that id is another text, and is not used."""

    level: ClassVar[Level] = "warning"
    document_id: str


@dataclass(frozen=True, slots=True)
class RedisFailed(Event):
    """Redis did not answer, or refused; it is left alone until it answers again, and the service does without it."""

    level: ClassVar[Level] = "warning"
    error: BaseException


@dataclass(frozen=True, slots=True)
class RedisAnswers(Event):
    """Redis answers, for the first time or again."""
