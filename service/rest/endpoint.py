"""Answers a path by the registered document that has it for its route."""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from service.documents import Registered
from service.errors import (
    BadUserInput,
    CursorExpired,
    NotAcceptable,
    NotFound,
    UpgradeRequired,
)
from service.http.asking import Asking
from service.http.media import accepts_json
from service.http.problems import as_problem
from service.http.public import base_url
from service.http.read_only import answers_options
from service.http.requests import headers_of, query_string_of
from service.http.shortcuts import lines_of
from service.rest.answers import answer_form, cursor_form, next_line
from service.rest.parameters import Pairs, Parameters, pairs_of
from service.rest.selections import Answered
from service.settings import Settings


async def is_preliminary(scope: Scope, send: Send) -> bool:
    """Whether a request was answered by which methods there are. Raises MethodNotAllowed and NotAcceptable.

    From here on errors are told as problems.
    """
    if await answers_options(scope, send):
        return True
    if not accepts_json(headers_of(scope).get(b"accept", b"")):
        raise NotAcceptable("The Accept header does not allow application/json, which is all that is answered here.")
    return False


class RestEndpoint:
    """Answers one route, as a plain ASGI application that raises ApiError or CallerGone."""

    def __init__(
        self, asking: Asking, document: Registered, parameters: Parameters, answered: Answered, settings: Settings
    ) -> None:
        self._asking = asking
        self._name = document.name
        self._parameters = parameters
        self._form = answer_form(document.name, answered)
        self._paging = answered.paging
        self._cursor = cursor_form(document.name, answered, answered.paging) if answered.paging else None
        self._public_url = settings.public_url
        self._longest = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await is_preliminary(scope, send):
            return
        asking = self._asking
        guest = await asking.admit(scope)
        query: Pairs = []

        def variables() -> dict[str, Any]:
            nonlocal query
            query = pairs_of(query_string_of(scope, self._longest))
            return self._parameters.read(scope["path_params"], query, asking.sizes_for(guest, self._name))

        try:
            asked = await asking.ask(scope, receive, guest, self._name, variables)
        except (BadUserInput, CursorExpired, UpgradeRequired) as error:
            self._parameters.name_in(error)
            raise
        lines = lines_of((b"request-cost", b"%d" % asked.call.cost))
        if self._paging and self._cursor:
            after = (self._paging.parameter, asking.formed(asked, self._cursor).decode())
            # A page of no changes tells where to go on, too: who follows that must not come to the same page for ever.
            if after[1] and after not in query:
                base = base_url(scope, self._public_url)
                lines += next_line(base, scope["path"], query, *after)
        await asking.send(scope, send, asked, self._form, lines)


async def nothing_here(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Refuses what begins as paths of REST do, and is none."""
    scope["refusing"] = as_problem
    raise NotFound("Nothing is served here. GET /v1 lists what there is.")
