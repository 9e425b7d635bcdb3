"""The server and the databases that tests share: an embedded Postgres, or the one of PARALLAX_TEST_DATABASE_URL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from service.db.migrations import migrate
from service.demo import world
from service.embedded.postgres import EmbeddedPostgres
from service.load import load_lines
from tests.clusters import FOLDER
from tests.databases import MakeDatabase, database, name_of
from tests.tablespaces import TABLESPACE, drop_tablespace, tablespace_in

ROOT = Path(__file__).parent.parent

FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""What is lost with the machine's power is lost with the test run anyway."""


MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the run's own is made in it
ROOM = 8 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """Tests see the defaults, whatever is set around them; what is meant for tests alone stays.

    Programs that they start are compiled once, not each time. Servers of the run keep their data in memory where there
    is room: every database is hundreds of files, which come and go.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in list(os.environ):
        if name.startswith("PARALLAX_") and not name.startswith("PARALLAX_TEST_"):
            del os.environ[name]
    is_worker = hasattr(config, "workerinput")
    if not is_worker and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        folder = Path(tempfile.mkdtemp(prefix="parallax-tests-", dir=MEMORY))
        folder.chmod(0o755)  # Postgres may run as another user
        os.environ[FOLDER] = str(folder)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        _use_memory_of(os.environ.get("PARALLAX_TEST_DATABASE_URL"), folder, config)


def _use_memory_of(server_dsn: str | None, folder: Path, config: pytest.Config) -> None:
    """Has a server that was given keep the databases of the run in the folder, on a machine that nobody else needs.

    Anywhere else a machine that went down amid a run would have a server that misses a tablespace.
    """
    name = tablespace_in(folder, server_dsn) if server_dsn and os.environ.get("CI") == "true" else None
    if name and server_dsn:
        os.environ[TABLESPACE] = name
        config.add_cleanup(partial(drop_tablespace, name, server_dsn))


@contextmanager
def server() -> Generator[str]:
    """A server on which databases can be made: the one that is given, or the embedded one, which ends with its last."""
    given = os.environ.get("PARALLAX_TEST_DATABASE_URL")
    if given:
        yield given
    else:
        folder = Path(os.environ.get(FOLDER) or ROOT / ".parallax")
        with EmbeddedPostgres(folder / "tests", FORGETFUL) as dsn:
            yield dsn


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """The server of a run, which its workers share."""
    with server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def template(server_dsn: str) -> AsyncIterator[str]:
    """The name of a migrated database that others are copied from, since copying is faster than migrating."""
    async with database(server_dsn) as dsn:
        await migrate(dsn)
        yield name_of(dsn)


@pytest.fixture
async def make_database(server_dsn: str, template: str) -> AsyncIterator[MakeDatabase]:
    """Makes as many migrated, empty databases as a test wants."""
    async with AsyncExitStack() as made:
        yield lambda: made.enter_async_context(database(server_dsn, template))


@pytest.fixture
async def empty_database(make_database: MakeDatabase) -> str:
    """The DSN of a migrated, empty database of the test's own."""
    return await make_database()


@pytest.fixture(scope="session")
async def demo_template(server_dsn: str, template: str) -> AsyncIterator[str]:
    """The name of a database with the demo world in it, which others are copied from: to load it takes ten seconds."""
    async with database(server_dsn, template) as dsn:
        await load_lines(dsn, world(datetime.now(UTC)), strict=True)
        yield name_of(dsn)


@pytest.fixture(scope="session")
async def demo_database(server_dsn: str, demo_template: str) -> AsyncIterator[str]:
    """The DSN of a database with the demo world in it, for reading only: tests share it."""
    async with database(server_dsn, demo_template) as dsn:
        yield dsn


@pytest.fixture
async def own_demo(server_dsn: str, demo_template: str) -> AsyncIterator[str]:
    """The DSN of a database of the test's own, with the demo world in it."""
    async with database(server_dsn, demo_template) as dsn:
        yield dsn
