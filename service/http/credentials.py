"""Which key came with a request. Knows nothing of whether it is good."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Scope

from service.access.caller import Credentials
from service.errors import Unauthenticated
from service.http.requests import Headers

IN_URL = (
    "A key must never stand in a URL, where logs and histories keep it: revoke this one, and send a new one as "
    "`Authorization: Bearer`, or as `X-API-Key`."
)
TWO_KEYS = "Two different keys came with the request: send one."

_KEY_IN_URL = re.compile(rb"plx(?:_|%5f)[0-9a-z]{20}", re.IGNORECASE)
_BEARER = "bearer "
NO_KEY = ""
"""Stands for what was sent in a key's place and is none, so that it is refused as a wrong key is."""


def credentials_of(scope: Scope, headers: Headers) -> Credentials:
    """The key of a request's headers, with where it comes from. Raises Unauthenticated."""
    refuse_key_in(scope["query_string"])
    origin, client = headers.get(b"origin"), scope.get("client")
    bearer, api_key = headers.get(b"authorization"), headers.get(b"x-api-key")
    key = api_key.decode("latin-1") if api_key else None
    if bearer:
        key = _both(_bearer(bearer.decode("latin-1")), key)
    return Credentials(key, origin.decode("latin-1") if origin else None, client[0] if client else "")


def refuse_key_in(url: bytes) -> None:
    """Raises Unauthenticated where a key stands in a part of a URL."""
    if b"plx" in url and _KEY_IN_URL.search(url):
        raise Unauthenticated(IN_URL)


def credentials_within(payload: Mapping[str, Any], given: Credentials) -> Credentials:
    """The same with the key that came by a message, as a browser's WebSocket has to send it. Raises Unauthenticated.

    Names are taken in any case, and that of the header too: so GraphiQL sends what is typed into its headers.
    """
    named = {name.lower(): value for name, value in payload.items() if value is not None}
    key = given.key
    for name, read in _NAMES.items():
        if name in named:
            key = _both(key, read(named[name]))
    return given._replace(key=key)


def _sent(value: Any) -> str:
    return value if isinstance(value, str) else NO_KEY


def _both(one: str | None, other: str | None) -> str | None:
    if one is not None and other is not None and one != other:
        raise Unauthenticated(TWO_KEYS)
    return other if one is None else one


def _bearer(authorization: str) -> str:
    if authorization[: len(_BEARER)].lower() != _BEARER:
        return NO_KEY
    return authorization[len(_BEARER) :].strip()


_NAMES: Mapping[str, Callable[[Any], str]] = {
    "authorization": lambda value: _bearer(_sent(value)),
    "apikey": _sent,
    "x-api-key": _sent,
}
"""How a message may name a key, in lower case, and what is read of it."""
