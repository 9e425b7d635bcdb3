"""schemathesis makes requests of the OpenAPI document, good and bad, and holds what comes back to it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

HERE = Path(__file__).parent
ALL = "FACTUALITY,OWNERSHIP,PERSPECTIVES,HISTORY,EXPORT"
CASES = 8
"""Generated requests of an operation in each phase that generates; those of the phase `coverage` come beside."""


async def known_outlets(client: httpx.AsyncClient) -> str:
    outlets = (await client.get("/v1/outlets?first=3")).json()["items"]
    return ",".join(each["domain"] for each in outlets)


async def test_schemathesis_finds_nothing(serve: Serve, demo_database: str, tmp_path: Path) -> None:
    # Pages as large as every caller may have: what may be given is then what the document says.
    async with serve(demo_database, allowances="off", granted_features=ALL, max_page_size=100) as client:
        operations = len((await client.get("/v1/openapi.json")).json()["paths"])
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{client.base_url}/v1/openapi.json"]
        options = [f"--max-examples={CASES}", "--seed=1", "--suppress-health-check=all", "--continue-on-failure"]
        surroundings = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(HERE),
            "KNOWN_OUTLETS": await known_outlets(client),
        }
        program = await asyncio.create_subprocess_exec(
            *command,
            *options,
            "--no-color",
            "--generation-allow-x00=false",
            cwd=tmp_path,
            env=surroundings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await program.communicate())[0].decode()
    assert program.returncode == 0, said[-20_000:]
    tested = re.search(r"Tested: (\d+)", said)
    made = re.search(r"(\d+) generated", said)
    assert tested
    assert int(tested[1]) == operations
    assert made
    assert int(made[1]) > 1_000
