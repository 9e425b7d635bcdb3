"""The journey of a GraphQL request: request, document, operation, call, execution, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, OperationType, parse
from graphql import execute as run  # pyright: ignore[reportUnknownVariableType]  # one parameter has a bare list
from starlette.types import Receive, Scope, Send

from service.db.pool import Database
from service.errors import MethodNotAllowed, ResponseTooLarge, ValidationFailed
from service.http.caller import WhileCallerWaits
from service.http.media import MediaType, accepted
from service.http.pages import send_graphiql
from service.http.requests import GraphQLRequest, headers_of, read_request
from service.http.responses import send_options, send_reply
from service.http.service_info import ServiceInfo
from service.planner import Call, Document, Planner
from service.settings import Settings

READING = ("GET", "HEAD")


class GraphQLEndpoint:
    """Answers `/graphql`, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(self, planner: Planner, database: Database, settings: Settings) -> None:
        self._planner = planner
        self._database = database
        self._settings = settings
        self._features = frozenset[str](settings.granted_features)
        self._context = {"service_info": ServiceInfo(database)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            await send_options(send)
            return
        if method != "POST" and method not in READING:
            raise MethodNotAllowed("GraphQL is answered by POST and GET.")
        headers = headers_of(scope)
        html = method in READING and self._settings.graphiql
        media_type = scope["media_type"] = accepted(headers.get(b"accept"), html=html)
        if media_type is MediaType.HTML:
            await send_graphiql(send)
            return
        request = await read_request(scope, headers, receive, self._settings)
        with WhileCallerWaits(receive):
            data = await self._answer(request, method)
        await send_reply(send, 200, media_type, b'{"data":' + data + b"}")

    async def _answer(self, request: GraphQLRequest, method: str) -> bytes:
        """The JSON of the answer's `data`."""
        document = self._document(request.document, method)
        operation = document.operation(request.operation_name)
        call = self._planner.plan(operation, request.variables, self._features)
        record = None
        if call.statement:
            record = await self._database.fetch_row(call.statement, call.parameters, selective=call.selective)
        local = await self._execute_local(call.local, request.variables) if call.local else None
        return self._within_limit(call, record, local)

    def _document(self, text: str, method: str) -> Document:
        """A valid document; one that is refused for what no GET may run is refused as that."""
        try:
            return self._planner.document(text)
        except ValidationFailed:
            if method in READING and not _only_reads(text):
                raise MethodNotAllowed("Mutations and subscriptions cannot be run by GET.") from None
            raise

    async def _execute_local(self, document: DocumentNode, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the executor answers to roots that no SQL does; its errors are those of the whole operation."""
        executing = run(self._planner.schema, document, context_value=self._context, variable_values=dict(variables))
        result: ExecutionResult = await executing if isawaitable(executing) else executing
        for error in result.errors or ():
            raise error.original_error or error
        return result.data or {}

    def _within_limit(self, call: Call, record: Any, local: Mapping[str, Any] | None) -> bytes:
        data = call.assemble(record, local)
        limit = self._settings.max_response_bytes
        if len(data) > limit:
            raise ResponseTooLarge(f"The response would be larger than {limit:,} bytes. Ask for less at a time.")
        return data


def _only_reads(text: str) -> bool:
    """Whether all operations of a document that can be parsed are queries. The schema has neither of the others."""
    operations = (each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode))
    return all(operation.operation is OperationType.QUERY for operation in operations)
