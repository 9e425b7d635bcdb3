"""The audits of graphql-http, by those who keep the GraphQL-over-HTTP specification."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.any_engine

AUDITS = 61


async def test_every_audit_of_graphql_over_http_passes(client: httpx.AsyncClient, clients: Path) -> None:
    async with asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            "node", "audits.js", str(client.base_url.join("/graphql")),
            cwd=clients, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        lines, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    audits = [json.loads(line) for line in lines.splitlines()]
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len({audit["id"] for audit in audits}) >= AUDITS
