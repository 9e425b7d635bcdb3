"""Serves an application over HTTP until told to stop. Knows sockets, signals and uvicorn; nothing of what is served."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class AddressTaken(Exception):
    """The address to serve on cannot be had; the message says why and what would help."""


def bind(host: str, port: int) -> socket.socket:
    """A socket at the address, at which nobody is answered yet; raises AddressTaken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        raise AddressTaken(
            f"Port {port} on {host} cannot be had: {error.strerror}. "
            "Set PARALLAX_PORT to another, or end the program that has it."
        ) from error
    return bound


def serve(app: ASGIApp, at: socket.socket, drain_timeout: int, when_ready: Callable[[], None]) -> bool:
    """Serve at a bound socket until SIGINT or SIGTERM, then let running requests end within `drain_timeout` seconds.

    Returns whether the application started.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        # Nothing here asks who the caller is or how they came.
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=drain_timeout,
    )
    server = _Server(config, when_ready)
    server.run(sockets=[at])
    return server.started


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Drain on a signal, and leave it at that: uvicorn raises it again, which would look like a failure."""
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        yield
        for each, handler in before.items():
            signal.signal(each, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready()
