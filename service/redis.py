"""A Redis that may be away: whoever asks does without it then. Knows nothing of what is kept there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from redis.asyncio import ConnectionPool, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from service.events import Observer, RedisAnswers, RedisFailed, ignore
from service.redis_cluster import MOST_CONNECTIONS, Cluster
from service.redis_pipeline import LATEST, PATIENCE_TO_CONNECT, Late, Lost, Pipeline, Word

PATIENCE = 0.05
"""Seconds that a caller waits at most."""
REST = 0.5
"""Seconds for which a Redis that failed is not asked again."""

FAILURES = (RedisError, RedisClusterException, OSError, TimeoutError)


class RedisAway(Exception):
    """Redis did not answer in time, refused the command, or has failed just now; nothing says whether it was run."""


class Link(Protocol):
    """A way to Redis that is open, to one server or to a cluster."""

    async def run(self, command: tuple[Word, ...], patience: float) -> Any:
        """What Redis answers; raises Late after so many seconds at the latest, and any of FAILURES."""
        ...

    async def close(self) -> None:
        """Ends it. Never raises."""
        ...


class SharedRedis:
    """The Redis of all processes; open between `async with`.

    After a failure it is left alone until it has answered a ping on a new connection: meanwhile calls fail at once, and
    nobody waits. So it is while answers are late. These are still read: in a process that has much to do, it is mostly
    the process that is late, and a connection that is given up amid an answer would have to be made anew just then.
    """

    def __init__(self, url: str, observe: Observer = ignore) -> None:
        """Raises ValueError where the URL will not do; connects to nothing yet."""
        self._connect = _connecting(url)
        self._observe = observe
        self._link: Link | None = None
        self._failed_link: Link | None = None
        """One that failed, and is still to be closed."""
        self._failure: Exception | None = None
        self._reviving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if error := await self._opened():
            self._failed(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reviving:
            self._reviving.cancel()
            await asyncio.wait((self._reviving,))
        link, self._link = self._link, None
        if link:
            await link.close()
        await self._close_failed()

    @property
    def answers(self) -> bool:
        """Whether it has answered since its last failure."""
        return self._link is not None

    async def run(self, *command: Word) -> Any:
        """What Redis answers to a command, given in words; raises RedisAway after `PATIENCE` at the latest."""
        link = self._link
        if link is None:
            raise RedisAway("Redis has not answered since its last failure.") from self._failure
        try:
            return await link.run(command, PATIENCE)
        except Late as late:
            raise RedisAway(str(late)) from None
        except FAILURES as error:
            if link is self._link:  # of calls that fail together, the first tells
                self._failed(error)
            raise RedisAway("Redis did not answer.") from error

    def ask(self, then: Callable[[Any], None], *command: Word) -> bool:
        """Has `then` told what Redis answers, None where it does not; False, with nothing asked, where that takes more.

        For who need not wait in a task: that takes longer than all else.
        """
        link = self._link
        if not isinstance(link, Pipeline):
            return False
        try:
            link.ask(command, PATIENCE, partial(self._told, link, then))
        except Late:
            return False
        return True

    def _told(self, link: Link, then: Callable[[Any], None], told: Any) -> None:
        if isinstance(told, Exception):
            if isinstance(told, FAILURES) and link is self._link:
                self._failed(told)
            told = None
        then(told)

    def _failed(self, error: Exception) -> None:
        self._failed_link, self._link, self._failure = self._link, None, error
        self._observe(RedisFailed(error))
        self._reviving = asyncio.create_task(self._revive())

    def _lost(self, error: Exception) -> None:
        # One that failed before is still open for a while.
        if self._link:
            self._failed(error)

    async def _revive(self) -> None:
        await asyncio.sleep(REST)
        await self._close_failed()
        while error := await self._opened():
            self._failure = error
            await asyncio.sleep(REST)

    async def _close_failed(self) -> None:
        if self._failed_link:
            await self._failed_link.close()
            self._failed_link = None

    async def _opened(self) -> Exception | None:
        """Connects; what is wrong, if anything. That may take longer than any call waits."""
        try:
            self._link = await self._connect(self._lost)
        except FAILURES as error:
            return error
        self._observe(RedisAnswers())
        return None


def _connecting(url: str) -> Callable[[Lost], Awaitable[Link]]:
    # Options in the URL go to the connection, which finds fault with them only when it is made.
    scheme, _, rest = url.partition("://")
    options: dict[str, Any] = {
        "max_connections": MOST_CONNECTIONS,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": PATIENCE_TO_CONNECT,
        "socket_timeout": LATEST,
    }

    def cluster() -> RedisCluster:
        return RedisCluster.from_url(f"{scheme.removesuffix('+cluster')}://{rest}", **options)

    try:
        if scheme.endswith("+cluster"):
            cluster()
            return lambda _: Cluster.opened(cluster())
        pool = ConnectionPool.from_url(url, **options)  # pyright: ignore[reportUnknownMemberType]
        pool.make_connection()
    except (*FAILURES, TypeError) as error:
        raise ValueError(str(error)) from error
    return lambda lost: Pipeline.opened(pool, lost)
