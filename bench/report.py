"""What was measured, as a table for people and as JSON, with the machine and the method."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import asyncpg
import orjson

from bench.driving import CONNECTIONS, THREADS
from bench.hits import Hits
from bench.hits import as_text as hits_as_text
from bench.loading import Loading
from bench.querying import COMPARED, Effort, Result

PACKAGES = ("parallax", "asyncpg", "graphql-core", "orjson", "starlette", "strawberry-graphql", "uvicorn", "uvloop")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured, and with what."""

    processor: str
    cores: int
    system: str
    python: str
    postgres: str
    stories: int
    articles: int
    packages: dict[str, str]

    @classmethod
    async def here(cls, dsn: str) -> Machine:
        """This machine and that database."""
        conn = await asyncpg.connect(dsn)
        try:
            postgres: str = await conn.fetchval("show server_version")
            stories: int = await conn.fetchval("select count(*) from stories")
            articles: int = await conn.fetchval("select sum(article_count) from stories")
        finally:
            await conn.close()
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 0,
            system=platform.platform(),
            python=platform.python_version(),
            postgres=postgres,
            stories=stories,
            articles=articles,
            packages={name: version(name) for name in PACKAGES},
        )


def as_text(machine: Machine, effort: Effort, loading: Loading | None, results: list[Result], hits: Hits | None) -> str:
    """The tables, and how the figures came about."""
    lines = [
        f"{machine.processor}, {machine.cores} cores, {machine.system}",
        f"Python {machine.python}, Postgres {machine.postgres}",
        f"{machine.stories:,} stories, {machine.articles:,} articles",
        "",
        *_table("requests/s", results, lambda each, name: _rate(each.measured[name].rate)),
        *_table("p50 ms", results, lambda each, name: f"{each.measured[name].p50:.1f}"),
        *_table("p99 ms", results, lambda each, name: f"{each.measured[name].p99:.1f}"),
        *_table("service to each", results, lambda each, name: _ratio(each.ratios.get(name, 1))),
    ]
    if loading is not None:
        lines.append(
            f"loading {loading.articles:,} articles: {loading.loaded:,.0f} articles/s; a bare COPY of the same rows:"
            f" {loading.copied:,.0f} (ratio {loading.ratio:.2f}), with the figures' rows too:"
            f" {loading.copied_with_figures:,.0f}"
        )
        lines.append("")
    if hits is not None:
        lines += [hits_as_text(hits), ""]
    return "\n".join([*lines, _method(effort)])


def as_json(
    machine: Machine, effort: Effort, loading: Loading | None, results: list[Result], hits: Hits | None
) -> bytes:
    """The same for programs."""
    queries = {
        each.query.name: {name: asdict(measured) for name, measured in each.measured.items()} | {"ratios": each.ratios}
        for each in results
    }
    report = {"machine": asdict(machine), "effort": asdict(effort), "queries": queries}
    if loading is not None:
        report["loading"] = asdict(loading) | {"ratio": loading.ratio}
    if hits is not None:
        report["hits"] = asdict(hits) | {"ratios": hits.ratios}
    return orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _table(title: str, results: list[Result], cell: Callable[[Result, str], str]) -> list[str]:
    names = list(results[0].measured)
    return [
        f"{title:18}" + "".join(f"{name:>14}" for name in names),
        *(
            f"{each.query.name} {each.query.title:15}" + "".join(f"{cell(each, name):>14}" for name in names)
            for each in results
        ),
        "",
    ]


def _method(effort: Effort) -> str:
    return f"""\
Method: each that is measured is a process of its own on this machine, as are Postgres and wrk ({THREADS} thread,
{CONNECTIONS} connections). The floor is one hand-written statement for each query behind a bare ASGI application on
uvicorn; what peers there are docs/performance.md tells. {COMPARED} answers of each query were compared first; a
status of HTTP other than success fails the run. Each query: one after the other, {effort.warm_up} s to warm up and
{effort.seconds} s measured, {effort.rounds} times in turn; medians. A ratio is requests a second of the service for one
of the other; none where the other answered nothing in that time.
Ratios are what counts.
COPY writes the rows of the stream's own tables with all their indexes, in one session, without triggers.
A kept page comes from the memory of one process, and from Redis to another that has no room for any; the static body of
that size comes from a bare ASGI application on uvicorn, with the headers that HTTP needs. In turn, as the queries."""


def _processor() -> str:
    try:
        found = [
            line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line
        ]
    except OSError:
        found = []
    return found[0].partition(":")[2].strip() if found else platform.machine()
