"""Clients and tools that front ends are built with, as they come from npm, against the running service and its SDL.

What each is tried with stands in tests/acceptance/front_ends, written as its users would write it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key, add_tier
from tests.access_keys import PEPPER
from tests.documentation import examples
from tests.planner import small_world

pytestmark = pytest.mark.any_engine

TESTS = ("--test", "--test-force-exit")
"""Sockets of clients that are done with would keep a process for ever."""

Asked = dict[str, str]
"""What a program is told of the service by its environment."""


@pytest.fixture
async def service(serve: Serve, empty_database: str) -> AsyncIterator[Asked]:
    """A service with a few stories, one of which changes twice a second, and a key for all features."""
    await small_world.fill(empty_database)
    conn = await asyncpg.connect(empty_database)
    await add_tier(conn, "all", ["FACTUALITY", "OWNERSHIP", "PERSPECTIVES"])
    key = await add_key(conn, "all")
    async with serve(empty_database, key_pepper=PEPPER) as client:
        answer = await client.post("/graphql", json={"query": "{ stories(first: 2) { nodes { id } } }"})
        changing = answer.json()["data"]["stories"]["nodes"][1]["id"]
        task = asyncio.create_task(change(conn, int(changing.removeprefix("story_"))))
        url = str(client.base_url.join("/graphql"))
        yield {"PARALLAX_URL": url, "PARALLAX_KEY": key, "PARALLAX_CHANGING": changing}
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await conn.close()


async def change(conn: asyncpg.Connection[asyncpg.Record], story: int) -> None:
    number = 0
    while True:
        number += 1
        await conn.execute("update stories set title = $1 where id = $2", f"Changed {number}", story)
        await asyncio.sleep(0.5)


async def run(folder: Path, *command: str, service: Asked | None = None) -> tuple[int, str]:
    """What the program ends with, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, "NO_COLOR": "1", **(service or {})},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def succeed(folder: Path, *command: str, service: Asked | None = None) -> str:
    status, said = await run(folder, *command, service=service)
    assert status == 0, said[-8_000:]
    return said


def program(folder: Path, name: str) -> str:
    """A program that npm installed."""
    return str(folder / "node_modules" / ".bin" / name)


@pytest.mark.parametrize("tests", ["apollo/apollo.test.js", "urql/urql.test.js"])
async def test_a_client_with_a_cache_of_objects(front_ends: Path, service: Asked, tests: str) -> None:
    await succeed(front_ends, "node", *TESTS, tests, service=service)


async def test_relay_compiles_and_runs_fragments_pages_and_ids(front_ends: Path, service: Asked) -> None:
    await succeed(front_ends, program(front_ends, "relay-compiler"), "relay.config.json")
    await succeed(front_ends, "node", *TESTS, "relay/relay.test.cjs", service=service)


async def test_relay_asks_by_the_environment_of_the_quick_start(front_ends: Path, service: Asked) -> None:
    [example] = [each.block.text for each in examples("ts") if "relay.Environment" in each.block.text]
    folder = front_ends / "quick_start"
    here = example.replace("http://127.0.0.1:8000/graphql", service["PARALLAX_URL"])
    (folder / "environment.mts").write_text(here, encoding="utf-8")
    # Its types are checked with those of all other examples.
    tsc = [program(front_ends, "tsc"), "--noCheck", "--target", "es2022", "--module", "nodenext"]
    await succeed(folder, *tsc, "environment.mts")
    await succeed(front_ends, program(front_ends, "relay-compiler"), "quick_start/relay.config.json")
    await succeed(front_ends, "node", *TESTS, "quick_start/environment.test.mjs", service=service)


async def test_relay_compiler_finds_what_the_schema_has_not(front_ends: Path) -> None:
    wrong = front_ends / "wrong"
    wrong.mkdir()
    (wrong / "component.js").write_text("graphql`fragment component_story on Story { nothing }`;", encoding="utf-8")
    config = wrong / "relay.config.json"
    config.write_text(
        '{"src": ".", "schema": "../parallax/schema.graphql", "language": "javascript"}', encoding="utf-8"
    )
    status, said = await run(wrong, program(front_ends, "relay-compiler"), config.name)
    assert status
    assert "The type `Story` has no field `nothing`" in said


async def test_generated_types_compile_a_program_and_refuse_a_wrong_one(front_ends: Path, service: Asked) -> None:
    await succeed(front_ends, program(front_ends, "graphql-codegen"), "--config", "codegen.js")
    tsc = program(front_ends, "tsc")
    await succeed(front_ends, tsc, "--project", "types")
    said = await succeed(front_ends, "node", "built/types/program.js", service=service)
    assert "It needs the feature FACTUALITY" in said

    status, said = await run(front_ends, tsc, "--project", "types/wrong.json")
    assert status
    of_wrong = [line for line in said.splitlines() if line.startswith("types/wrong.ts(")]
    assert [line.split("(")[1].split(",")[0] for line in of_wrong] == ["4", "5", "6", "7", "8", "9"], said


async def test_graphql_inspector_validates_documents_and_compares_schemas(
    front_ends: Path, service: Asked, tmp_path: Path
) -> None:
    inspector, sdl = program(front_ends, "graphql-inspector"), "parallax/schema.graphql"
    used = "parallax/operations/{FrontPage,StoryPage}.graphql"
    assert "All documents are valid" in await succeed(front_ends, inspector, "validate", used, sdl)
    assert "No changes detected" in await succeed(front_ends, inspector, "diff", sdl, sdl)
    async with httpx.AsyncClient() as client:
        served = await client.get(service["PARALLAX_URL"].replace("/graphql", "/schema.graphql"))
    now = tmp_path / "now.graphql"
    now.write_bytes(served.content)
    assert "No changes detected" in await succeed(front_ends, inspector, "diff", sdl, str(now))

    text = (front_ends / sdl).read_text(encoding="utf-8")
    richer = tmp_path / "richer.graphql"
    richer.write_text(text.replace("  mergedFrom: [ID!]!\n", "  mergedFrom: [ID!]!\n\n  gone: Int\n"), encoding="utf-8")
    status, said = await run(front_ends, inspector, "diff", str(richer), sdl)
    assert status
    assert "Field gone was removed from object type Story" in said


async def test_graphql_inspector_finds_nothing_wrong_with_any_registered_document(front_ends: Path) -> None:
    found = [json.loads(line) for line in (await succeed(front_ends, "node", "inspect.js")).splitlines()]
    assert len(found) == len(list((front_ends / "parallax" / "operations").glob("*.graphql")))
    assert [each for each in found if each["errors"]] == []
