"""Registered documents, asked for what is served beside GraphQL: by the same keys, prices and cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

from graphql import IntValueNode
from starlette.types import Receive, Scope, Send

from service.access.limits import Balance
from service.cache import Answer, ResponseCache
from service.documents import Registered
from service.errors import ApiError
from service.http.admission import Admission, Guest
from service.http.caller import WhileCallerWaits
from service.http.credentials import credentials_of, refuse_key_in
from service.http.forms import Form
from service.http.kept import Kept, Reader, body_reply, kept_reply
from service.http.notes import note_call, note_caller
from service.http.operations import Operations
from service.http.origins import is_visit, refuse_from_elsewhere
from service.http.requests import headers_of
from service.journeys import Journey
from service.planner import Call, Operation
from service.settings import Settings


class Asked(NamedTuple):
    """What came of a document: the bytes of a GraphQL response, and how it is kept, if it is."""

    guest: Guest
    call: Call
    body: bytes
    balance: Balance
    answer: Answer | None = None


class Asking:
    """Asks registered documents by their names, and answers in any form."""

    def __init__(
        self,
        admission: Admission,
        operations: Operations,
        documents: Iterable[Registered],
        cache: ResponseCache | None,
        settings: Settings,
    ) -> None:
        self._admission = admission
        self._operations = operations
        self._documents = {each.name: each.document.operation(each.name) for each in documents}
        self._sizes = {name: _sizes(each) for name, each in self._documents.items()}
        self._cache = cache
        self._max_age = settings.cache_max_age

    async def answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        name: str,
        *,
        variables: Mapping[str, Any],
        form: Form,
        lines: bytes = b"",
    ) -> None:
        """Answers a request by the document of that name, in a form, with further `lines` of headers.

        Raises ApiError or CallerGone, and what the form raises.
        """
        guest = await self.admit(scope)
        asked = await self.ask(scope, receive, guest, name, {**self.sizes_for(guest, name), **variables})
        await self.send(scope, send, asked, form, lines)

    async def admit(self, scope: Scope) -> Guest:
        """The caller of a request. Raises ApiError."""
        headers = headers_of(scope)
        if not is_visit(headers):  # a link on another site leads to a page, whatever cookies the browser adds
            refuse_from_elsewhere(scope["method"], headers)
        refuse_key_in(scope["path"].encode())
        given = credentials_of(scope, headers)
        guest = self._admission.known(given) or await self._admission.admit(given)
        note_caller(_journey(scope), guest.caller)
        return guest

    def sizes_for(self, guest: Guest, name: str) -> Mapping[str, int]:
        """The variables that have pages be as large as their document says, or as the guest may have."""
        most = guest.terms.allowed.max_page_size
        return {variable: min(size, most) for variable, size in self._sizes[name].items()}

    async def ask(
        self,
        scope: Scope,
        receive: Receive,
        guest: Guest,
        name: str,
        variables: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        *,
        keep: bool = True,
    ) -> Asked:
        """What a guest gets for the document of that name, charged. Raises ApiError or CallerGone.

        Where the variables are yet to be read of what was sent, a refusal by what reads them has its price. What hardly
        anybody asks a second time had better not be kept, in the place of what many ask.
        """
        journey, operation = _journey(scope), self._documents[name]
        try:
            async with self._admission.reading(guest):
                if callable(variables):
                    variables = variables()
                call = self._operations.plan(operation, variables, guest)
                note_call(journey, operation, call)
            balance = scope["balance"] = await self._admission.charge(guest, call)
        except ApiError:
            scope["balance"] = scope.get("balance") or await self._admission.balance(guest)
            raise
        with WhileCallerWaits(receive):
            if keep and self._operations.is_kept(call):
                answer = await self._operations.kept(call, journey)
                return Asked(guest, call, answer.entry.body, balance, answer)
            return Asked(guest, call, await self._operations.made(call, variables, guest, journey), balance)

    def formed(self, asked: Asked, form: Form) -> bytes:
        """What came of a document in a form, which is kept with the answer. Raises what the form raises."""
        if asked.answer and self._cache:
            return Kept(self._cache, asked.call.key, asked.answer, form).body("")
        return form.of(asked.body)

    async def send(self, scope: Scope, send: Send, asked: Asked, form: Form, lines: bytes = b"") -> None:
        """Sends what came of a document in a form, with further `lines` of headers. Raises what the form raises."""
        keyed = asked.guest.caller.key is not None
        reader = Reader(scope["method"], headers_of(scope), form, keyed, asked.balance)
        if asked.answer and self._cache:
            kept = Kept(self._cache, asked.call.key, asked.answer, form)
            await send(kept_reply(reader, kept, self._max_age, lines=lines))
        else:
            await send(body_reply(reader, form.of(asked.body), lines=lines))


def _sizes(operation: Operation) -> dict[str, int]:
    """The sizes of pages where those variables are not given that say them: `first`, and any whose name begins so."""
    return {
        each.variable.name.value: int(each.default_value.value)
        for each in operation.definition.variable_definitions or ()
        if each.variable.name.value.startswith("first") and isinstance(each.default_value, IntValueNode)
    }


def _journey(scope: Scope) -> Journey:
    return cast("Journey", scope["journey"])
