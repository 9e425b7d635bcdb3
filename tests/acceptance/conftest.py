"""The service as its users meet it: over HTTP on loopback, with a real database behind it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import uvicorn

import service.app
from schema import schema
from service.app import create_app, limits_of
from service.db.migrations import migrate
from service.documents import Registered, read_registered
from service.events import Event, ignore
from service.http.handshakes import AnswersHandshakes
from service.http.protocol import answers_at_hand
from service.planner import Limits, Planner
from service.serving import QuietServer
from service.settings import Settings
from tests.acceptance.browser import Browser, found
from tests.access_keys import PEPPER
from tests.databases import database
from tests.lacking import lacking

CLIENTS = Path(__file__).parent / "clients"
EXAMPLES = Path(__file__).parent / "examples"
FRONT_ENDS = Path(__file__).parent / "front_ends"
SCHEMA = Path(__file__).parents[2] / "schema"

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What is served on loopback has no certificate: to read those of the authorities takes 40 ms for each client."""

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@cache
def _shipped(_limits: Limits, _dated: bool) -> tuple[Registered, ...]:  # noqa: FBT001 - by position, as it is kept by it
    """Plans are kept with their operations: services share what is shipped where they plan alike."""
    return read_registered(Planner(schema))


class PromptServer(QuietServer):
    """Ends when it is told to, and not up to a tenth of a second later, for which hundreds of tests would wait."""

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    dsn: str, observe: Callable[[Event], None] = ignore, **settings: Any
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the service over that database, with those settings."""
    settings.setdefault("key_pepper", PEPPER)
    chosen = Settings(**settings)
    # To read what is shipped takes a quarter of a start, and tests start hundreds of services.
    shipped = _shipped(limits_of(chosen), chosen.cache_bytes > 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.app, "read_registered", Mock(return_value=shipped))
        app = create_app(chosen, dsn, observe)
    config = uvicorn.Config(
        app,
        http=answers_at_hand(app.at_hand, chosen.max_body_bytes, chosen.body_timeout),
        ws=AnswersHandshakes,
        ws_per_message_deflate=False,
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = PromptServer(config)
    # Without the protocol, asyncio leaves small packets waiting for each other: 40 ms for many an answer.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
            assert not task.done(), task.exception()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=30, verify=NO_TLS) as client:
                yield client
        finally:
            app.drain()
            server.should_exit = True
            await task


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves a database of the test's choice, with settings of its choice."""
    return serving


@pytest.fixture(scope="session")
async def newsless(server_dsn: str) -> AsyncIterator[str]:
    """The DSN of a migrated database without news, for tests of what travels and not of what is told."""
    async with database(server_dsn) as dsn:
        await migrate(dsn)
        yield dsn


@pytest.fixture(scope="session")
async def client(newsless: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service with the default settings, over a database without news."""
    async with serving(newsless) as client:
        yield client


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs of subscribers in JavaScript, and what they need."""
    return _installed(CLIENTS, tmp_path_factory)


@pytest.fixture(scope="session")
def browser(clients: Path) -> Browser:
    """Chromium, where it is there."""
    return Browser(found() or lacking("Chromium is needed"), clients)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples of the documentation import."""
    return _installed(EXAMPLES, tmp_path_factory)


@pytest.fixture(scope="session")
def front_ends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with programs as front ends have them, what they need, and what the service publishes for them."""
    folder = _installed(FRONT_ENDS, tmp_path_factory)
    shutil.copytree(SCHEMA / "clients", folder / "parallax", dirs_exist_ok=True)
    shutil.copytree(SCHEMA / "operations", folder / "parallax" / "operations", dirs_exist_ok=True)
    shutil.copy(SCHEMA / "schema.graphql", folder / "parallax")
    return folder


def _installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder with its packages beside; where these cannot be had, CI fails, and others skip.

    The workers of a run share it: the first of them installs.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        lacking("Node.js and npm are needed")
    of_worker = tmp_path_factory.getbasetemp()
    shared = of_worker.parent if "PYTEST_XDIST_WORKER" in os.environ else of_worker
    folder, done = shared / source.name, shared / f"{source.name}.installed"
    with (shared / f"{source.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.copytree(source, folder, dirs_exist_ok=True)
            command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
            if installed.returncode:
                lacking(f"the clients could not be installed: {installed.stderr[-300:]}")
            done.touch()
    return folder
