"""A client of one process over a connection that it keeps: asks by GET, and tells what came back."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

import orjson

ANSWERS_WITHIN = 10.0
"""Seconds, after which a client has lost its patience: an operation may take five."""


class Broken(Exception):
    """No answer came: the connection could not be made, broke, or said nothing for too long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; headers by their lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def graphql_path(query: str, variables: dict[str, str] | None = None) -> str:
    """The path by which a query is asked."""
    told = f"variables={quote(orjson.dumps(variables))}&" if variables else ""
    return f"/graphql?{told}query={quote(query)}"


class Client:
    """One connection at most; made when it is needed, and anew where it has broken."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._host, self._port = at.hostname, at.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._streams:
            self._streams[1].transport.abort()
        self._streams = None

    async def get(self, path: str) -> Reply:
        """The answer. Raises Broken."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                reader, writer = self._streams = self._streams or await asyncio.open_connection(self._host, self._port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                reply = await _reply(reader)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            raise Broken(f"{type(error).__name__}: {error}") from error
        except asyncio.CancelledError:
            self.close()
            raise
        if reply.headers.get("connection") == "close":
            self.close()
        return reply


async def _reply(reader: asyncio.StreamReader) -> Reply:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers["content-length"]))
    return Reply(int(first.split(" ", 2)[1]), headers, body)


async def patiently(url: str, path: str, seconds: float) -> Reply:
    """The first answer of status 200 within so many seconds; raises Broken where there was none."""
    end = time.monotonic() + seconds
    async with Client(url) as client:
        while time.monotonic() < end:
            with suppress(Broken):
                reply = await client.get(path)
                if reply.status == 200:
                    return reply
            await asyncio.sleep(0.05)
    raise Broken(f"no answer of status 200 within {seconds:g} s")
