"""One connection to a Redis server, by which commands follow each other. Knows nothing of what to do without Redis."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Self, cast

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, InvalidResponse, ResponseError  # noqa: A004 - it is Redis' own

PATIENCE_TO_CONNECT = 2.0
PAUSE_TO_CLOSE = 0.002
LATEST = 1.0
"""Seconds after which an answer for which nobody waits any more is not expected any more."""
MOST_ASKED = 4_000
"""Commands on their way: more could not be answered in time."""
MOST_UNSENT = 8_000_000
"""Bytes that Redis has not taken yet."""

_INCOMPLETE = object()
_pack = cast("Callable[[tuple[Word, ...]], bytes]", hiredis.pack_command)  # pyright: ignore[reportUnknownMemberType]

Word = str | bytes | int | float
Lost = Callable[[Exception], None]
Then = Callable[[Any], None]
"""Is told what Redis answers, or the exception that there is in its place; once."""


class _Asked:
    """Who is to be told the answer to a command, until they are, and until when, by the clock of the event loop."""

    __slots__ = ("then", "until")

    def __init__(self, then: Then, until: float) -> None:
        self.then: Then | None = then
        self.until = until


class Late(Exception):
    """No answer in time, or none to be expected in time. It is read when it comes, though nobody waits."""


class Pipeline(asyncio.Protocol):
    """Sends commands without waiting for the answers to those before; Redis answers in the same order.

    redis-py makes the connection, so that TLS, passwords, sockets and whatever else a URL asks for are as it has them;
    then the bytes go by here, which takes 5 µs for a command instead of 60. Each command keeps its place until it is
    answered, also when nobody waits any more: else the next would get its answer.
    """

    def __init__(self, connection: AbstractConnection, lost: Lost) -> None:
        self._connection = connection
        self._lost: Lost | None = lost
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse, replyError=ResponseError, notEnoughData=_INCOMPLETE
        )
        self._asked: deque[_Asked] = deque()
        self._unsent: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_full = self._is_late = False
        self._transport = cast("Any", connection)._writer.transport  # noqa: SLF001 - there is no other way to it
        self._transport.set_write_buffer_limits(high=MOST_UNSENT)
        self._transport.set_protocol(self)

    @classmethod
    async def opened(cls, pool: ConnectionPool, lost: Lost) -> Self:
        """A new connection, whose server has answered a ping; `lost` is told when it ends by itself."""
        connection = pool.make_connection()
        try:
            async with asyncio.timeout(PATIENCE_TO_CONNECT):
                await _ready(connection)
            return cls(connection, lost)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    async def run(self, command: tuple[Word, ...], patience: float) -> Any:
        """What Redis answers; raises Late after so many seconds at the latest, and what redis-py raises."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self.ask(command, patience, partial(_give, answer))
        return await answer

    def ask(self, command: tuple[Word, ...], patience: float, then: Then) -> None:
        """The same, for who does not wait. Raises Late where no answer is to be expected."""
        if self._is_late or self._is_full or len(self._asked) >= MOST_ASKED:
            raise Late("Redis is late to answer others.")
        packed = _pack(command)
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(packed)
        self._asked.append(_Asked(then, self._loop.time() + patience))
        if self._timer is None:
            self._timer = self._loop.call_later(patience, self._look)

    async def close(self) -> None:
        """Ends the connection, when who waits has an answer or none in time."""
        try:
            while any(asked.then for asked in self._asked):  # noqa: ASYNC110 - an event would cost each who asks
                await asyncio.sleep(PAUSE_TO_CLOSE)
        finally:
            self._lost = None
            self._end(ConnectionError("The connection was closed."))
            await self._connection.disconnect(nowait=True)

    # What the event loop tells ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (told := self._reader.gets(False)) is not _INCOMPLETE:
                if not isinstance(told, hiredis.PushNotification):
                    self._tell(self._asked.popleft(), told)
        except IndexError:
            self._end(InvalidResponse("Redis told what nobody asked."))
        except InvalidResponse as error:
            self._end(error)
        self._is_late = self._is_late and bool(self._asked)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("Redis closed the connection."))

    # ------------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        # Together, since each write is a call of the kernel.
        unsent, self._unsent = self._unsent, []
        if unsent:
            self._transport.writelines(unsent)

    def _look(self) -> None:
        """Gives up waiting where it was too long, and the connection where it was far too long."""
        now = self._loop.time()
        self._timer = None
        for asked in self._asked:
            if asked.until > now:
                break
            self._is_late = True
            self._tell(asked, Late("Redis did not answer in time."))
        if not self._asked:
            return
        oldest = self._asked[0].until
        if oldest + LATEST < now:
            self._end(TimeoutError("Redis did not answer at all."))
            return
        following = next((asked.until for asked in self._asked if asked.until > now), oldest + LATEST)
        self._timer = self._loop.call_at(following, self._look)

    def _end(self, error: Exception) -> None:
        self._transport.abort()
        if self._timer:
            self._timer.cancel()
        waiting, self._asked, self._unsent = self._asked, deque(), []
        lost, self._lost = self._lost, None
        try:
            if lost:
                lost(error)  # first, so that who is told asks here no more
        finally:
            for asked in waiting:
                self._tell(asked, ConnectionError(str(error)))

    def _tell(self, asked: _Asked, told: Any) -> None:
        then, asked.then = asked.then, None
        if then is None:  # that it is late
            return
        try:
            then(told)
        except Exception as error:  # noqa: BLE001 - it is not Redis' fault, and others are still to be told
            self._loop.call_exception_handler(
                {"message": "Who was told what Redis answers failed.", "exception": error}
            )


async def _ready(connection: AbstractConnection) -> None:
    await connection.connect()
    await connection.send_command("PING")
    await connection.read_response()
    if await connection.can_read():
        raise ConnectionError("Redis has ended the connection, or told what nobody asked.")


def _give(answer: asyncio.Future[Any], told: Any) -> None:
    if answer.done():  # whoever asked has left
        return
    if isinstance(told, Exception):
        answer.set_exception(told)
    else:
        answer.set_result(told)
