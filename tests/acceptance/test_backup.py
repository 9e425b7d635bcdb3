"""What is saved and brought back answers as before: a dump, and the load stream alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from service.db.migrations import migrate
from service.demo import world
from service.embedded.binaries import MAJOR, installed_package
from service.embedded.errors import EmbeddedError
from service.load import load_lines
from tests.acceptance.conftest import Serve
from tests.access_keys import made_key
from tests.databases import database, settled
from tests.lacking import lacking

OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"
OF_THE_LOAD = ("id", "updatedAt", "computedAt", "cursor", "endCursor", "startCursor")
"""What depends on when and in how many pieces news was loaded."""


def programs_of(version: str) -> Path:
    """Where pg_dump and pg_restore of that major version are; see `lacking` where they are not."""
    found = shutil.which("pg_dump")
    places = [Path(found).parent] if found else []
    places.append(Path(f"/usr/lib/postgresql/{version}/bin"))
    if version == str(MAJOR):
        with suppress(EmbeddedError):
            places.append(installed_package() / f"pginstall{MAJOR}" / "bin")
    for place in places:
        if (place / "pg_dump").exists():
            said = subprocess.run([place / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
            if re.search(rf"\) {version}\b", said):
                return place
    return lacking(f"pg_dump of Postgres {version} is needed")


@pytest.fixture
async def programs(server_dsn: str) -> Path:
    conn = await asyncpg.connect(server_dsn)
    major = conn.get_server_version().major
    await conn.close()
    return programs_of(str(major))


@pytest.fixture
async def elsewhere(server_dsn: str) -> AsyncIterator[str]:
    """A database that nobody has migrated."""
    async with database(server_dsn) as dsn:
        yield dsn


def operation(name: str) -> str:
    return (OPERATIONS / f"{name}.graphql").read_text()


async def answers(client: httpx.AsyncClient) -> list[Any]:
    """What the shipped pages tell: the front page, blindspots, and all of ten stories and of five outlets."""
    found: list[Any] = []

    async def ask(query: str, **variables: Any) -> Any:
        answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        found.append(answer["data"])
        return answer["data"]

    listed = await ask("{ stories(first: 10) { nodes { slug } } outlets(first: 5) { nodes { slug } } }")
    await ask("{ stories(first: 100, sort: NEWEST) { nodes { slug coverage { outletCount } } } }")
    for story in listed["stories"]["nodes"]:
        await ask(operation("StoryPage"), slug=story["slug"])
    for outlet in listed["outlets"]["nodes"]:
        await ask(operation("OutletPage"), slug=outlet["slug"])
    await ask(operation("Blindspots"), side="LEFT")
    return found


def without(value: Any, names: Iterable[str]) -> Any:
    """An answer without the fields of those names."""
    if isinstance(value, dict):
        return {key: without(each, names) for key, each in value.items() if key not in names}  # pyright: ignore[reportUnknownVariableType]
    return [without(each, names) for each in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


async def test_a_dump_that_was_restored_answers_as_before(
    programs: Path, own_demo: str, elsewhere: str, serve: Serve, tmp_path: Path
) -> None:
    key = await made_key(own_demo, "premium")
    head = "{ changes(first: 0) { headCursor } }"
    viewer = "{ viewer { tier { name } } }"
    async with serve(own_demo) as client:
        before = await answers(client)
        cursor = (await client.post("/graphql", json={"query": head})).json()["data"]["changes"]["headCursor"]
    dump = tmp_path / "news.dump"
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", own_demo], check=True)
    subprocess.run(
        [programs / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={elsewhere}", dump], check=True
    )
    async with serve(elsewhere) as client:
        assert await answers(client) == before
        bearer = {"authorization": f"Bearer {key}"}
        told = (await client.post("/graphql", json={"query": viewer}, headers=bearer)).json()
        assert told["data"]["viewer"]["tier"]["name"] == "premium"
        # A cursor is of the database that gave it: who has one begins anew, and misses nothing unawares.
        after = {"query": "query($c: String) { changes(after: $c) { headCursor } }", "variables": {"c": cursor}}
        refused = (await client.post("/graphql", json=after)).json()
        assert refused["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED"
        anew = (await client.post("/graphql", json={"query": head})).json()["data"]["changes"]["headCursor"]
    # Whatever writes there from then on is heard of.
    conn = await asyncpg.connect(elsewhere)
    await conn.execute("update stories set title = title || '!' where id = (select min(id) from stories)")
    await settled(conn)
    await conn.close()
    async with serve(elsewhere) as client:
        after["variables"] = {"c": anew}
        after["query"] = "query($c: String) { changes(after: $c) { changes { kind } } }"
        assert (await client.post("/graphql", json=after)).json()["data"]["changes"]["changes"] == [{"kind": "UPDATED"}]


def in_pieces(lines: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while piece := [*islice(lines, size)]:
        yield piece


async def test_the_stream_that_was_loaded_over_time_tells_the_same_when_it_is_loaded_at_once(
    empty_database: str, elsewhere: str, serve: Serve
) -> None:
    now = datetime.now(UTC)
    for piece in in_pieces(iter(world(now)), 1_000):
        await load_lines(empty_database, piece, strict=True)
    await migrate(elsewhere)
    await load_lines(elsewhere, world(now), strict=True)
    async with serve(empty_database) as client:
        before = await answers(client)
    async with serve(elsewhere) as client:
        after = await answers(client)
    assert without(after, OF_THE_LOAD) == without(before, OF_THE_LOAD)
