import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.program import COMMAND, run, serving
from tests.databases import database

pytestmark = pytest.mark.any_engine

ROOT = Path(__file__).parents[2]
COMMANDS = ["serve", "migrate", "load", "demo", "schema", "documents", "doctor", "keys", "tiers"]

STORY = """
{"type": "outlet", "domain": "example.org", "name": "The Example"}
{"type": "story", "key": "one", "title": "A bridge opens"}
{"type": "article", "url": "https://example.org/1", "outlet": "example.org", "story": "one", "title": "A bridge opens",
"publishedAt": "2026-01-02T03:04:05Z"}
""".replace(',\n"', ', "')


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder).resolve() / "data"


@pytest.fixture
async def new_database(server_dsn: str) -> AsyncIterator[str]:
    """A database that no migration has seen."""
    async with database(server_dsn) as dsn:
        yield dsn


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_does(command: str) -> None:
    help_ = run(command, "--help")
    assert help_.returncode == 0
    assert help_.stdout.startswith(f"Usage: parallax {command}")


def test_the_program_lists_its_commands() -> None:
    told = run("--help").stdout
    assert [command for command in COMMANDS if f"  {command} " not in told] == []


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["load", __file__], ["demo"]])
@pytest.mark.parametrize(
    ("setting", "given", "told"),
    [
        ("PORT", "many", 'PARALLAX_PORT: "many" will not do'),
        ("DATABASE_URL", "mysql://me:hunter2@host/news", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/news", "Postgres at 127.0.0.1:1 cannot be reached"),
        ("DATA_DIR", "/dev/null/data", "The folder /dev/null/data cannot be used"),
    ],
)
def test_what_cannot_work_is_told_in_a_line_with_no_secret_in_it(
    command: list[str], setting: str, given: str, told: str
) -> None:
    done = run(*command, **{"PORT": "0", setting: given})
    assert done.returncode == 2
    assert told in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_schema_printed_is_the_one_under_review() -> None:
    assert run("schema").stdout == (ROOT / "schema" / "schema.graphql").read_text()


def test_migrate_brings_a_database_up_to_date_and_check_says_whether_it_is(new_database: str) -> None:
    before = run("migrate", "--check", DATABASE_URL=new_database)
    assert (before.returncode, before.stdout[:11]) == (1, "Not yet run")
    assert run("migrate", DATABASE_URL=new_database).returncode == 0
    assert run("migrate", "--check", DATABASE_URL=new_database).returncode == 0
    assert run("migrate", DATABASE_URL=new_database).stdout == "The database was up to date.\n"


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["load", __file__]])
def test_nothing_but_migrate_changes_the_schema_of_a_database_that_is_not_ours(
    new_database: str, command: list[str]
) -> None:
    done = run(*command, DATABASE_URL=new_database, PORT="0")
    assert done.returncode == 2
    assert "run `parallax migrate`" in done.stderr


def test_load_tells_what_became_of_the_lines(empty_database: str) -> None:
    first = run("load", "-", stdin=STORY, DATABASE_URL=empty_database)
    assert (first.returncode, first.stderr) == (0, "")
    assert re.search(r"^all +3 +0 +0 +0$", first.stdout, re.MULTILINE)
    again = run("load", "-", stdin=STORY, DATABASE_URL=empty_database)
    assert re.search(r"^all +0 +0 +3 +0$", again.stdout, re.MULTILINE)


def test_load_tells_where_a_line_is_wrong_and_loads_the_others(empty_database: str) -> None:
    done = run("load", "-", stdin='{"type": "topic", "slug": "a"}\n{"type": "tropic"}\n', DATABASE_URL=empty_database)
    assert done.returncode == 1
    assert done.stderr.startswith("standard input:2: type: ")
    assert "refused  standard input:2: type: " in done.stdout


def test_a_strict_load_with_a_wrong_line_loads_nothing(empty_database: str) -> None:
    lines = STORY + '{"type": "tropic"}\n'
    assert run("load", "--strict", "-", stdin=lines, DATABASE_URL=empty_database).returncode == 2
    again = run("load", "-", stdin=STORY, DATABASE_URL=empty_database)
    assert re.search(r"^all +3 +0 +0 +0$", again.stdout, re.MULTILINE)


def test_a_file_that_is_not_there_is_told_before_anything_is_loaded(empty_database: str) -> None:
    done = run("load", "-", "missing.ndjson", stdin=STORY, DATABASE_URL=empty_database)
    assert done.returncode == 2
    assert "missing.ndjson" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_world_goes_into_an_empty_database_only(empty_database: str) -> None:
    assert run("demo", DATABASE_URL=empty_database).returncode == 0
    done = run("demo", DATABASE_URL=empty_database)
    assert done.returncode == 2
    assert "an empty one only" in done.stderr


def test_doctor_finds_a_database_in_order(empty_database: str) -> None:
    done = run("doctor", DATABASE_URL=empty_database)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", subject]
        for subject in ("settings", "documents", "postgres", "clock", "migrations", "news", "keys", "tiers", "changes")
    ]


