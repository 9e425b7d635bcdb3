"""Answers that are at hand: given while a request is read, before anything is made that could wait for anybody.

Who waits for nobody needs no task, and no turn of the event loop: those take longer than to find the answer.
What only the database has is made in one task, without the layers around it.
"""

from __future__ import annotations

from collections.abc import Container
from types import CoroutineType

from starlette.types import Message, Scope

from service.http.graphql import GraphQLEndpoint
from service.http.middleware import RequestId
from service.http.origins import Sharing
from service.http.proxies import BehindProxies
from service.http.requests import headers_of
from service.http.shortcuts import Found, Later, Work, add_headers


class AtHand:
    """Goes the way that a request goes through the layers, in one step."""

    def __init__(
        self,
        endpoint: GraphQLEndpoint,
        paths: Container[str],
        *,
        requests: RequestId,
        sharing: Sharing,
        proxies: BehindProxies | None,
    ) -> None:
        self._endpoint = endpoint
        self._paths = paths
        self._requests = requests
        self._sharing = sharing
        self._proxies = proxies

    def __call__(self, scope: Scope, body: bytes) -> Message | Later | None:
        """A whole answer to a request whose body is all here, or how to get it; None for one that takes longer."""
        if scope["path"] not in self._paths or scope["method"] not in {"GET", "POST"}:
            return None
        if self._proxies:
            self._proxies.tell(scope)
        self._requests.begin(scope)
        found = self._endpoint.at_hand(scope, body)
        if callable(found):
            return lambda then: found(lambda told: then(self._ended(scope, told)))
        return found and self._with_headers(scope, found)

    def _ended(self, scope: Scope, found: Found) -> Found:
        if isinstance(found, CoroutineType):
            return self._made(scope, found)
        return found and self._with_headers(scope, found)

    async def _made(self, scope: Scope, work: Work) -> Message | None:
        message = await work
        return message and self._with_headers(scope, message)

    def _with_headers(self, scope: Scope, message: Message) -> Message:
        """An answer as it leaves the layers, which is reported by that."""
        add_headers(message, self._sharing.lines(headers_of(scope)))
        self._requests.end(scope["journey"], message)
        return message
