"""The parts that a fault may meet: processes of the suite's own, which it starts, pauses, kills and starts again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import psutil

from bench.driving import Unusable
from bench.servers import ROOT, SERVICE, SETTINGS, STARTS_WITHIN, free_port
from service.embedded.binaries import account, programs
from service.parent import end_with_parent

Launch = Callable[[], "subprocess.Popen[bytes]"]

MOST_CONNECTIONS = 120
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(MOST_CONNECTIONS),
    "shared_buffers": "64MB",
    # Small, so that a disk can be filled.
    "min_wal_size": "4MB",
    "max_wal_size": "32MB",
    # No power fails here: what a process has written is there when it has been killed.
    "fsync": "off",
}


@dataclass
class Part:
    """One process with all that it has started, in the hands of somebody who starts it again when it has ended."""

    name: str
    launch: Launch
    answers: Callable[[], Awaitable[bool]]
    ending: signal.Signals = signal.SIGTERM
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns when it answers; raises Unusable where it ends before."""
        self._process = self.launch()
        self.starts += 1
        async with asyncio.timeout(STARTS_WITHIN):
            while not await self.answers():
                if self._process.poll() is not None:
                    raise Unusable(f"{self.name} ended with {self._process.returncode} when it was started")
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """In order: returns when it has ended. One that is paused goes on first."""
        if self.alive:
            self.resume()
            self._signal(self.ending)
        await self._gone()

    async def kill(self) -> None:
        """Returns when nothing of it is left."""
        for each in self.members():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        await self._gone()

    def pause(self) -> None:
        """The first of its processes first, so that it starts no more."""
        for each in self.members():
            with suppress(psutil.NoSuchProcess):
                each.suspend()

    def resume(self) -> None:
        for each in self.members():
            with suppress(psutil.NoSuchProcess):
                each.resume()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def members(self) -> list[psutil.Process]:
        """Its processes that run, the first one first."""
        if self._process is None or not self.alive:
            return []
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def _signal(self, what: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(what)

    async def _gone(self) -> None:
        async with asyncio.timeout(STARTS_WITHIN):
            while self.alive:
                await asyncio.sleep(0.01)


class Postgres(Part):
    """A cluster in a folder, at a port of its own; its superuser needs no password."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.data = folder / "data"
        self._account = account()
        self._programs = programs(self._account)
        self._log = folder / "postgres.log"
        super().__init__("Postgres", self._launch, self._answers, signal.SIGINT)

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def create(self) -> None:
        """Makes the cluster's files."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._account.take(self.data)
        command = [self._programs / "initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust"]
        command += ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        failed, told = self._account.run([*command, "--wal-segsize=1", "--no-sync"])
        if failed:
            raise Unusable(f"Postgres could not make its files: {told}")

    def _launch(self) -> subprocess.Popen[bytes]:
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # of one that was killed, whose port it may claim
        command = [self._programs / "postgres", "-D", self.data, "-p", str(self.port)]
        command += [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            ends = partial(end_with_parent, signal.SIGQUIT)
            return self._account.popen(command, stdout=log, stderr=log, preexec_fn=ends)

    async def _answers(self) -> bool:
        try:
            conn = await asyncpg.connect(self.dsn, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await conn.close()
        return True


class Redis(Part):
    """A Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__("Redis", self._launch, partial(_is_listened_to, self.port))

    def _launch(self) -> subprocess.Popen[bytes]:
        program = shutil.which("redis-server")
        if program is None:
            raise Unusable("There is no redis-server here. On Debian: apt install redis-server.")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        ends = partial(end_with_parent, signal.SIGKILL)
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=ends)  # noqa: PLW1509 - in the main thread


@dataclass
class Service(Part):
    """A `parallax serve` with these settings; `environment` is what it gets besides when it is next started."""

    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, name: str, settings: Mapping[str, str]) -> Service:
        port = free_port()

        def launch() -> subprocess.Popen[bytes]:
            told = {**SETTINGS, **settings, "PARALLAX_PORT": str(port)}
            return subprocess.Popen(
                [*SERVICE, "--end-with-parent"], cwd=ROOT, env={**os.environ, **told, **service.environment},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        service = cls(name, launch, partial(_serves, port), settings=settings, port=port)
        return service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _is_listened_to(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _serves(port: int) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/readyz", timeout=3)).is_success
        except httpx.TransportError:
            return False
