"""Serves an application over HTTP until told to stop. Knows sockets, signals and uvicorn; nothing of what is served."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from service.heads import bounded_heads
from service.http.handshakes import AnswersHandshakes
from service.http.protocol import Answerer, answers_at_hand
from service.settings import Settings

BACKLOG = 2_048
"""Connections that wait to be taken."""
SWITCH = 0.0005
"""Seconds after which a thread that reads a long document lets the loop go on, where it has something to do."""
YOUNG = 20_000
"""Objects from which on Python looks for cycles among the new: more than live while thousands are told of a change."""


LARGEST_MANAGEMENT = 10_000
PATIENCE_WITH_MANAGEMENT = 10.0
"""Bytes and seconds that a request of an operator's may take."""


class Servable(Protocol):
    """An ASGI application that can be told to end what would stay open for ever, with one for operators beside it."""

    @property
    def at_hand(self) -> Answerer: ...

    @property
    def drain(self) -> Callable[[], None]: ...

    @property
    def management(self) -> ASGIApp: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class AddressTaken(Exception):
    """The address to serve on cannot be had; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Place:
    """A socket at an address, at which nobody is answered yet, and the setting that says which port it has."""

    socket: socket.socket
    setting: str

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def listen(self) -> None:
        """Lets connections in. Raises AddressTaken where another program has come first meanwhile."""
        try:
            self.socket.listen(BACKLOG)
        except OSError as error:
            host, port = self.socket.getsockname()[:2]
            raise _taken(host, port, self.setting, error) from error


def bind(host: str, port: int, setting: str) -> Place:
    """A place to serve at; raises AddressTaken, which names the port's setting."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        raise _taken(host, port, setting, error) from error
    return Place(bound, setting)


def _taken(host: str, port: int, setting: str, error: OSError) -> AddressTaken:
    return AddressTaken(f"Port {port} on {host} cannot be had: {error.strerror}. {_help_for(error, setting)}")


def _help_for(error: OSError, setting: str) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "Set PARALLAX_HOST to an address of this machine."
    if error.errno == errno.EACCES:
        return f"Set {setting} to one above 1023, or let this user have lower ones."
    return f"Set {setting} to another, or end the program that has it."


def serve(
    app: Servable,
    public: Place,
    management: Place,
    when_ready: Callable[[], None],
    settings: Settings,
) -> bool:
    """Serve until SIGINT or SIGTERM, then let running requests end within the time set for that.

    Returns whether the application started. Raises AddressTaken.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=answers_at_hand(app.at_hand, settings.max_body_bytes, settings.body_timeout),
        ws=AnswersHandshakes,
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.heartbeat,
        ws_ping_timeout=settings.heartbeat,
        # Compression would keep a dictionary for each of thousands of sockets.
        ws_per_message_deflate=False,
        # The application does it, for the proxies that are trusted.
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_timeout,
    )
    server = _Server(config, (public, management), app, when_ready)
    server.run(sockets=[public.socket])
    if server.refused:
        raise server.refused
    return server.started


class _Management:
    """What operators are served, beside the public: from before the first request of these until after the last."""

    def __init__(self, app: ASGIApp, at: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=bounded_heads(LARGEST_MANAGEMENT, PATIENCE_WITH_MANAGEMENT),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # Whoever does not read what they asked for must not keep the process from ending.
            timeout_graceful_shutdown=1,
        )
        self._server = QuietServer(config)
        self._socket = at

    def start(self) -> None:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        await self._serving


class QuietServer(uvicorn.Server):
    """A server that leaves signals alone: somebody else tells it when to end."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, places: tuple[Place, Place], app: Servable, when_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._places = places
        self._management = _Management(app.management, places[1].socket)
        self._when_ready = when_ready
        self._when_ending = app.drain
        self.refused: AddressTaken | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._when_ending()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Drain on a signal, and leave it at that: uvicorn raises it again, which would look like a failure."""
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        yield
        for each, handler in before.items():
            signal.signal(each, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            for place in self._places:
                place.listen()
        except AddressTaken as taken:
            self.refused, self.should_exit = taken, True
            return
        await super().startup(sockets)
        if self.started:
            self._management.start()
            _spare_pauses()
            sys.setswitchinterval(SWITCH)
            self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._management.stop()


def _spare_pauses() -> None:
    """Has Python look for cycles seldom, and not among what is there for good: everybody waits while it looks.

    Nor is that looked through now: of what is imported and made only 1.5 MB are cycles that nobody needs any more.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    gc.enable()
