"""Redis on many nodes, by redis-py's own client, which knows which key is where. Knows nothing of what is kept."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Self, cast

from redis.asyncio import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from service.redis_pipeline import LATEST, PATIENCE_TO_CONNECT, Late, Word

MOST_CONNECTIONS = 16


class Cluster:
    """Runs commands as Pipeline does, each on a connection of its own.

    One that is late goes on in a task of its own: its connection could not be used any more, were it cut off.
    """

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        # Not redis' own pool that blocks: it loses cancellations, and with them the end of a wait.
        self._connections = asyncio.Semaphore(MOST_CONNECTIONS)
        self._calls: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Any]] = set()

    @classmethod
    async def opened(cls, client: RedisCluster) -> Self:
        """A cluster that has answered a ping."""
        cluster = cls(client)
        try:
            async with asyncio.timeout(PATIENCE_TO_CONNECT):
                await cluster._execute("PING")
        except BaseException:
            await cluster._end()
            raise
        return cluster

    async def run(self, command: tuple[Word, ...], patience: float) -> Any:
        """What Redis answers; raises Late after so many seconds at the latest, and what redis-py raises."""
        if self._late:
            raise Late("Redis is late to answer others.")
        call = asyncio.create_task(self._execute(*command))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        await asyncio.wait((call,), timeout=patience)
        if not call.done():
            self._late.add(call)
            raise Late("Redis did not answer in time.")
        return call.result()

    async def close(self) -> None:
        """Ends all connections, when who waits has an answer or none that can be expected."""
        # They end soon, and what is cut off would be left open.
        if self._calls:
            await asyncio.wait(self._calls, timeout=2 * LATEST)
        await self._end()

    async def _end(self) -> None:
        await self._client.aclose()
        # That closes nothing where a node has just failed: then the client was about to look for the cluster anew.
        nodes = self._client.nodes_manager
        for node in (*nodes.nodes_cache.values(), *nodes.startup_nodes.values()):
            with suppress(RedisError, OSError):
                await node.disconnect()

    async def _execute(self, *command: Word) -> Any:
        async with self._connections:
            try:
                return await cast("Any", self._client).execute_command(*command)  # its own type is known in part only
            except (RedisError, RedisClusterException, OSError, TimeoutError):
                raise
            except Exception as error:
                # Where a node dies, the client closes connections by which other calls are just being sent, and these
                # then fail in whatever way they find that (AttributeError, with 8.1).
                raise RedisError("The connection was closed meanwhile.") from error

    def _ended(self, call: asyncio.Task[Any]) -> None:
        self._calls.discard(call)
        self._late.discard(call)
        if not call.cancelled():
            call.exception()  # of one that was late, nobody else asks for it
