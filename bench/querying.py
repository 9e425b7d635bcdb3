"""Measures the six queries: the service, the floor and its peers beside each other, in turn, on one database."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.driving import Measured, Unusable, drive
from bench.queries import QUERIES, Query
from bench.servers import running
from bench.targets import Target

COMPARED = 50
"""Answers of each query that all must give alike before anything is measured."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long, in seconds, and how often each query is run."""

    warm_up: int = 3
    seconds: int = 8
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of the rounds, of each target by its name; the service comes first."""

    query: Query
    measured: Mapping[str, Measured]

    @property
    def ratios(self) -> dict[str, float | None]:
        """Requests a second of the service, for one of each other target; None where that had no time for any."""
        (_, service), *others = self.measured.items()
        return {name: service.rate / other.rate if other.rate else None for name, other in others}


@dataclass(frozen=True, slots=True)
class Asking:
    """How one target is asked one query."""

    url: str
    lines: list[bytes]
    bodies: Path


async def measure_queries(dsn: str, targets: list[Target], effort: Effort, tell: Callable[[str], None]) -> list[Result]:
    """Compares the answers, then measures each query. Raises Unusable where answers differ or requests fail."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bases = {
            each.name: await stack.enter_async_context(running(each.command, dsn, "/livez", each.settings))
            for each in targets
        }
        asked: list[tuple[Query, dict[str, Asking]]] = []
        for query in QUERIES:
            variables = await variables_of(query, dsn)
            asking = {each.name: asking_for(each, query, variables, bases[each.name], folder) for each in targets}
            await _compare(query, asking)
            asked.append((query, asking))
        tell("answers of all are alike")
        return [await _measure(query, asking, effort, tell) for query, asking in asked]


async def variables_of(query: Query, dsn: str) -> list[dict[str, Any]]:
    """What the query is asked with, of the corpus there. Raises Unusable where that has none."""
    made = await query.variables(dsn)
    if not made:
        raise Unusable(f"the corpus has nothing to ask {query.name} for")
    return made


def asking_for(target: Target, query: Query, variables: list[dict[str, Any]], base: str, folder: Path) -> Asking:
    """How the target at `base` is asked; the bodies lie in the folder."""
    operation = target.operation_of(query)
    lines = [orjson.dumps({"query": operation, "variables": each}) for each in variables]
    bodies = folder / f"{query.name}-{target.name}"
    bodies.write_bytes(b"\n".join(lines) + b"\n")
    return Asking(base + target.path_of(query), lines, bodies)


async def _compare(query: Query, asking: dict[str, Asking]) -> None:
    headers = {"content-type": "application/json"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        for lines in zip(*(each.lines[:COMPARED] for each in asking.values()), strict=True):
            first: list[Any] | None = None
            for (name, each), line in zip(asking.items(), lines, strict=True):
                answer = (await client.post(each.url, content=line)).json()
                data = answer.get("data")
                values = list(leaves(data))
                if "errors" in answer or not data or None in data.values() or (first or values) != values:
                    raise Unusable(f"{query.name}: the answer of {name} to {line!r} is wrong: {answer}\n{first}")
                first = values


def leaves(value: Any) -> Iterator[Any]:
    """What an answer says, in its order, whatever its fields are called and however they are nested.

    An id is its number, with or without its type, as a string or not; a time is a time, however it is written.
    """
    if isinstance(value, dict):
        value = list(value.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from leaves(each)
    else:
        yield _plain(value)


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = value.removeprefix("story_").removeprefix("article_").removeprefix("outlet_")
    if number.isdecimal():
        return int(number)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


async def _measure(query: Query, asking: dict[str, Asking], effort: Effort, tell: Callable[[str], None]) -> Result:
    runs: dict[str, list[Measured]] = {name: [] for name in asking}
    for _ in range(effort.rounds):
        for name, each in asking.items():
            runs[name].append(await drive(each.url, each.bodies, warm_up=effort.warm_up, seconds=effort.seconds))
    result = Result(query, {name: _median(measured) for name, measured in runs.items()})
    rates = ", ".join(f"{name} {measured.rate:,.0f}/s" for name, measured in result.measured.items())
    tell(f"{query.name} {query.title}: {rates}")
    return result


def _median(runs: list[Measured]) -> Measured:
    return Measured(median(run.rate for run in runs), median(run.p50 for run in runs), median(run.p99 for run in runs))
