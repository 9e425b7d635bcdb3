"""Where a request comes from: which pages may read answers, open sockets, and ask for something in a browser's name."""

from __future__ import annotations

from collections.abc import Awaitable, Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Forbidden
from service.http.requests import Headers, headers_of
from service.http.shortcuts import START, Header, add_headers, lines_of

ANY = "*"
PREFLIGHT_SECONDS = 7_200
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
TAKEN = (
    "Accept", "Apollo-Require-Preflight", "Apollographql-Client-Name", "Apollographql-Client-Version", "Authorization",
    "Cache-Control", "Content-Type", "GraphQL-Require-Preflight", "If-None-Match", "Last-Event-ID", "X-API-Key",
    "X-Apollo-Operation-Id", "X-Apollo-Operation-Name", "X-Request-Id", "X-Requested-With",
)  # fmt: skip
"""The headers that a page may send along."""
SHOWN = (
    "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", "Age", "Cache-Status", "Link",
    "Request-Cost",
)  # fmt: skip
"""The headers of an answer that a page may read, beside those that every page may."""

_ALLOW_ORIGIN = b"access-control-allow-origin"
_EXPOSE: Header = (b"access-control-expose-headers", ", ".join(SHOWN).encode())
_VARY: Header = (b"vary", b"Origin")
_FOR_ANY = lines_of((_ALLOW_ORIGIN, ANY.encode()), _EXPOSE)
_FOR_NONE = lines_of(_VARY)
_ELSEWHERE = (b"cross-site", b"same-site")
_FORCE_A_PREFLIGHT = (
    b"x-api-key", b"apollo-require-preflight", b"x-apollo-operation-name", b"graphql-require-preflight",
    b"x-requested-with",
)  # fmt: skip
_REFUSED = (
    "This GET comes from another site's page, with something in it that browsers add by themselves. "
    "Send it with a header such as GraphQL-Require-Preflight: 1, or without credentials."
)


def lines_for_all(allowed: Collection[str]) -> bytes:
    """What every answer says of the pages that may read it, whoever asks: so that caches may give one to all.

    Nothing, where not any page may; `Sharing` then tells each its own.
    """
    return _FOR_ANY if ANY in allowed else b""


class Sharing:
    """Answers preflights, and lets the pages of allowed origins read every answer; see `lines_for_all`."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._preflights = CORSMiddleware(
            app, allow_origins=allowed, allow_methods=METHODS, allow_headers=TAKEN, max_age=PREFLIGHT_SECONDS
        )
        self._any = ANY in allowed
        self._for_origin: dict[bytes | None, bytes] = {
            each.encode(): lines_of(_VARY, (_ALLOW_ORIGIN, each.encode()), _EXPOSE) for each in allowed
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        headers = headers_of(scope)
        if scope["method"] == "OPTIONS" and _is_preflight(headers):
            return self._preflights(scope, receive, _without_origin(send) if self._any else send)
        if self._any:
            return self._app(scope, receive, send)
        shared = self.lines(headers)

        def send_shared(message: Message) -> Awaitable[None]:
            add_headers(message, shared)
            return send(message)

        return self._app(scope, receive, send_shared)

    def lines(self, headers: Headers) -> bytes:
        """What an answer to a request of these headers tells beside `lines_for_all`."""
        return b"" if self._any else self._for_origin.get(headers.get(b"origin"), _FOR_NONE)


def _without_origin(send: Send) -> Send:
    """Leaves out of an answer what `lines_for_all` has whoever writes it add."""

    def send_without(message: Message) -> Awaitable[None]:
        if message["type"] == START:
            message["headers"] = [each for each in message["headers"] if each[0] != _ALLOW_ORIGIN]
        return send(message)

    return send_without


class SocketOrigins:
    """Refuses WebSockets to the pages of other origins than those allowed and our own; programs name none."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._any = ANY in allowed
        self._allowed = frozenset(origin.encode() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        if self._any or origin is None or origin in self._allowed or _is_ours(origin, headers):
            await self._app(scope, receive, send)
        else:
            await refuse_socket(scope, receive, send)


async def refuse_socket(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the handshake of a WebSocket by 403."""
    await receive()
    await send({"type": "websocket.close"})  # before it is accepted


def _is_preflight(headers: Headers) -> bool:
    return b"origin" in headers and b"access-control-request-method" in headers


def refuse_from_elsewhere(method: str, headers: Headers) -> None:
    """Raises Forbidden for a GET that another site's page had a browser send, with what it adds by itself.

    A POST needs no such look: no page can send JSON elsewhere without a preflight.
    """
    if method == "POST" or not (b"cookie" in headers or _is_added_by_browsers(headers.get(b"authorization"))):
        return
    if _is_from_elsewhere(headers) and not _had_a_preflight(headers):
        raise Forbidden(_REFUSED)


def is_visit(headers: Headers) -> bool:
    """Whether a browser goes there as a page of its own, which the page that led there can neither read nor hold."""
    return headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"


def _is_added_by_browsers(authorization: bytes | None) -> bool:
    return authorization is not None and authorization[:7].lower() != b"bearer "


def _is_from_elsewhere(headers: Headers) -> bool:
    # What a browser says of the site is better than the names, which proxies rewrite.
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in _ELSEWHERE
    origin = headers.get(b"origin")
    return origin is not None and not _is_ours(origin, headers)


def _is_ours(origin: bytes, headers: Headers) -> bool:
    """Whether an origin is the host that was asked. TLS ends outside: the scheme is not known here."""
    return origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower() != b""


def _had_a_preflight(headers: Headers) -> bool:
    content_type = headers.get(b"content-type", b"")
    return content_type.startswith(b"application/json") or any(name in headers for name in _FORCE_A_PREFLIGHT)
