"""The journey of a GraphQL request: caller, request, document, operation, call, price, execution, bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from time import perf_counter
from typing import NamedTuple, cast

from graphql import OperationDefinitionNode, OperationType, parse
from starlette.types import Message, Receive, Scope, Send

from service.access.caller import Credentials
from service.cache import Answer, ResponseCache
from service.documents import Registry
from service.errors import ApiError, MethodNotAllowed, NotAcceptable, ValidationFailed
from service.http.admission import Admission, Guest, Terms
from service.http.caller import WhileCallerWaits
from service.http.credentials import credentials_of
from service.http.kept import READING, Kept, Reader, body_reply, kept_reply
from service.http.media import MediaType, accepted
from service.http.notes import note_call, note_caller
from service.http.operations import SUBSCRIPTION, Operations
from service.http.origins import refuse_from_elsewhere
from service.http.pages import GRAPHIQL, registered_page, send_page
from service.http.requests import (
    GraphQLRequest,
    Headers,
    Sent,
    headers_of,
    read_streamed,
    understand,
    what_arrived,
)
from service.http.responses import send_options
from service.http.server_sent_events import EventStream
from service.http.shortcuts import Later, arrived_body
from service.journeys import Journey
from service.planner import Call, Operation
from service.remembered import Remembered
from service.settings import Settings
from service.turns import Turns

MOST_CALLS = 4_000
LONGEST_SENT = 4_000
"""Bytes of a request up to which its call is remembered; what is longer is read in turns."""
HOW_TO_SUBSCRIBE = (
    "A subscription is answered by server-sent events (Accept: text/event-stream), or by WebSocket with the "
    "subprotocol graphql-transport-ws."
)


class Visit(NamedTuple):
    """Who asks, how, and what they sent, unless that is still to be read."""

    headers: Headers
    media_type: MediaType
    guest: Guest
    sent: Sent | None

    def reader(self, scope: Scope) -> Reader:
        """Who gets the answer, with what is left to them as far as the scope tells."""
        keyed = self.guest.caller.key is not None
        return Reader(scope["method"], self.headers, self.media_type, keyed, scope.get("balance"))


class GraphQLEndpoint:
    """Answers `/graphql`, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(
        self,
        admission: Admission,
        operations: Operations,
        events: EventStream,
        *,
        documents: Registry,
        cache: ResponseCache | None,
        settings: Settings,
    ) -> None:
        self._admission = admission
        self._operations = operations
        self._events = events
        self._cache = cache
        self._settings = settings
        # The calls that came of what was sent lately: what is kept for them is found without reading it again.
        self._calls = Remembered[tuple[Sent, Terms], tuple[Operation, Call]](MOST_CALLS)
        self._turns = Turns()
        self._page = registered_page(documents.listed) if settings.registered_only else GRAPHIQL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit: Visit | None = scope.get("visit")
        if visit is None:
            visit = await self._visit(scope, send)
            if visit is None:
                return
        try:
            await self._answer(scope, receive, send, visit)
        except ApiError:
            scope["balance"] = scope.get("balance") or await self._admission.balance(visit.guest)
            raise

    def at_hand(self, scope: Scope, body: bytes) -> Message | Later | None:
        """The answer to a request by GET or POST that came whole, where nobody has to be asked but Redis.

        None for all others, and for those that will be refused: what was found out by then, and charged, stands in the
        scope for who goes on.
        """
        cache = self._cache
        visit = self._visit_at_hand(scope, body) if cache else None
        known = self._calls.get((visit.sent, visit.guest.terms)) if visit and visit.sent else None
        if not cache or not visit or not known:
            return None
        operation, call = known
        balance = scope["balance"] = self._admission.charged_at_hand(visit.guest, call)
        if balance is None:
            return None
        journey = cast("Journey", scope["journey"])
        note_caller(journey, visit.guest.caller)
        note_call(journey, operation, call)
        reader = visit.reader(scope)
        if answer := cache.at_hand(call.key):
            return self._reply(reader, call, answer, journey)

        def later(then: Callable[[Message | None], None]) -> bool:
            began = perf_counter()

            def told(answer: Answer | None) -> None:
                message: Message | None = None
                try:
                    if answer:
                        journey.passed("cache", began)
                        message = self._reply(reader, call, answer, journey)
                finally:  # whatever happens, somebody waits
                    then(message)

            return cache.ask_shared(call.key, told)

        return later

    def _visit_at_hand(self, scope: Scope, body: bytes) -> Visit | None:
        """The visit of a request that came whole, noted in its scope; None where that takes longer, or is refused."""
        if len(body) > LONGEST_SENT:
            return None
        try:
            headers, media_type, given = self._head(scope)
            sent = what_arrived(scope, headers, body, self._settings)
        except ApiError:
            return None
        guest = self._admission.known(given) if media_type.is_whole else None
        if guest is None:
            return None
        visit = scope["visit"] = Visit(headers, media_type, guest, sent)
        return visit

    def _head(self, scope: Scope) -> tuple[Headers, MediaType, Credentials]:
        """What the head of a request by GET, HEAD or POST says. Raises ApiError."""
        method, headers = scope["method"], headers_of(scope)
        html = method in READING and self._settings.graphiql
        media_type = scope["media_type"] = accepted(headers.get(b"accept"), html=html)
        given = credentials_of(scope, headers)
        if media_type is not MediaType.HTML:
            refuse_from_elsewhere(method, headers)
        return headers, media_type, given

    async def _visit(self, scope: Scope, send: Send) -> Visit | None:
        """The visit of any request; None for one that is answered. Raises ApiError."""
        method = scope["method"]
        if method == "OPTIONS":
            await send_options(send)
            return None
        if method != "POST" and method not in READING:
            raise MethodNotAllowed("GraphQL is answered by POST and GET.")
        headers, media_type, given = self._head(scope)
        if media_type is MediaType.HTML:
            await send_page(send, self._page)
            return None
        guest = self._admission.known(given) or await self._admission.admit(given)
        return Visit(headers, media_type, guest, None)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        headers, media_type, guest, sent = visit
        settings, journey = self._settings, cast("Journey", scope["journey"])
        method = scope["method"]
        if sent is None:
            sent = what_arrived(scope, headers, arrived_body(receive), settings)
        if sent is None:
            sent = await read_streamed(receive, settings)
        note_caller(journey, guest.caller)
        if media_type is MediaType.EVENTS:
            await self._stream(scope, receive, send, guest, sent)
            return
        # What is charged already, for who was looked for at hand, is not charged again.
        reader = visit.reader(scope)
        cache = self._cache
        known = self._calls.get((sent, guest.terms)) if cache else None
        if known and cache:
            operation, call = known
            note_call(journey, operation, call)
            charged = reader.balance or self._admission.charged_at_hand(guest, call)
            reader.balance = scope["balance"] = charged or await self._admission.charge(guest, call)
            if answer := cache.at_hand(call.key):
                await send(self._reply(reader, call, answer, journey))
                return
        async with self._admission.reading(guest), self._turn(sent):
            began = perf_counter()
            request = understand(sent)
            operation = await self._operation(request, guest, method)
            call = self._operations.plan(operation, request.variables, guest)
            note_call(journey, operation, call)
            journey.passed("plan", began)
        if reader.balance is None:
            reader.balance = scope["balance"] = await self._admission.charge(guest, call)
        if self._cache and self._operations.is_kept(call):
            if not request.keep and len(sent.text) <= LONGEST_SENT:
                self._calls.put((sent, guest.terms), (operation, call))
            with WhileCallerWaits(receive):
                answer = await self._operations.kept(call, journey)
            await send(self._reply(reader, call, answer, journey))
        else:
            with WhileCallerWaits(receive):
                body = await self._operations.made(call, request.variables, guest, journey)
            await send(body_reply(reader, body))

    def _reply(self, reader: Reader, call: Call, answer: Answer, journey: Journey) -> Message:
        assert self._cache is not None
        journey.cache = answer.state
        return kept_reply(reader, Kept(self._cache, call.key, answer), self._settings.cache_max_age)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, guest: Guest, sent: Sent) -> None:
        async with self._admission.charging_refusals(guest), self._turn(sent):
            request = understand(sent)
        if not sent.posted:
            self._check_only_reads(request, streamed=True)
        await self._events.send(scope, receive, send, guest, request)

    def _turn(self, sent: Sent) -> AbstractAsyncContextManager[None]:
        """A turn for what takes long to read."""
        return self._turns if len(sent.text) > LONGEST_SENT else nullcontext()

    async def _operation(self, request: GraphQLRequest, guest: Guest, method: str) -> Operation:
        """The operation; one that is refused for what no GET may run is refused as that."""
        try:
            operation = await self._operations.find(request, guest)
        except ValidationFailed:
            if method in READING:
                self._check_only_reads(request, streamed=False)
            raise
        if operation.kind == SUBSCRIPTION:
            if method in READING:
                raise MethodNotAllowed(HOW_TO_SUBSCRIBE)
            raise NotAcceptable(HOW_TO_SUBSCRIBE)
        return operation

    def _check_only_reads(self, request: GraphQLRequest, *, streamed: bool) -> None:
        if request.document and not _only_reads(request.document, streamed=streamed):
            raise MethodNotAllowed("Mutations and subscriptions cannot be run by GET.")


def _only_reads(text: str, *, streamed: bool) -> bool:
    """Whether no operation of a document changes anything, nor goes on unless it is `streamed`; true of no GraphQL."""
    try:
        operations = (each for each in parse(text).definitions if isinstance(each, OperationDefinitionNode))
    except Exception:  # noqa: BLE001 - whoever runs it says why it is none
        return True
    allowed = (OperationType.QUERY, OperationType.SUBSCRIPTION) if streamed else (OperationType.QUERY,)
    return all(operation.operation in allowed for operation in operations)
