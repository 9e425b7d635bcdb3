"""Asks the planner as the service does: plan, one statement, finished JSON, failures as callers meet them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import ExecutionResult
from graphql import execute_sync as run  # pyright: ignore[reportUnknownVariableType]  # one parameter has a bare list

import schema
from service.db.pool import Database
from service.errors import ApiError, BadUserInput
from service.planner import Allowed, Document, Limits, Planner
from service.planner.call import Answerer

ALL_FEATURES = frozenset({"FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY", "EXPORT"})

INTERNALS = (
    *("Traceback", "Error(", "KeyError", "TypeError", "asyncpg", "graphql-core", "strawberry", "object at 0x"),
    *("select ", "from stories", "to_json", "syntax error at", "bigint", "tsquery", "varchar", "plpgsql"),
    *("invalid input", "Order(", "Key(", "Condition("),
)
"""What only code and databases say."""


class Asking:
    """One planner over one database."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self.planner = Planner(schema.schema, limits)
        self._database = database

    def with_limits(self, limits: Limits) -> Asking:
        """The same with other limits, and a planner that remembers nothing yet."""
        return Asking(self._database, limits)

    async def __call__(
        self, query: str, variables: Mapping[str, Any] | None = None, features: frozenset[str] = frozenset(), /
    ) -> Any:
        """The answer's `data`. Raises ApiError."""
        return await self.of(self.planner.document(query), variables, features)

    async def of(
        self, document: Document, variables: Mapping[str, Any] | None = None, features: frozenset[str] = frozenset()
    ) -> Any:
        """The same for a document that is read already."""
        call = self.planner.plan(document.operation(), variables or {}, Allowed(features))
        record: Any = await self._database.fetch_row(call.statement, call.parameters) if call.statement else None
        if call.together and not call.prepared.momentary:
            # A statement for many gives each of them what the one for one does.
            twice = await self._database.fetch_rows(call.together, [[each, each] for each in call.parameters])
            shown = sum(answerer is Answerer.STATEMENT for _, answerer in call.prepared.roots)
            assert [list(each)[:shown] for each in twice] == [list(record)[:shown]] * 2
        local: Mapping[str, Any] | None = None
        if call.local is not None:
            result = run(self.planner.schema, call.local, variable_values=dict(variables or {}))
            assert isinstance(result, ExecutionResult)
            assert not result.errors
            local = result.data
        return json.loads(call.assemble(record, local))

    async def refusal(
        self, query: str, variables: Mapping[str, Any] | None = None, features: frozenset[str] = frozenset(), /
    ) -> ApiError:
        """The error of a query that is refused, which must not tell of anything internal."""
        with pytest.raises(ApiError) as refused:
            await self(query, variables, features)
        assert not told_internals(refused.value), refused.value.message
        return refused.value

    async def unless_refused(self, document: Document, variables: Mapping[str, Any]) -> Any:
        """The answer, for all features; None where the variables are refused, without telling of anything internal."""
        try:
            return await self.of(document, variables, ALL_FEATURES)
        except BadUserInput as error:
            if told_internals(error):
                raise
            return None


def told_internals(error: ApiError) -> list[str]:
    """What a message says that only code and databases say."""
    messages = [each.message for each in getattr(error, "errors", [error])]
    return [word for word in INTERNALS for message in messages if word in message]
