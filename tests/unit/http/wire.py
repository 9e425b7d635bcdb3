"""uvicorn's protocols without a socket: what they are sent, and what they write."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002
        return default

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def connected(app: ASGIApp, kind: type[HttpToolsProtocol] = HttpToolsProtocol) -> tuple[HttpToolsProtocol, Wire]:
    """A protocol of that kind on a wire, which serves an application."""
    config = uvicorn.Config(app, http=kind, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Wed, 25 Nov 2026 12:00:00 GMT")]
    protocol, wire = kind(config, state, {}), Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def answered(protocol: HttpToolsProtocol, number: int = 1) -> None:
    """Waits until there are so many answers."""
    async with asyncio.timeout(5):
        while protocol.server_state.total_requests < number:
            await asyncio.sleep(0)


async def wire_of(
    app: ASGIApp, *request: bytes, answers: int = 1, kind: type[HttpToolsProtocol] = HttpToolsProtocol
) -> Wire:
    """What was written to such a request, which comes in parts, once there are so many answers.

    `closed` is then whether the protocol has closed the connection.
    """
    protocol, wire = connected(app, kind)
    for part in request:
        protocol.data_received(part)
        await asyncio.sleep(0.001)
    await answered(protocol, answers)
    closed = wire.closed
    protocol.connection_lost(None)
    wire.closed = closed
    return wire
