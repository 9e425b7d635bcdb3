"""One operation, two answers, and whether they agree: from one SQL statement, and from plain objects."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# Answers are JSON of any form.

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from graphql import build_schema

from schema import schema, sdl
from service.errors import ApiError
from service.planner import Allowed, Limits, Planner, WindowLimits
from tests.reference.executor import ANY_TEXT, Reference
from tests.reference.operations import Operation
from tests.reference.paging import CURSOR
from tests.reference.world import read_world

# So that few operations are refused: what nobody answers is not compared.
LIMITS = Limits(max_aliases=1_000, windows=WindowLimits(open_days=36_500))


@dataclass(frozen=True)
class Answer:
    """`data`, or why there is none."""

    data: Any
    refusal: str | None = None


@dataclass(frozen=True)
class Disagreement:
    """An operation that is answered in two ways."""

    operation: Operation
    service: Answer
    reference: Answer
    difference: str

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.difference}\n\n{self.operation.text}",
                f"variables: {json.dumps(dict(self.operation.variables), ensure_ascii=False)}",
                f"features: {', '.join(sorted(self.operation.features)) or 'none'}, operation: {self.operation.name}",
                f"\nservice:   {_shown(self.service)}",
                f"\nreference: {_shown(self.reference)}",
            )
        )


@dataclass
class Comparison:
    """Both ways to an answer, over one database."""

    planner: Planner
    reference: Reference
    conn: asyncpg.Connection

    async def disagreement(self, operation: Operation) -> Disagreement | None:
        """What the two ways make of an operation, where they do not agree."""
        service_cursors: dict[str, Any] = {}
        reference_cursors: dict[str, Any] = {}
        for name, source in operation.cursors.items():
            service_cursors[name] = _cursor(await self.by_service(source))
            reference_cursors[name] = _cursor(await self.by_reference(source))
        service = await self.by_service(operation, **service_cursors)
        reference = await self.by_reference(operation, **reference_cursors)
        if service.refusal or reference.refusal:
            refused = bool(service.refusal), bool(reference.refusal)
            difference = None if all(refused) else "only one of them answers"
        else:
            difference = next(differences(service.data, reference.data), None)
        return Disagreement(operation, service, reference, difference) if difference else None

    async def by_service(self, operation: Operation, **cursors: Any) -> Answer:
        """The answer of the statement that the planner makes."""
        try:
            planned = self.planner.document(operation.text).operation(operation.name)
            call = self.planner.plan(planned, {**operation.variables, **cursors}, Allowed(operation.features))
            record = await self.conn.fetchrow(call.statement, *call.parameters) if call.statement else None
        except ApiError as error:
            return Answer(None, f"{type(error).__name__}: {error}")
        except asyncpg.PostgresError as error:
            return Answer(None, f"{type(error).__name__}: {error}")
        return Answer(json.loads(call.assemble(None if record is None else tuple(record), None)))

    async def by_reference(self, operation: Operation, **cursors: Any) -> Answer:
        """The answer of the reference executor."""
        variables = {**operation.variables, **cursors}
        result = await self.reference.answer(operation.document, variables, operation.features, operation.name)
        return Answer(None, str(result.errors[0])) if result.errors else Answer(result.data)


@asynccontextmanager
async def comparison(dsn: str) -> AsyncGenerator[Comparison]:
    """Both ways to an answer over a database that nobody writes to meanwhile."""
    settings = {"timezone": "UTC", "jit": "off", "default_transaction_read_only": "on"}
    conn = await asyncpg.connect(dsn, server_settings=settings)
    try:
        reference = Reference(build_schema(sdl()), await read_world(conn))
        yield Comparison(Planner(schema, LIMITS), reference, conn)
    finally:
        await conn.close()


def differences(service: Any, reference: Any, path: str = "data") -> Iterator[str]:
    """Where two answers differ: in values, in the order of keys, in length. Cursors agree where both are there."""
    if isinstance(reference, dict) and isinstance(service, dict):
        if list(service) != list(reference):
            yield f"{path}: keys {list(service)}, not {list(reference)}"
        for key in reference.keys() & service.keys():
            yield from differences(service[key], reference[key], f"{path}.{key}")
    elif isinstance(reference, list) and isinstance(service, list):
        if len(service) != len(reference):
            yield f"{path}: {len(service)} items, not {len(reference)}"
        for index, (ours, theirs) in enumerate(zip(service, reference, strict=False)):
            yield from differences(ours, theirs, f"{path}[{index}]")
    elif isinstance(reference, str) and (reference == ANY_TEXT or reference.startswith(CURSOR)):
        if not (isinstance(service, str) and service):
            yield f"{path}: {service!r}, not any text"
    elif service != reference or isinstance(service, bool) is not isinstance(reference, bool):
        yield f"{path}: {service!r}, not {reference!r}"


def _cursor(answer: Answer) -> str | None:
    """The only string of an answer, which is the cursor asked for."""
    value = answer.data
    while isinstance(value, dict | list):
        value = next(iter(value.values() if isinstance(value, dict) else value), None)
    return value


def _shown(answer: Answer) -> str:
    return answer.refusal or json.dumps(answer.data, ensure_ascii=False)
