import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from service.embedded import binaries
from service.embedded.errors import EmbeddedError
from service.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.own_engines

OPTIONS = {"fsync": "off"}

USER = """
import sys
from pathlib import Path
from service.embedded.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
print(postgres.start(), flush=True)
sys.stdin.read()
postgres.stop()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that every user can enter, as most checkouts are; nothing may be left running in it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder).resolve() / "data"
        _until(lambda: _processes_of(Path(folder).resolve()) == [])


class User:
    """Another process that uses the Postgres of a folder until it is told to leave."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def dsn(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


async def test_a_restart_keeps_what_was_written(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        await _execute(dsn, "create table kept as select 1 as one")
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select one from kept") == 1


async def test_it_sorts_folds_and_keeps_time_the_same_on_every_machine(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select lower('ÉCOLE МИР')") == "école мир"
        assert await _value(dsn, "select string_agg(w, '' order by w) from unnest('{b,A,a,B}'::text[]) w") == "ABab"
        assert await _value(dsn, "show server_encoding") == "UTF8"


async def test_a_path_with_a_space_and_longer_than_a_socket_path_will_do(data_dir: Path) -> None:
    folder = data_dir / "a space" / ("long" * 40)
    with EmbeddedPostgres(folder, OPTIONS) as dsn:
        assert await _value(dsn, "select 1") == 1


async def test_two_folders_have_two_servers(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir / "a", OPTIONS) as one, EmbeddedPostgres(data_dir / "b", OPTIONS) as other:
        await _execute(one, "create table only_here ()")
        assert await _value(other, "select to_regclass('only_here')") is None


async def test_a_second_process_joins_and_the_last_to_leave_ends_it(data_dir: Path) -> None:
    first, second = User(data_dir), User(data_dir)
    dsn = first.dsn()
    assert second.dsn() == dsn
    first.leave()
    assert await _value(dsn, "select 1") == 1
    second.leave()
    _until(lambda: _processes_of(data_dir) == [])


def test_many_that_start_at_once_share_one_server(data_dir: Path) -> None:
    users = [User(data_dir) for _ in range(5)]
    assert len({user.dsn() for user in users}) == 1
    for user in users:
        user.leave()


async def test_a_killed_user_leaves_nothing_behind_and_the_next_start_has_all_that_was_committed(
    data_dir: Path,
) -> None:
    user = User(data_dir)
    await _execute(user.dsn(), "create table kept as select 1 as one")
    user.kill()
    _until(lambda: _processes_of(data_dir) == [])
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select one from kept") == 1


async def test_a_start_right_after_a_kill_waits_for_the_end_of_what_ran(data_dir: Path) -> None:
    for _ in range(3):
        user = User(data_dir)
        assert await _value(user.dsn(), "select 1") == 1
        user.kill()


@pytest.mark.parametrize("victim", ["supervisor", "postmaster", "all"])
async def test_it_recovers_from_a_kill_of_its_own_processes(data_dir: Path, victim: str) -> None:
    user = User(data_dir)
    await _execute(user.dsn(), "create table kept as select 1 as one")
    for process in _processes_of(data_dir):
        if victim == "all" or _role(process) == victim:
            with contextlib.suppress(psutil.NoSuchProcess):  # one's end may end the others
                process.kill()
    _until(lambda: _processes_of(data_dir) == [])
    user.kill()
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select one from kept") == 1


async def test_a_stale_notice_with_the_number_of_another_process_does_not_hinder_the_start(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, OPTIONS):
        pass
    (data_dir / "postgres-18" / "postmaster.pid").write_text(f"{os.getppid()}\n{data_dir}\n")
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select 1") == 1


async def test_a_first_start_that_was_killed_half_way_is_begun_anew(data_dir: Path) -> None:
    unfinished = data_dir / "postgres-18.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select 1") == 1


def test_it_listens_on_no_port(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, OPTIONS):
        assert all(not process.net_connections("inet") for process in _processes_of(data_dir))


def test_a_start_that_fails_tells_the_end_of_the_log(data_dir: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"postgres\.log:\n.*no_such_option"):
        EmbeddedPostgres(data_dir, {"no_such_option": "1"}).start()


def test_a_folder_that_cannot_be_used_is_told_with_what_would_help(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="PARALLAX_DATA_DIR"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches its own folders")
async def test_root_may_keep_it_in_a_folder_that_others_cannot_enter(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        await _execute(dsn, "create table kept as select 1 as one")
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select one from kept") == 1

    elsewhere = (data_dir / "postgres-18").readlink()
    shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700)
    with EmbeddedPostgres(data_dir, OPTIONS) as dsn:
        assert await _value(dsn, "select to_regclass('kept')") is None, "deleting DATA_DIR deletes the data"
    shutil.rmtree(elsewhere)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches its own programs")
def test_root_may_have_the_programs_in_a_folder_that_others_cannot_enter(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = binaries.account()
    installed = binaries.installed_package()
    private = data_dir / "private"
    private.mkdir(mode=0o700, parents=True)
    for folder in (installed, installed.with_name(f"{installed.name}.libs")):
        (private / folder.name).symlink_to(folder)
    monkeypatch.setattr(binaries, "installed_package", lambda: private / installed.name)
    monkeypatch.setattr(binaries, "ROOTS_PLACE", data_dir / "place")

    copied = binaries.programs(nobody)

    assert copied.is_relative_to(data_dir / "place")
    assert nobody.run([copied / "postgres", "--version"])[0] == 0
    assert nobody.run([copied / "initdb", "--version"])[0] == 0
    assert binaries.programs(nobody) == copied


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    value = await connection.fetchval(query)
    await connection.close()
    return value


def _processes_of(folder: Path) -> list[psutil.Process]:
    """Supervisors and Postgres processes that work in a folder."""
    return [process for process in psutil.process_iter() if _role(process) and str(folder) in _words(process)]


def _role(process: psutil.Process) -> str:
    try:
        if "service.embedded.supervisor" in process.cmdline():
            return "supervisor"
        if process.name() == "postgres":
            parent = process.parent()
            return "backend" if parent and parent.name() == "postgres" else "postmaster"
    except psutil.Error:
        pass
    return ""


def _words(process: psutil.Process) -> str:
    try:
        return " ".join([process.cwd(), *process.cmdline()])
    except psutil.Error:
        return ""


def _until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that must come about by itself."""
    patience = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < patience
        time.sleep(0.02)
