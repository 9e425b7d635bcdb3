"""The clients that subscribers use, graphql-ws and graphql-sse, drop and come back: every change once, in order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.acceptance.conftest import Serve
from tests.acceptance.test_websocket import STORY
from tests.databases import settled

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize("kind", ["ws", "sse"])
async def test_a_client_that_drops_and_returns_hears_every_change_once(
    serve: Serve, empty_database: str, clients: Path, kind: str
) -> None:
    conn = await asyncpg.connect(empty_database)
    await conn.execute(STORY)
    await settled(conn)
    changed = 0

    async def change(times: int) -> None:
        nonlocal changed
        for _ in range(times):
            changed += 1
            await conn.execute("update stories set title = $1 where id = $2", f"T{changed}", changed % 3 + 1)

    async with serve(empty_database) as client, asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            "node", "follow.js", kind, str(client.base_url.join("/graphql")), "5", "15",
            cwd=clients, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        assert process.stdin
        heard: list[dict[str, Any]] = []
        async for line in process.stdout:
            message = json.loads(line)
            if "listening" in message:
                await change(5)
            elif "broken" in message:
                await change(10)
                process.stdin.write(b"go on\n")
                await change(5)
            else:
                heard.append(message)
        assert process.stderr
        assert await process.wait() == 0, (await process.stderr.read()).decode()
    await conn.close()
    assert [each["storyId"] for each in heard] == [f"story_{number % 3 + 1}" for number in range(1, 21)]
    assert len({each["cursor"] for each in heard}) == 20
