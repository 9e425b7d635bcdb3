"""The pool of connections to Postgres. Knows how a read can fail and what to make of it; nothing of what is read."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from service.db.connections import Connections
from service.errors import ApiError, BadUserInput, CursorExpired, Internal, OperationTimeout, Unavailable
from service.events import ConnectionLost, ConnectionRefused, Observer, StatementFailed, ignore
from service.settings import Settings
from service.within import Within

T = TypeVar("T")

APPLICATION_NAME = "parallax"

SAFE_TO_TELL: Mapping[str, type[ApiError]] = {"PLX01": BadUserInput, "PLX02": CursorExpired}
"""By SQLSTATE, what our own SQL raises about a caller's value, with a message meant for that caller."""

PATIENCE = 0.5
"""The part of an operation's time for which it waits for a connection at most. Who began later would often not be done
in time, and Postgres would have worked for nothing: the more came, the fewer would be answered."""

UNHEARD = 2
"""Seconds after which a connection is lost on which nobody acknowledges what is sent: a network that forgets it tells
neither end. Else each that is forgotten would cost an operation all of its time, where another is had at once."""
READ_WRITE = "target_session_attrs=read-write"

AWAY = "The database cannot be reached. Try again in a moment."
BUSY = "No connection to the database came free in time. Try again in a moment."
TOO_SLOW = "The operation took longer than an operation may. Ask for less, or narrow its filters."


class Away(Unavailable):
    """This database cannot be reached, or could not end a statement; another that has the same may."""


# What breaks with a connection. A statement that met one of these had only read, so it can be tried again.
_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    # A connection that was told of its end while it was idle is still at reading that when the next statement comes.
    asyncpg.InternalClientError,
)
# What a replica took away from under a statement, as the primary had removed it: the connection is as good as before.
_TAKEN_AWAY = (asyncpg.TransactionRollbackError,)


class Session(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument]  # generic in the stubs only
    """A connection that goes back to the pool without a reset, which would be one more round trip for each request.

    Nothing that runs here may leave session state behind: single statements only, no SET, no LISTEN.
    """

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        reached_by: socket.socket | None = transport.get_extra_info("socket")
        if reached_by is not None and reached_by.family != socket.AF_UNIX and sys.platform == "linux":
            reached_by.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD * 1_000)
            # Who waits for an answer has nothing on its way that could be missed: so something is, each second.
            reached_by.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            reached_by.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            reached_by.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)

    def get_reset_query(self) -> str:
        return ""


class Database:
    """Reads from Postgres. Every failure arrives as one of service.errors, with nothing internal in its message.

    There are two pools. Most statements are planned once for each connection (`_settled`). A selective one, whose best
    plan depends on its parameters (a search, a range of time), is planned for each call (`_replanning`): a plan for any
    word would walk all stories for a rare one. Postgres has a setting for that, but sessions keep theirs here.
    """

    _settled: Connections
    _replanning: Connections

    def __init__(self, dsn: str, settings: Settings, observe: Observer = ignore) -> None:
        self._dsn = dsn
        self._size = settings.pool_size
        self._timeout = settings.operation_timeout
        self._prepares = settings.prepared_statements
        self._observe = observe

    async def __aenter__(self) -> Self:
        """Opens the pool. It connects when it is asked to read, so it opens whether Postgres is there or not."""
        self._settled = await self._open(self._size)
        self._replanning = await self._open(max(2, self._size // 2), plan_cache_mode="force_custom_plan")
        return self

    async def _open(self, size: int, **settings: str) -> Connections:
        pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            timeout=self._timeout,
            # Of several hosts: the sessions here are read only, so none of them would count as `read-write`.
            target_session_attrs=SessionAttribute.primary if READ_WRITE in self._dsn else None,
            connection_class=Session,
            # Every operation's shape is a statement of its own, some of them long: keep all that clients use.
            statement_cache_size=1_000 if self._prepares else 0,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings={
                "application_name": APPLICATION_NAME,
                "timezone": "UTC",
                "jit": "off",
                # Pages are in memory or on a solid disk. The default, made for turning disks, would rather walk 20,000
                # rows than fetch the 3,000 that a word is in: 186 ms against 6.
                "random_page_cost": "1.1",
                "statement_timeout": f"{self._timeout * 1_000:.0f}",
                "default_transaction_read_only": "on",
                **settings,
            },
        )
        return Connections(pool, size)

    async def __aexit__(self, *_: object) -> None:
        """Waits for running statements, then closes every connection."""
        # A connection that has died meanwhile says so when it is closed; the pool then ends the rest by itself.
        for closed in await asyncio.gather(self._settled.close(), self._replanning.close(), return_exceptions=True):
            if isinstance(closed, BaseException) and not isinstance(closed, _LOST):
                raise closed

    @property
    def connections(self) -> tuple[Connections, Connections]:
        """The connections of those that are settled, and of those that plan each call anew; once it is open."""
        return self._settled, self._replanning

    async def fetch_row(
        self,
        statement: str,
        parameters: Sequence[Any] = (),
        *,
        selective: bool = False,
        deadline: float | None = None,
    ) -> asyncpg.Record | None:
        """The first row of a statement that only reads, or None, until a time of the loop or within an operation's.

        Whoever is cancelled while waiting cancels the statement in Postgres too. Raises Unavailable, OperationTimeout,
        BadUserInput or Internal.
        """
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self._timeout
        connections = self._replanning if selective else self._settled
        try:
            return await self._attempt(connections, Session.fetchrow, statement, parameters, deadline)
        except _LOST as error:
            self._observe(ConnectionLost(error))
        # The others of the pool have probably broken with it.
        await asyncio.gather(self._settled.expire(), self._replanning.expire())
        try:
            return await self._attempt(connections, Session.fetchrow, statement, parameters, deadline)
        except _LOST as error:
            raise Away(AWAY) from error

    async def fetch_rows(self, statement: str, parameters: Sequence[Any]) -> list[asyncpg.Record]:
        """All rows of a statement that only reads, tried once: raises what a lost connection raises too."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        return await self._attempt(self._settled, Session.fetch, statement, parameters, deadline)

    async def _attempt(
        self,
        connections: Connections,
        fetch: Callable[..., Coroutine[Any, Any, T]],
        statement: str,
        parameters: Sequence[Any],
        deadline: float,
    ) -> T:
        try:
            held = await connections.take(deadline, patience=self._timeout * PATIENCE)
        except TimeoutError as error:
            raise Unavailable(BUSY) from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._observe(ConnectionRefused(error))
            raise Away(AWAY) from error
        is_good = False
        try:
            with Within(deadline - asyncio.get_running_loop().time()):
                rows = await fetch(held.connection, statement, *parameters)
            is_good = True
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            if isinstance(error, TimeoutError) and error.errno is not None:
                raise  # the connection's
            raise OperationTimeout(TOO_SLOW) from error
        except _LOST:
            raise
        except _TAKEN_AWAY as error:
            raise Away(AWAY) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._refusal(statement, error) from error
        finally:
            if not (is_good and connections.keep(held)):
                connections.give_up(held)
        return rows

    def _refusal(self, statement: str, error: Exception) -> ApiError:
        sqlstate = cast("str | None", getattr(error, "sqlstate", None))
        if sqlstate is not None and sqlstate in SAFE_TO_TELL:
            return SAFE_TO_TELL[sqlstate](str(error))
        self._observe(StatementFailed(sqlstate, statement))
        return Internal()
