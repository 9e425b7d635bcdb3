"""Postgres servers of a test's own, on loopback: a primary, and replicas that follow it by streaming replication."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from bench.servers import free_port
from service.embedded.binaries import Account, account, programs
from service.embedded.errors import EmbeddedError
from tests.lacking import lacking

SOON = 30.0
FOLDER = "PARALLAX_TEST_FOLDER"
"""Names where servers of the run keep their data, where that is not where they usually do."""


@dataclass
class Cluster:
    """A Postgres of the test's own on loopback."""

    programs: Path
    account: Account
    data: Path
    port: int = field(default_factory=free_port)

    def run(self, program: str, *arguments: str | Path) -> None:
        failed, told = self.account.run([self.programs / program, *arguments])
        assert not failed, told

    def create(self) -> None:
        """Makes an empty one, and starts it."""
        self.run("initdb", "-D", self.data, "--username=postgres", "--auth=trust", "--no-sync")
        self.start()

    def copy(self, primary: Cluster) -> None:
        """Makes a replica, and starts it."""
        self.run("pg_basebackup", "-D", self.data, "-d", primary.dsn(), "-R", "-X", "stream", "-c", "fast")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        log = self.data.with_suffix(".log")
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", log, "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-D", self.data, "-m", "immediate")

    def kill(self) -> None:
        """Ends it as `kill -9` does, the postmaster last, which would end the others and start anew."""
        self._signal(signal.SIGKILL, *self._children(), self.pid)
        while self.runs:
            time.sleep(0.01)

    def pause(self) -> None:
        """Stops it where it is: it takes connections, and answers nobody, until it is resumed."""
        self._signal(signal.SIGSTOP, self.pid, *self._children())

    def resume(self) -> None:
        self._signal(signal.SIGCONT, *self._children(), self.pid)

    def _signal(self, number: signal.Signals, *pids: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):  # processes for one session come and go
                os.kill(pid, number)

    def _children(self) -> list[int]:
        told = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in told.stdout.split()]

    @property
    def runs(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except (OSError, IndexError, ValueError):
            return False
        return True

    def promote(self) -> None:
        """Makes a replica a primary."""
        self.run("pg_ctl", "promote", "-w", "-D", self.data)

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def dsn(self, port: int | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/postgres"

    async def ask(self, statement: str) -> str:
        """What a statement gives there, as text."""
        async with self.connected() as conn:
            return str(await conn.fetchval(statement))

    async def set(self, name: str, value: str) -> None:
        """Changes a setting of the running server."""
        async with self.connected() as conn:
            await conn.execute(f"alter system set {name} = '{value}'")
            await conn.execute("select pg_reload_conf()")

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
        conn: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(self.dsn())
        try:
            yield conn
        finally:
            await conn.close()

    async def caught_up(self, primary: Cluster) -> None:
        """Until it has all that the primary has now."""
        written = await primary.ask("select pg_current_wal_flush_lsn()::text")
        async with asyncio.timeout(SOON):
            while await self.ask(f"select pg_last_wal_replay_lsn() >= '{written}'") != "True":
                await asyncio.sleep(0.02)


@contextmanager
def clusters(count: int) -> Generator[list[Cluster]]:
    """A primary that runs, and others that are to become its replicas; all of them end."""
    folder, user = Path(tempfile.mkdtemp(dir=os.environ.get(FOLDER))), account()
    user.take(folder)
    found = _programs(user)
    made = [Cluster(found, user, folder / f"server-{number}") for number in range(count)]
    try:
        made[0].create()
        yield made
    finally:
        for each in made:
            if each.runs:
                each.resume()
                each.stop()
        shutil.rmtree(folder)


def _programs(user: Account) -> Path:
    """The folder of Postgres' programs: PARALLAX_TEST_PROGRAMS, the machine's newest, or the embedded ones."""
    if given := os.environ.get("PARALLAX_TEST_PROGRAMS"):
        return Path(given)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_basebackup"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    try:
        return programs(user)
    except EmbeddedError as error:
        lacking(f"NOT TESTED: replicas. There is no pg_basebackup here (Debian: postgresql): {error}")