def test_doctor_finds_what_is_missing_and_says_how_to_mend_it(new_database: str) -> None:
    done = run("doctor", DATABASE_URL=new_database, PROT="8000")
    assert done.returncode == 1
    assert "PARALLAX_PROT is no setting: did you mean PARALLAX_PORT?" in done.stdout
    assert "Run `parallax migrate`" in done.stdout


@pytest.mark.parametrize("setting", [{"PORT": "many"}, {"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/news"}])
def test_doctor_finds_what_keeps_all_else_from_running(setting: dict[str, str]) -> None:
    done = run("doctor", **setting)
    assert done.returncode == 1
    assert "wrong" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_serve_tells_of_a_port_that_is_taken(empty_database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", DATABASE_URL=empty_database, PORT=str(port))
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be had" in done.stderr
    assert "Set PARALLAX_PORT to another" in done.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_serve_tells_of_an_address_that_is_not_of_this_machine(empty_database: str, host: str) -> None:
    done = run("serve", DATABASE_URL=empty_database, PORT="0", HOST=host)
    assert done.returncode == 2
    assert "Set PARALLAX_HOST to an address of this machine." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_serve_starts_with_the_demo_world_and_tells_three_things_to_try(data_dir: Path) -> None:
    with serving(DATA_DIR=str(data_dir)) as served:
        assert re.findall(r"^  (\d)\. ", served.welcome, re.MULTILINE) == ["1", "2", "3"]
        query = re.search(r"'query=(.*)'", served.welcome)
        assert query
        answer = _ask(served.url, query[1])
        assert len(answer["data"]["stories"]["nodes"]) == 3


def test_news_loaded_beside_a_running_server_is_served(data_dir: Path) -> None:
    with serving(DATA_DIR=str(data_dir)) as served:
        assert run("load", "-", stdin=STORY, DATA_DIR=str(data_dir)).returncode == 0
        answer = _ask(served.url, '{ outlet(by: {domain: "example.org"}) { name } }')
        assert answer["data"] == {"outlet": {"name": "The Example"}}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_ends_well_with_every_process(data_dir: Path, ending: signal.Signals) -> None:
    with serving(DATA_DIR=str(data_dir)) as served:
        served.process.send_signal(ending)
        assert served.process.wait() == 0
    assert _postgres_in(data_dir) == []


def test_killed_it_leaves_no_postgres_and_the_next_start_serves_what_was_there(data_dir: Path) -> None:
    with serving(DATA_DIR=str(data_dir)) as served:
        run("load", "-", stdin=STORY, DATA_DIR=str(data_dir))
        served.process.kill()
    with serving(DATA_DIR=str(data_dir)) as served:
        answer = _ask(served.url, '{ outlet(by: {domain: "example.org"}) { name } }')
        assert answer["data"] == {"outlet": {"name": "The Example"}}
    assert _postgres_in(data_dir) == []


def test_a_filling_that_was_cut_off_is_done_again(data_dir: Path) -> None:
    run("load", "-", stdin=STORY, DATA_DIR=str(data_dir))
    (data_dir / "demo.unfinished").touch()
    with serving(DATA_DIR=str(data_dir)) as served:
        answer = _ask(served.url, "{ stories(first: 5) { nodes { id } } }")
        assert len(answer["data"]["stories"]["nodes"]) == 5
    assert not (data_dir / "demo.unfinished").exists()


def _ask(url: str, query: str) -> dict[str, dict[str, dict[str, list[object]]]]:
    return httpx.post(f"{url}/graphql", json={"query": query}).json()


def _postgres_in(folder: Path) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd().startswith(str(folder)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_file_is_checked_without_a_database(tmp_path: Path) -> None:
    file = tmp_path / "news.ndjson"
    file.write_text('{"type": "topic", "slug": "a"}\n{"type": "topic", "slug": ""}\n')
    done = run("check", str(file), DATABASE_URL="postgresql://127.0.0.1:1/nowhere")
    assert done.returncode == 1
    assert f'{file}:2: slug: is required and must not be blank\n    {{"type": "topic", "slug": ""}}\n' in done.stderr
    assert re.search(r"topic +1 +1\n", done.stdout)
    schema = json.loads(run("check", "--schema").stdout)
    assert [kind["title"] for kind in schema["oneOf"]][:2] == ["topic", "place"]


def test_who_watches_a_terminal_sees_how_far_it_is_and_where_a_line_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "news.ndjson"
    lines = [f'{{"type": "topic", "slug": "{number}"}}\n' for number in range(40_000)]
    file.write_text("".join([*lines, '{"type": "topic", }\n']), encoding="utf-8")
    watched, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "check", str(file)],
        stdout=terminal,
        stderr=terminal,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # which is how a terminal ends
        while part := os.read(watched, 65_536):
            shown += part
    os.close(watched)
    assert process.wait() == 1
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")
    assert re.search(r"read [1-4]0,000 lines, [0-9,]+/s ?[━╸╺]+ +[0-9]+% ", plain)
    mark = " " * 20 + "^"
    assert (
        f'{file}:40001: not JSON: trailing comma is not allowed, at character 17\n    {{"type": "topic", }}\n{mark}\n'
        in plain
    )
    assert shown.rstrip().endswith(b" s.")
    assert b"\x1b[?25h" in shown, "the cursor is not shown again"
