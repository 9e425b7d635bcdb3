"""Operations, however they came: the document, its plan, its price, and the answer or the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from inspect import isawaitable
from time import perf_counter
from typing import Any

from graphql import DocumentNode, ExecutionResult, FieldNode, OperationDefinitionNode
from graphql import execute as run  # pyright: ignore[reportUnknownVariableType]  # one parameter has a bare list

from service.access.usage import Usage
from service.cache import REFERENCES, Answer, Filled, Kind, ResponseCache, story_tag
from service.db.batching import Batches
from service.db.pool import Database
from service.db.replicas import Replicas
from service.documents import Registry
from service.errors import ResponseTooLarge
from service.http.admission import Admission, Guest
from service.http.changes import StoryChanges
from service.http.notes import note_call
from service.http.requests import GraphQLRequest
from service.http.service_info import ServiceInfo
from service.http.viewer import Viewing
from service.journeys import Journey
from service.planner import Call, Operation, Planner, Subscription
from service.planner.shape import INTROSPECTION
from service.settings import Settings

QUERY = "query"
SUBSCRIPTION = "subscription"


class Operations:
    """Answers operations; every failure is an ApiError."""

    def __init__(
        self,
        planner: Planner,
        documents: Registry,
        database: Database,
        primary: Batches,
        replicas: Replicas | None,
        *,
        admission: Admission,
        usage: Usage,
        cache: ResponseCache | None,
        changes: StoryChanges,
        settings: Settings,
    ) -> None:
        self._planner = planner
        self._documents = documents
        self._primary = primary
        self._replicas = replicas
        self._admission = admission
        self._usage = usage
        self._cache = cache
        self._changes = changes
        self._max_response_bytes = settings.max_response_bytes
        self._service_info = ServiceInfo(database)

    async def find(self, request: GraphQLRequest, guest: Guest) -> Operation:
        """The operation that is asked for, of a valid document."""
        registered_only = guest.terms.registered_only
        document = await self._documents.find(
            request.document, request.document_id, keep=request.keep, registered_only=registered_only
        )
        return document.operation(request.operation_name)

    def at_hand(self, request: GraphQLRequest, guest: Guest) -> tuple[Operation, Call] | None:
        """The query that is asked for and its call, where nobody has to be asked and only the database has to be read.

        None for all others. Raises ApiError for what is refused.
        """
        if request.keep:
            return None
        document = self._documents.at_hand(
            request.document, request.document_id, registered_only=guest.terms.registered_only
        )
        operation = document.operation(request.operation_name) if document else None
        if operation is None or operation.kind != QUERY:
            return None
        call = self.plan(operation, request.variables, guest)
        return None if call.local else (operation, call)

    def plan(self, operation: Operation, variables: Mapping[str, Any], guest: Guest) -> Call:
        """The call of a query."""
        return self._planner.plan(operation, variables, guest.terms.allowed)

    def is_kept(self, call: Call) -> bool:
        """Whether the answer of a call is kept for those who ask the same."""
        return bool(self._cache and call.statement and not call.local and not call.prepared.momentary)

    async def kept(self, call: Call, journey: Journey) -> Answer:
        """The answer of a call that is kept, or made and kept now."""
        assert self._cache is not None
        fill = partial(self._fill, call, self._primary, journey)
        behind = partial(self._fill, call, self._replicas, journey) if self._replicas else None
        began = perf_counter()
        answer = await self._cache.answer(call.key, fill, behind)
        journey.passed("cache", began)
        journey.cache = answer.state
        return answer

    async def made(self, call: Call, variables: Mapping[str, Any], guest: Guest, journey: Journey) -> bytes:
        """The answer of a call that is not kept."""
        record = await self._record(call, self._primary, journey)
        local = await self._execute_local(call.local, variables, guest) if call.local else None
        return self._body(call, record, local)

    async def stream(
        self, request: GraphQLRequest, guest: Guest, journey: Journey, after: str | None = None
    ) -> AsyncGenerator[tuple[str, bytes]]:
        """The answer of a query, or those of a subscription as they come; each with its cursor, empty for a query.

        `after` is where one goes on who has had answers before; it goes before the subscription's own argument. Each
        answer takes its price, a subscription one at its start too; it ends with RateLimited when nothing is left.
        """
        async with self._admission.reading(guest):
            began = perf_counter()
            operation = await self.find(request, guest)
            call = self.plan(operation, request.variables, guest)
            note_call(journey, operation, call)
            journey.passed("plan", began)
        await self._admission.charge(guest, call)
        if operation.kind != SUBSCRIPTION:
            if self.is_kept(call):
                yield "", (await self.kept(call, journey)).entry.body
            else:
                yield "", await self.made(call, request.variables, guest, journey)
            return
        async for cursor, body in self._changes.follow(Subscription(call), after):
            await self._admission.charge(guest, call)
            yield cursor, self._within_limit(body)

    async def _fill(self, call: Call, reads: Batches | Replicas, journey: Journey) -> Filled:
        """A page where all stories of the answer are known, else a list."""
        record = await self._record(call, reads, journey)
        if reads is not self._primary and call.misses(record):  # it may be so new that only the primary has it
            record = await self._record(call, self._primary, journey)
        body, as_of = self._body(call, record, None), call.as_of(record)
        stories = call.stories(record)
        if stories is None:
            return Filled(Kind.LIST, body, as_of, (REFERENCES,))
        return Filled(Kind.PAGE, body, as_of, (REFERENCES, *(story_tag(key) for key in stories)))

    async def _record(self, call: Call, reads: Batches | Replicas, journey: Journey) -> Any:
        if call.statement is None:
            return None
        began = perf_counter()
        record = await reads.fetch_row(
            call.statement, call.parameters, together=call.together, weight=call.cost, selective=call.selective
        )
        journey.passed("database", began)
        return record

    async def _execute_local(
        self, document: DocumentNode, variables: Mapping[str, Any], guest: Guest
    ) -> Mapping[str, Any]:
        """What the executor answers to roots that no SQL does; its errors are those of the whole operation."""
        context = {"service_info": self._service_info, "viewer": Viewing(guest, self._admission, self._usage)}
        execute = partial(run, self._planner.schema, document, context_value=context, variable_values=dict(variables))
        # All of the schema takes so long that others would notice if they had to wait for it.
        executing = await asyncio.to_thread(execute) if _introspects(document) else execute()
        result: ExecutionResult = await executing if isawaitable(executing) else executing
        for error in result.errors or ():
            raise error.original_error or error
        return result.data or {}

    def _body(self, call: Call, record: Any, local: Mapping[str, Any] | None) -> bytes:
        return self._within_limit(call.response(record, local))

    def _within_limit(self, body: bytes) -> bytes:
        limit = self._max_response_bytes
        if len(body) > limit:
            raise ResponseTooLarge(f"The response would be larger than {limit:,} bytes. Ask for less at a time.")
        return body


def _introspects(document: DocumentNode) -> bool:
    """Whether a document of one operation, of root fields, asks for the schema."""
    definition, *_ = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    roots = (root for root in definition.selection_set.selections if isinstance(root, FieldNode))
    return any(root.name.value in INTROSPECTION for root in roots)
