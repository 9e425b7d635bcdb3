"""Measures the six queries: the service and the floor beside each other, in turn, on one database."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.driving import Measured, Unusable, drive
from bench.queries import QUERIES, Query
from bench.servers import FLOOR, SERVICE, running

COMPARED = 50
"""Answers of each query that both must give alike before anything is measured."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long, in seconds, and how often each query is run."""

    warm_up: int = 3
    seconds: int = 8
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of the rounds."""

    query: Query
    service: Measured
    floor: Measured

    @property
    def ratio(self) -> float:
        """Requests a second of the service, for one of the floor."""
        return self.service.rate / self.floor.rate


async def measure_queries(dsn: str, effort: Effort, tell: Callable[[str], None]) -> list[Result]:
    """Compares the answers, then measures each query. Raises Unusable where answers differ or requests fail."""
    async with running(SERVICE, dsn, "/livez") as service, running(FLOOR, dsn, "/livez") as floor:
        with tempfile.TemporaryDirectory() as folder:
            bodies: dict[str, Path] = {}
            for query in QUERIES:
                lines = await _bodies(query, dsn)
                bodies[query.name] = Path(folder, query.name)
                bodies[query.name].write_bytes(b"\n".join(lines) + b"\n")
                await _compare(query, lines[:COMPARED], f"{service}/graphql", f"{floor}/{query.name}")
            tell("answers of both are alike")
            return [
                await _measure(query, bodies[query.name], service=service, floor=floor, effort=effort, tell=tell)
                for query in QUERIES
            ]


async def _bodies(query: Query, dsn: str) -> list[bytes]:
    made = await query.variables(dsn)
    if not made:
        raise Unusable(f"the corpus has nothing to ask {query.name} for")
    return [orjson.dumps({"query": query.operation, "variables": variables}) for variables in made]


async def _compare(query: Query, lines: list[bytes], service: str, floor: str) -> None:
    headers = {"content-type": "application/json"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        for line in lines:
            answers: list[Any] = [(await client.post(url, content=line)).json() for url in (service, floor)]
            if answers[0] != answers[1] or None in (answers[0]["data"] or {"": None}).values():
                raise Unusable(
                    f"{query.name}: the answers to {line!r} differ or are empty:\n{answers[0]}\n{answers[1]}"
                )


async def _measure(
    query: Query, bodies: Path, *, service: str, floor: str, effort: Effort, tell: Callable[[str], None]
) -> Result:
    runs: dict[str, list[Measured]] = {f"{service}/graphql": [], f"{floor}/{query.name}": []}
    for _ in range(effort.rounds):
        for url, measured in runs.items():
            measured.append(await drive(url, bodies, warm_up=effort.warm_up, seconds=effort.seconds))
    result = Result(query, *(_median(measured) for measured in runs.values()))
    tell(f"{query.name} {query.title}: {result.service.rate:,.0f}/s, floor {result.floor.rate:,.0f}/s")
    return result


def _median(runs: list[Measured]) -> Measured:
    return Measured(median(run.rate for run in runs), median(run.p50 for run in runs), median(run.p99 for run in runs))
