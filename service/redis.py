"""A Redis that may be away: whoever asks does without it then. Knows nothing of what is kept there."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self, cast

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from service.events import Observer, RedisAnswers, RedisFailed, ignore

PATIENCE = 0.05
"""Seconds that a caller waits at most, for a connection and the answer together."""
PATIENCE_TO_CONNECT = 2.0
LATEST = 1.0
"""Seconds after which an answer for which nobody waits any more is not expected any more."""
REST = 0.5
"""Seconds for which a Redis that failed is not asked again."""
MOST_CONNECTIONS = 16

FAILURES = (RedisError, RedisClusterException, OSError, TimeoutError)

Word = str | bytes | int | float


class RedisAway(Exception):
    """Redis did not answer in time, refused the command, or has failed just now; nothing says whether it was run."""


class SharedRedis:
    """The Redis of all processes, over a pool of connections; open between `async with`.

    After a failure it is left alone until it has answered a ping: meanwhile calls fail at once, and nobody waits. So it
    is while answers are late. These are still read: in a process that has much to do, it is mostly the process that is
    late, and a connection that is given up amid an answer would have to be made anew just then.
    """

    def __init__(self, url: str, observe: Observer = ignore) -> None:
        """Raises ValueError where the URL will not do; connects to nothing yet."""
        self._client = _client(url)
        self._observe = observe
        # Not redis' own pool that blocks: it loses cancellations, and with them the end of a wait.
        self._connections = asyncio.Semaphore(MOST_CONNECTIONS)
        self._calls: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Any]] = set()
        self._answers = False
        self._failure: Exception | None = None
        self._reviving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if error := await self._ping():
            self._failed(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reviving:
            self._reviving.cancel()
            await asyncio.wait((self._reviving,))
        # Whoever comes from now on would open a connection that nobody closes.
        self._answers = False
        # They end soon, and what is cut off would be left open.
        if self._calls:
            await asyncio.wait(self._calls, timeout=PATIENCE_TO_CONNECT)
        await self._client.aclose()

    @property
    def is_cluster(self) -> bool:
        """Whether keys are on many nodes, so that one command reads those of one hash tag only."""
        return isinstance(self._client, RedisCluster)

    async def run(self, *command: Word) -> Any:
        """What Redis answers to a command, given in words; raises RedisAway after `PATIENCE` at the latest."""
        if not self._answers:
            raise RedisAway("Redis has not answered since its last failure.") from self._failure
        if self._late:
            raise RedisAway("Redis is late to answer others.")
        call = asyncio.create_task(self._execute(*command))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        await asyncio.wait((call,), timeout=PATIENCE)
        if not call.done():
            self._late.add(call)
            raise RedisAway("Redis did not answer in time.")
        try:
            return call.result()
        except FAILURES as error:
            raise RedisAway("Redis did not answer.") from error

    async def _execute(self, *command: Word) -> Any:
        async with self._connections:
            return await cast("Any", self._client).execute_command(*command)  # its own type is known in part only

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        self._late.discard(call)
        if not call.cancelled() and isinstance(error := call.exception(), FAILURES):
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        # Of calls that fail together, the first tells.
        if self._reviving is None or self._answers:
            self._answers, self._failure = False, error
            self._observe(RedisFailed(error))
            self._reviving = asyncio.create_task(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        await asyncio.sleep(REST)
        while error := await self._ping():
            self._failure = error
            await asyncio.sleep(REST)

    async def _ping(self) -> Exception | None:
        """What is wrong, if anything. A new connection may take longer than any call waits, so this one is patient."""
        try:
            async with asyncio.timeout(PATIENCE_TO_CONNECT):
                await self._execute("PING")
        except FAILURES as error:
            return error
        self._answers = True
        self._observe(RedisAnswers())
        return None


def _client(url: str) -> Redis | RedisCluster:
    # Options in the URL go to the connection, which finds fault with them only when it is made.
    scheme, _, rest = url.partition("://")
    options: dict[str, Any] = {
        "max_connections": MOST_CONNECTIONS,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": PATIENCE_TO_CONNECT,
        "socket_timeout": LATEST,
    }
    try:
        if scheme.endswith("+cluster"):
            return RedisCluster.from_url(f"{scheme.removesuffix('+cluster')}://{rest}", **options)
        pool = ConnectionPool.from_url(url, **options)  # pyright: ignore[reportUnknownMemberType]
        pool.make_connection()
    except (*FAILURES, TypeError) as error:
        raise ValueError(str(error)) from error
    return Redis.from_pool(pool)
