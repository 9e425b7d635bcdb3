"""PgBouncer as tests meet it: set as docs/scaling.md says, on loopback, before the server of the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bench.servers import free_port
from service.embedded.binaries import account

AT_START = "set jit = off; set random_page_cost = 1.1; set statement_timeout = 5000"
INI = """
[databases]
* = host={host} port={port} user={user}{password} connect_query='{at_start}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
ignore_startup_parameters = jit, random_page_cost, statement_timeout, default_transaction_read_only, plan_cache_mode
{more}
"""


@dataclass
class PgBouncer:
    """One that runs: which version it is, and whether it keeps prepared statements apart for its clients."""

    version: str
    port: int

    @property
    def prepares(self) -> bool:
        major, minor, *_ = map(int, self.version.split("."))
        return (major, minor) >= (1, 21)

    def dsn(self, dsn: str) -> str:
        """The way to a database of the run's server through it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}{urlsplit(dsn).path}"


def installed() -> dict[str, str]:
    """The programs there are by their versions: of PARALLAX_TEST_PGBOUNCER (paths, by colons), and on the path."""
    given = os.environ.get("PARALLAX_TEST_PGBOUNCER", "").split(":")
    programs = filter(None, (*given, shutil.which("pgbouncer"), shutil.which("pgbouncer", path="/usr/sbin")))
    return {_version(program): program for program in programs}


def _version(program: str) -> str:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return told.split()[1]


@contextmanager
def pgbouncer(program: str, server_dsn: str, size: int = 4, more: str = "") -> Generator[PgBouncer]:
    """One that leads to a server, with so many connections to each of its databases."""
    folder, user, listen = Path(tempfile.mkdtemp()), account(), free_port()
    user.take(folder)
    server = urlsplit(server_dsn)
    config = folder / "pgbouncer.ini"
    config.write_text(
        INI.format(
            host=server.hostname or parse_qs(server.query)["host"][0],
            port=server.port or parse_qs(server.query).get("port", ["5432"])[0],
            user=server.username or "postgres",
            password=f" password={unquote(server.password)}" if server.password else "",
            at_start=AT_START,
            listen=listen,
            size=size,
            more=more,
        )
    )
    config.chmod(0o644)
    log = folder / "log"
    with log.open("wb") as output:
        process = user.popen([program, config], stdout=output, stderr=output)
    try:
        end = time.monotonic() + 10
        while "process up" not in log.read_text():
            assert process.poll() is None, log.read_text()
            if time.monotonic() > end:
                pytest.fail(log.read_text())
            time.sleep(0.02)
        yield PgBouncer(_version(program), listen)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)
