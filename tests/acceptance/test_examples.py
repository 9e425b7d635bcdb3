"""Every example of the documentation, run as it stands there against the demo world."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from service.manual.contents import CONTENTS, REFERENCE
from tests.acceptance.conftest import Serve
from tests.access_keys import PEPPER, made_key
from tests.documentation import DOCS, RUN, SHOWN, Example, blocks, callers_pages, disagreement, examples
from tests.lacking import lacking

pytestmark = pytest.mark.any_engine

ADDRESS = "127.0.0.1:8000"
SINCE = "2026-11-01T00:00:00Z"
"""A time that examples give, which has to be one of the last days."""
TOLD_AT_ONCE = 5.0
"""Seconds after which an endless example has told something."""


def _named(*languages: str) -> Any:
    return pytest.mark.parametrize("example", [pytest.param(each, id=each.name) for each in examples(*languages)])


class Demo(NamedTuple):
    """Where the demo world is served, with a key for it."""

    client: httpx.AsyncClient
    key: str

    def here(self, text: str) -> str:
        """An example's text with this address, and a time of the last days."""
        lately = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT00:00:00Z")
        return text.replace(ADDRESS, self.client.base_url.netloc.decode()).replace(SINCE, lately)

    @property
    def environment(self) -> dict[str, str]:
        """What examples find around them."""
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PARALLAX_KEY": self.key}


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[Demo]:
    async with serve(demo_database, key_pepper=PEPPER) as client:
        yield Demo(client, await made_key(demo_database, "premium"))


@_named("graphql")
async def test_an_operation_is_answered_as_shown(demo: Demo, example: Example) -> None:
    variables = orjson.loads(demo.here(orjson.dumps(example.variables).decode()))
    if "subscription" in example.block.text:
        await _is_streamed(demo, example.block.text)
        return
    payload = {"query": example.block.text, "variables": variables}
    body = (await demo.client.post("/graphql", json=payload)).json()
    if not (example.answer and "errors" in example.answer):
        assert "errors" not in body, body
    _agrees(example, body)


async def _is_streamed(demo: Demo, query: str) -> None:
    """A subscription begins, which says that it is valid, and tells what was missed."""
    oldest = "{ changes(first: 1) { endCursor } }"
    after = (await demo.client.post("/graphql", json={"query": oldest})).json()["data"]["changes"]["endCursor"]
    headers = {"accept": "text/event-stream"}
    payload = {"query": query, "variables": {"after": after}}
    async with demo.client.stream("POST", "/graphql", json=payload, headers=headers) as response:
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                assert "errors" not in orjson.loads(line.removeprefix("data:")), line
                return
    pytest.fail("the stream ended without an event")


@_named("sh")
async def test_a_command_runs(demo: Demo, example: Example, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        lacking("curl is needed")
    await _runs(demo, example, ["bash", "-euo", "pipefail", "-c", demo.here(example.block.text)], tmp_path)


@_named("python")
async def test_a_program_in_python_runs(demo: Demo, example: Example, tmp_path: Path) -> None:
    await _runs(demo, example, [sys.executable, "-W", "error", "-c", demo.here(example.block.text)], tmp_path)


@_named("js", "ts")
async def test_a_program_for_node_runs(demo: Demo, example: Example, compiled: Path) -> None:
    made = example.block.language == "ts"
    program = (compiled / f"{_file(example)}.js").read_text() if made else example.block.text
    here = compiled / f"{_file(example)}.here.mjs"
    here.write_text(demo.here(program))
    await _runs(demo, example, ["node", str(here)], compiled)


def _file(example: Example) -> str:
    return f"{Path(example.block.page).name}-{example.block.line}"


@pytest.fixture(scope="module")
def compiled(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs in TypeScript as JavaScript: checked strictly, and beside what they import."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(modules / name, folder)
    (folder / "node_modules").symlink_to(modules / "node_modules")
    for each in examples("ts"):
        # What stands for itself is a module, so that names of two examples are not one.
        (folder / f"{_file(each)}.ts").write_text(each.block.text + "\nexport {};\n")
    tsc = [folder / "node_modules/.bin/tsc", "--project", folder]
    checked = subprocess.run(tsc, cwd=folder, capture_output=True, text=True, check=False, timeout=180)
    assert checked.returncode == 0, checked.stdout
    return folder / "made"


async def _runs(demo: Demo, example: Example, command: list[str], folder: Path) -> None:
    """Runs a program to its end, and compares what it printed; of an endless one, sees that it tells something."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=demo.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    if "endless" in example.block.info:
        assert process.stdout
        try:
            async with asyncio.timeout(TOLD_AT_ONCE):
                assert await process.stdout.readline()
        finally:
            process.kill()
            await process.wait()
        return
    async with asyncio.timeout(60):
        printed, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert printed.strip() or "export" in example.block.text, "an example shows something"
    if example.block.language == "sh" and printed.startswith(b"{") and example.answer is None:
        assert not {"errors", "requestId"} & _object(printed).keys(), printed
    if example.answer is not None:
        _agrees(example, orjson.loads(printed))


def _object(printed: bytes) -> dict[str, Any]:
    """The object that was printed; of many, a line each, the first."""
    try:
        return orjson.loads(printed)
    except orjson.JSONDecodeError:
        return orjson.loads(printed.partition(b"\n")[0])


def _agrees(example: Example, answered: Any) -> None:
    if example.answer is not None:
        assert disagreement(example.answer, answered, exactly=example.exactly) == "", answered


@pytest.mark.parametrize("page", callers_pages())
def test_every_block_of_a_page_for_callers_is_run_or_said_not_to_be(page: str) -> None:
    for block in blocks(page):
        where = f"{page}.md:{block.line}"
        if page == "../README" and not block.language:
            continue  # commands of make, which other tests give
        assert block.language in (*RUN, *SHOWN, "json"), f"{where}: a block says its language"
        assert set(block.info[1:]) <= {"variables", "exactly", "endless"}, where
        if block.language == "swift":
            assert "Not run by our tests" in (DOCS / f"{page}.md").read_text(encoding="utf-8")


def test_there_are_examples_in_every_language() -> None:
    for language, least in {"graphql": 10, "sh": 8, "python": 3, "ts": 6}.items():
        assert len(examples(language)) >= least, language


def test_every_page_of_the_documentation_is_in_the_contents_once() -> None:
    listed = [entry.name for group in CONTENTS for entry in group.entries if entry.name != REFERENCE]
    assert sorted(listed) == sorted(each.stem for each in DOCS.glob("*.md"))
