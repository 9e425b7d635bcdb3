"""What `service` tells: this program, and how much is in the database. Knows nothing of who asks."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

from schema import RULE_VERSION
from service.db.pool import Database
from service.db.queries import QUERIES

MAX_AGE = 60.0
"""Seconds for which counts are told again: they cost more than an answer should."""


class ServiceInfo:
    """The facts of `service`, by the names of its fields; however many ask, Postgres counts once in MAX_AGE seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._program = {"version": version("parallax"), "rule_version": RULE_VERSION}
        self._facts: dict[str, Any] = {}
        self._fresh_until = 0.0
        self._counting = asyncio.Lock()

    async def __call__(self) -> dict[str, Any]:
        async with self._counting:
            now = asyncio.get_running_loop().time()
            if now >= self._fresh_until:
                row = await self._database.fetch_row(QUERIES["service_facts"])
                self._facts = {**self._program, **dict(row or {})}
                self._fresh_until = now + MAX_AGE
        return self._facts
