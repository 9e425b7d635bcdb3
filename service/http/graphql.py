"""The journey of a GraphQL request: caller, request, document, operation, call, price, execution, bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple, cast

from starlette.types import Message, Receive, Scope, Send

from service.access.caller import Credentials
from service.cache import Answer, ResponseCache
from service.documents import Registry
from service.errors import ApiError, MethodNotAllowed, NotAcceptable, ValidationFailed
from service.http.admission import Admission, Guest, Terms
from service.http.by_get import check_only_reads
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
from service.http.shortcuts import Found, Later, Work, arrived_body
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
            _raise_what_was(scope.pop("raised", None))
            await self._answer(scope, receive, send, visit)
        except ApiError:
            scope["balance"] = scope.get("balance") or await self._admission.balance(visit.guest)
            raise

    def at_hand(self, scope: Scope, body: bytes) -> Message | Later | None:
        """The answer to a request by GET or POST that came whole, where all that it asks for is in the database.

        None for all others, and for those that will be refused: what was found out by then, and charged, stands in the
        scope for who goes on.
        """
        visit = self._visit_at_hand(scope, body)
        if visit is None or visit.sent is None:
            return None
        sent, guest = visit.sent, visit.guest
        known = self._calls.get((sent, guest.terms))
        found = scope["called"] = known or self._call_at_hand(scope, sent, guest)
        if not found:
            return None
        operation, call = found
        balance = scope["balance"] = self._admission.charged_at_hand(guest, call)
        if balance is None:
            return None
        if not known:
            self._remember(sent, guest, operation, call)
        journey = cast("Journey", scope["journey"])
        note_caller(journey, guest.caller)
        note_call(journey, operation, call)
        reader = visit.reader(scope)
        cache = self._cache if self._operations.is_kept(call) else None
        if cache and (answer := cache.at_hand(call.key)):
            return self._reply(reader, call, answer, journey)
        made = partial(self._made_at_hand, scope, reader, call, guest)
        return partial(self._ask_shared, reader, call, journey, made) if cache else lambda then: then(made())

    def _ask_shared(
        self, reader: Reader, call: Call, journey: Journey, made: Callable[[], Work], then: Callable[[Found], None]
    ) -> None:
        """Has `then` told the answer that another process keeps, or what makes it."""
        assert self._cache is not None
        began = perf_counter()

        def told(answer: Answer | None) -> None:
            message: Message | None = None
            try:
                if answer:
                    journey.passed("cache", began)
                    message = self._reply(reader, call, answer, journey)
            finally:  # whatever happens, somebody waits
                then(message or made())

        if not self._cache.ask_shared(call.key, told):
            then(made())

    async def _made_at_hand(self, scope: Scope, reader: Reader, call: Call, guest: Guest) -> Message | None:
        try:
            return await self._made(reader, call, {}, guest, cast("Journey", scope["journey"]))
        except Exception as raised:  # noqa: BLE001 - raised again where all others are
            # With its traceback as it is here: all who wait for one answer share what is raised for it.
            scope["raised"] = raised, raised.__traceback__
            return None

    def _call_at_hand(self, scope: Scope, sent: Sent, guest: Guest) -> tuple[Operation, Call] | None:
        """The call that a request asks for; None where somebody has to be asked, or it is refused."""
        if not self._admission.may_read_now(guest):
            return None
        began = perf_counter()
        try:
            request = scope["understood"] = understand(sent)
            found = self._operations.at_hand(request, guest)
        except ApiError:
            return None
        if found:
            cast("Journey", scope["journey"]).passed("plan", began)
        return found

    def _remember(self, sent: Sent, guest: Guest, operation: Operation, call: Call) -> None:
        """Has what is sent once more understood without being read, where its answer is kept."""
        if len(sent.text) <= LONGEST_SENT and self._operations.is_kept(call):
            self._calls.put((sent, guest.terms), (operation, call))

    def _visit_at_hand(self, scope: Scope, body: bytes) -> Visit | None:
        """The visit of a request that came whole, noted in its scope; None where that takes longer, or is refused."""
        if len(body) > LONGEST_SENT or len(scope["query_string"]) > LONGEST_SENT:
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
        known: tuple[Operation, Call] | None = scope.get("called") or self._calls.get((sent, guest.terms))
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
            request: GraphQLRequest = scope.get("understood") or understand(sent)
            if known is None:
                operation = await self._operation(request, guest, method)
                known = operation, self._operations.plan(operation, request.variables, guest)
            operation, call = known
            note_call(journey, operation, call)
            journey.passed("plan", began)
        if reader.balance is None:
            reader.balance = scope["balance"] = await self._admission.charge(guest, call)
        if not request.keep:
            self._remember(sent, guest, operation, call)
        with WhileCallerWaits(receive):
            message = await self._made(reader, call, request.variables, guest, journey)
        await send(message)

    async def _made(
        self, reader: Reader, call: Call, variables: Mapping[str, Any], guest: Guest, journey: Journey
    ) -> Message:
        """The answer to a call, kept or made now."""
        if self._operations.is_kept(call):
            return self._reply(reader, call, await self._operations.kept(call, journey), journey)
        return body_reply(reader, await self._operations.made(call, variables, guest, journey))

    def _reply(self, reader: Reader, call: Call, answer: Answer, journey: Journey) -> Message:
        assert self._cache is not None
        journey.cache = answer.state
        return kept_reply(reader, Kept(self._cache, call.key, answer), self._settings.cache_max_age)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, guest: Guest, sent: Sent) -> None:
        async with self._admission.charging_refusals(guest), self._turn(sent):
            request = understand(sent)
        if not sent.posted:
            check_only_reads(request, streamed=True)
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
                check_only_reads(request, streamed=False)
            raise
        if operation.kind == SUBSCRIPTION:
            if method in READING:
                raise MethodNotAllowed(HOW_TO_SUBSCRIBE)
            raise NotAcceptable(HOW_TO_SUBSCRIBE)
        return operation


def _raise_what_was(raised: tuple[Exception, TracebackType | None] | None) -> None:
    if raised:
        error, trace = raised
        try:
            raise error.with_traceback(trace)
        finally:
            del error, raised, trace  # this frame is in the traceback: it would keep the error, and be kept by it
