"""Chromium, doing tasks at a service and telling what it saw."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """The Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Browser:
    """A browser that is started for each task, which `browse.js` in that folder knows."""

    chromium: str
    folder: Path

    @asynccontextmanager
    async def doing(self, client: httpx.AsyncClient, task: str, argument: Any) -> AsyncGenerator[asyncio.StreamReader]:
        """What it prints while it does a task at the client's service; it has to end well."""
        process = await asyncio.create_subprocess_exec(
            "node", "browse.js", self.chromium, str(client.base_url).rstrip("/"), task, json.dumps(argument),
            cwd=self.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=10_000_000,
        )  # fmt: skip
        assert process.stdout
        assert process.stderr
        try:
            async with asyncio.timeout(240):
                yield process.stdout
                assert await process.wait() == 0, (await process.stderr.read()).decode()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def sees(self, client: httpx.AsyncClient, task: str, argument: Any) -> list[Any]:
        """All that it saw during a task at the client's service."""
        async with self.doing(client, task, argument) as printed:
            return [json.loads(line) async for line in printed]
