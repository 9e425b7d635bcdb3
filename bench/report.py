"""What was measured, as a table for people and as JSON, with the machine and the method."""

from __future__ import annotations

import os
import platform
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
        f"{'':16}{'requests/s':>21}{'p50 ms':>18}{'p99 ms':>18}",
        f"{'':16}{'service':>11}{'floor':>10}{'service':>10}{'floor':>8}{'service':>10}{'floor':>8}{'ratio':>8}",
    ]
    for each in results:
        service, floor = each.service, each.floor
        lines.append(
            f"{each.query.name} {each.query.title:13}{service.rate:11,.0f}{floor.rate:10,.0f}{service.p50:10.1f}"
            f"{floor.p50:8.1f}{service.p99:10.1f}{floor.p99:8.1f}{each.ratio:8.2f}"
        )
    if loading is not None:
        lines.append("")
        lines.append(
            f"loading {loading.articles:,} articles: {loading.loaded:,.0f} articles/s; a bare COPY of the same rows:"
            f" {loading.copied:,.0f} (ratio {loading.ratio:.2f}), with the figures' rows too:"
            f" {loading.copied_with_figures:,.0f}"
        )
    if hits is not None:
        lines += ["", hits_as_text(hits)]
    return "\n".join([*lines, "", _method(effort)])


def as_json(
    machine: Machine, effort: Effort, loading: Loading | None, results: list[Result], hits: Hits | None
) -> bytes:
    """The same for programs."""
    queries = {
        each.query.name: {"service": asdict(each.service), "floor": asdict(each.floor), "ratio": each.ratio}
        for each in results
    }
    report = {"machine": asdict(machine), "effort": asdict(effort), "queries": queries}
    if loading is not None:
        report["loading"] = asdict(loading) | {"ratio": loading.ratio}
    if hits is not None:
        report["hits"] = asdict(hits) | {"ratios": hits.ratios}
    return orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n"


def _method(effort: Effort) -> str:
    return f"""\
Method: service and floor are processes of their own on this machine, as are Postgres and wrk ({THREADS} thread,
{CONNECTIONS} connections). The floor is one hand-written statement for each query behind a bare ASGI application on
uvicorn. {COMPARED} answers of each query were compared first; a failed request fails the run. Each query: service,
then floor, {effort.warm_up} s to warm up and {effort.seconds} s measured, {effort.rounds} times in turn; medians.
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
