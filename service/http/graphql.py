"""The journey of a GraphQL request: request, document, operation, call, execution, bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, OperationType, parse
from graphql import execute as run  # pyright: ignore[reportUnknownVariableType]  # one parameter has a bare list
from starlette.types import Receive, Scope, Send

from service.cache import REFERENCES, Filled, Kind, ResponseCache, story_tag
from service.db.pool import Database
from service.documents import Registry
from service.errors import MethodNotAllowed, ResponseTooLarge, ValidationFailed
from service.http.caller import WhileCallerWaits
from service.http.kept import READING, Kept, Reader, send_body, send_kept
from service.http.media import MediaType, accepted
from service.http.pages import GRAPHIQL, registered_page, send_page
from service.http.requests import GraphQLRequest, Sent, headers_of, read, understand
from service.http.responses import send_options
from service.http.service_info import ServiceInfo
from service.planner import Call, Document, Planner
from service.settings import Settings

MOST_CALLS = 4_000
LONGEST_SENT = 4_000


class _Calls:
    """The calls that came of what was sent lately, so that what is kept for them is found without reading it again."""

    def __init__(self) -> None:
        self._calls: OrderedDict[Sent, Call] = OrderedDict()

    def get(self, sent: Sent) -> Call | None:
        return self._calls.get(sent)

    def put(self, sent: Sent, call: Call) -> None:
        if len(sent.text) <= LONGEST_SENT:
            self._calls[sent] = call
            if len(self._calls) > MOST_CALLS:
                self._calls.popitem(last=False)


class GraphQLEndpoint:
    """Answers `/graphql`, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(
        self,
        planner: Planner,
        documents: Registry,
        database: Database,
        cache: ResponseCache | None,
        settings: Settings,
    ) -> None:
        self._planner = planner
        self._documents = documents
        self._database = database
        self._cache = cache
        self._settings = settings
        self._calls = _Calls()
        self._page = registered_page(documents.listed) if settings.registered_only else GRAPHIQL
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
            await send_page(send, self._page)
            return
        sent = await read(scope, headers, receive, self._settings)
        reader = Reader(method, headers, media_type)
        known = self._calls.get(sent) if self._cache else None
        if known and self._cache and (answer := self._cache.at_hand(known.key)):
            await send_kept(send, reader, Kept(self._cache, known.key, answer), self._settings.cache_max_age)
            return
        request = understand(sent)
        operation = (await self._document(request, method)).operation(request.operation_name)
        call = self._planner.plan(operation, request.variables, self._features)
        if self._cache and call.statement and not call.local:
            if not request.keep:
                self._calls.put(sent, call)
            with WhileCallerWaits(receive):
                answer = await self._cache.answer(call.key, partial(self._fill, call))
            await send_kept(send, reader, Kept(self._cache, call.key, answer), self._settings.cache_max_age)
        else:
            with WhileCallerWaits(receive):
                body = await self._answer(call, request.variables)
            await send_body(send, reader, body)

    async def _answer(self, call: Call, variables: Mapping[str, Any]) -> bytes:
        """The answer of a call that is not kept."""
        record = await self._record(call)
        local = await self._execute_local(call.local, variables) if call.local else None
        return self._body(call, record, local)

    async def _fill(self, call: Call) -> Filled:
        """The answer of a call that is kept: a page where all stories of the answer are known, else a list."""
        record = await self._record(call)
        body, as_of = self._body(call, record, None), call.as_of(record)
        stories = call.stories(record)
        if stories is None:
            return Filled(Kind.LIST, body, as_of)
        return Filled(Kind.PAGE, body, as_of, (REFERENCES, *(story_tag(key) for key in stories)))

    async def _record(self, call: Call) -> Any:
        if call.statement is None:
            return None
        return await self._database.fetch_row(call.statement, call.parameters, selective=call.selective)

    async def _document(self, request: GraphQLRequest, method: str) -> Document:
        """A valid document; one that is refused for what no GET may run is refused as that."""
        try:
            return await self._documents.find(request.document, request.document_id, keep=request.keep)
        except ValidationFailed:
            if method in READING and request.document and not _only_reads(request.document):
                raise MethodNotAllowed("Mutations and subscriptions cannot be run by GET.") from None
            raise

    async def _execute_local(self, document: DocumentNode, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the executor answers to roots that no SQL does; its errors are those of the whole operation."""
        executing = run(self._planner.schema, document, context_value=self._context, variable_values=dict(variables))
        result: ExecutionResult = await executing if isawaitable(executing) else executing
        for error in result.errors or ():
            raise error.original_error or error
        return result.data or {}

    def _body(self, call: Call, record: Any, local: Mapping[str, Any] | None) -> bytes:
        body = b'{"data":' + call.assemble(record, local) + b"}"
        limit = self._settings.max_response_bytes
        if len(body) > limit:
            raise ResponseTooLarge(f"The response would be larger than {limit:,} bytes. Ask for less at a time.")
        return body


def _only_reads(text: str) -> bool:
    """Whether all operations of a document that can be parsed are queries. The schema has neither of the others."""
    operations = (each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode))
    return all(operation.operation is OperationType.QUERY for operation in operations)
