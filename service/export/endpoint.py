"""Answers an export: who may have it, what it is of, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from schema.vocabulary import Feature
from service.errors import (
    ApiError,
    BadUserInput,
    Internal,
    OperationTimeout,
    Unauthenticated,
    Unavailable,
    UpgradeRequired,
)
from service.export.formats import Format
from service.export.pages import PAGE, Page, pages
from service.export.sending import Body, until
from service.http.admission import Guest
from service.http.asking import Asked, Asking
from service.http.caller import CallerGone, WhileCallerWaits
from service.http.encoding import accepted_encoding
from service.http.notes import note_cut
from service.http.read_only import answers_options
from service.http.requests import headers_of, query_string_of
from service.http.responses import NO_STORE, VARY, allowance_lines
from service.http.shortcuts import START, cut, headers_in
from service.http.streams import KEY_ENDED, Stream, Streams
from service.journeys import Journey
from service.rest.parameters import Parameters, pairs_of
from service.settings import Settings
from service.telemetry import Telemetry


class Exported(NamedTuple):
    """What is exported: the document of one page, the key of its list, its parameters, and how it is written."""

    document: str
    key: str
    parameters: Parameters
    format: Format


class ExportEndpoint:
    """Answers one export, as a plain ASGI application that raises ApiError or CallerGone.

    An answer that has begun and cannot go on is cut: its connection is closed without the end that HTTP has for
    complete ones. Each item has the cursor to go on after.
    """

    def __init__(
        self, asking: Asking, exported: Exported, streams: Streams, telemetry: Telemetry, settings: Settings
    ) -> None:
        self._asking = asking
        self._exported = exported
        self._streams = streams
        self._telemetry = telemetry
        self._longest = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await answers_options(scope, send):
            return
        guest = await self._asking.admit(scope)
        if Feature.EXPORT.name not in guest.terms.allowed.features:
            raise guest.terms.allowed.refusal("Export", Feature.EXPORT.name)
        journey: Journey = scope["journey"]
        caller = guest.caller
        try:
            with self._streams.opened(caller.account, caller) as stream, WhileCallerWaits(receive):
                await self._answer(scope, receive, send, guest, stream)
        finally:
            if journey.streamed:
                self._telemetry.report(journey)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, guest: Guest, stream: Stream) -> None:
        try:
            async with until(stream.ending), aclosing(self._pages(scope, receive, guest)) as read:
                first = await anext(read)
                body = await self._begin(scope, send, first.asked)
                if scope["method"] == "HEAD":
                    await body.end()
                    return
                await self._write_all(body, first, read)
        except CallerGone:
            raise
        except Exception as raised:
            error = _told(raised, stream)
            if "answering" not in scope:
                raise error from raised
            note_cut(self._telemetry.observe, scope["journey"], error, raised)
            cut(receive)

    async def _write_all(self, body: Body, first: Page, others: AsyncGenerator[Page]) -> None:
        written = self._exported.format
        await body.write(written.head() + written.rows(first.edges))
        async for page in others:
            await body.write(written.rows(page.edges))
        await body.end()

    def _pages(self, scope: Scope, receive: Receive, guest: Guest) -> AsyncGenerator[Page]:
        journey: Journey = scope["journey"]
        variables: dict[str, Any] = {}
        cost = 0

        async def ask(size: int, cursor: str | None) -> Asked:
            nonlocal cost

            def given() -> Mapping[str, Any]:
                if not variables:
                    given_pairs = pairs_of(query_string_of(scope, self._longest))
                    variables.update(self._exported.parameters.read({}, given_pairs))
                return {**variables, "first": size, "after": cursor or variables["after"]}

            try:
                asked = await self._asking.ask(scope, receive, guest, self._exported.document, given, keep=False)
            except (BadUserInput, UpgradeRequired) as error:
                self._exported.parameters.name_in(error)
                raise
            finally:
                journey.cost = cost or journey.cost
            cost += asked.call.cost
            journey.cost = cost
            return asked

        return pages(ask, self._exported.key, min(PAGE, guest.terms.allowed.max_page_size))

    async def _begin(self, scope: Scope, send: Send, first: Asked) -> Body:
        accepts = headers_of(scope).get(b"accept-encoding")
        gzip = bool(accepts) and accepted_encoding(accepts, among=("gzip",)) == "gzip"
        written = self._exported.format
        name = f"{self._exported.key}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{written.ending}"
        headers = [
            (b"content-type", written.content_type),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
            VARY,
            NO_STORE,
            *([(b"content-encoding", b"gzip")] if gzip else []),
            # nginx and its like would keep in files what a slow reader has not taken yet.
            (b"x-accel-buffering", b"no"),
            *headers_in(allowance_lines(first.balance)),
        ]
        scope["journey"].streamed = True
        await send({"type": START, "status": 200, "headers": headers})
        return Body(send, gzip=gzip)


def _told(raised: Exception, stream: Stream) -> ApiError:
    """What a caller is told of what ended an export, or would be."""
    if isinstance(raised, ApiError):
        return raised
    if stream.key_ended:
        return Unauthenticated(KEY_ENDED)
    if stream.ending.is_set():
        return Unavailable("The server is about to end. Try again in a moment.")
    return OperationTimeout("Nobody took what was sent.") if isinstance(raised, TimeoutError) else Internal()
