"""How many rows a statement reads from tables, as Postgres itself counts them, run the way that the service runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import asyncpg
import orjson

from schema import schema
from service.planner import Allowed, Limits, Planner

FEATURES = frozenset({"FACTUALITY", "OWNERSHIP", "PERSPECTIVES"})
SMALL = ("outlets", "topics", "places", "topic_ancestors", "pg_class")
"""What everything refers to: a few thousand rows, however much is published. Postgres may well read them whole."""
PLANNING = 250.0
"""What Postgres at most adds to the cost of a plan for the parameters, for the planning, where it compares that with a
plan for any: 1000 * cpu_operator_cost for each of up to a hundred tables."""

Node = dict[str, Any]

_planner = Planner(schema, Limits())


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run read: rows by scan of a table, with the plan."""

    scans: tuple[tuple[str, int], ...]
    plan: Node

    @property
    def rows(self) -> int:
        """Rows of all scans, those included that a filter dropped."""
        return sum(rows for _, rows in self.scans)

    def worst(self) -> str:
        """The scan that read the most."""
        scan, rows = max(self.scans, key=lambda each: each[1], default=("nothing", 0))
        return f"{scan}: {rows:,}"


@dataclass(frozen=True, slots=True)
class Statement:
    """What an operation comes to in SQL."""

    text: str
    parameters: tuple[Any, ...]
    selective: bool

    @classmethod
    def of(cls, operation: str, variables: Mapping[str, Any]) -> Statement:
        """The statement of a GraphQL operation for a caller with every feature."""
        call = _planner.plan(_planner.document(operation).operation(), variables, Allowed(FEATURES))
        assert call.statement is not None
        return cls(call.statement, call.parameters, call.selective)

    async def answer(self, conn: asyncpg.Connection[asyncpg.Record]) -> list[Any]:
        """The value of each root."""
        row = await conn.fetchrow(self.text, *self.parameters)
        assert row is not None
        return [orjson.loads(value) for value in tuple(row)[:-2]]

    async def read(self, conn: asyncpg.Connection[asyncpg.Record]) -> list[Reading]:
        """Runs it as the first time, planned by its parameters, and as after many times where another plan may stay.

        A selective statement is planned by its parameters each time.
        """
        await conn.execute(f"prepare tried as {self.text}")
        given = ", ".join(_literal(value) for value in self.parameters)
        execute = f"execute tried ({given})" if given else "execute tried"
        try:
            first = await _explained(conn, execute, "force_custom_plan")
            if self.selective:
                return [first]
            planned = await _plan(conn, execute, "force_generic_plan", "format json")
            if planned["Total Cost"] >= first.plan["Total Cost"] + PLANNING:
                return [first]
            return [first, await _explained(conn, execute, "force_generic_plan")]
        finally:
            await conn.execute("deallocate tried; reset plan_cache_mode")


async def _explained(conn: asyncpg.Connection[asyncpg.Record], execute: str, mode: str) -> Reading:
    plan = await _plan(conn, execute, mode, "analyze, timing off, format json")
    return Reading(tuple(_scans(plan)), plan)


async def _plan(conn: asyncpg.Connection[asyncpg.Record], execute: str, mode: str, options: str) -> Node:
    await conn.execute(f"set plan_cache_mode = {mode}")
    return orjson.loads(await conn.fetchval(f"explain ({options}) {execute}"))[0]["Plan"]


def _scans(node: Node) -> Iterator[tuple[str, int]]:
    """Rows that each scan took from a large table or its index. A bitmap's rows are counted where they come from."""
    for child in cast("Sequence[Node]", node.get("Plans", ())):
        yield from _scans(child)
    loops = node["Actual Loops"]
    kind = node["Node Type"]
    if node.get("Relation Name") in SMALL or str(node.get("Index Name")).startswith(SMALL):
        return
    name = f"{kind} {node.get('Index Name') or node.get('Relation Name')}"
    rechecked = node.get("Rows Removed by Index Recheck", 0)
    if kind == "Bitmap Heap Scan":
        yield name, round(loops * rechecked)
    elif kind == "Bitmap Index Scan":
        yield name, round(loops * node["Actual Rows"])
    elif kind in ("Seq Scan", "Index Scan", "Index Only Scan", "Tid Scan"):
        yield name, round(loops * (node["Actual Rows"] + rechecked + node.get("Rows Removed by Filter", 0)))


def _literal(value: Any) -> str:
    """A parameter as EXECUTE takes it, which knows its type."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return f"'{value}'"
    if isinstance(value, list):
        return _quoted("{" + ",".join(orjson.dumps(str(item)).decode() for item in cast("list[Any]", value)) + "}")
    return _quoted(value.isoformat() if isinstance(value, datetime) else str(value))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
