"""Where callers reach the service, for the links that are written into answers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.types import Scope

from service.errors import BadRequest
from service.http.requests import headers_of

_HOST = re.compile(rb"(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


def base_url(scope: Scope, public_url: str | None) -> str:
    """The URL before every path, without a slash at its end: the one that is set, else what the request was sent to.

    Raises BadRequest where nothing is set, and the request names no host that a URL could have.
    """
    if public_url is not None:
        return public_url
    host = headers_of(scope).get(b"host", b"")
    if not _is_host(host):
        raise BadRequest("The request's Host header names no host that links could lead to.")
    return f"{scope['scheme']}://{host.decode().lower()}"


def _is_host(host: bytes) -> bool:
    try:
        urlsplit(b"//" + host)
    except ValueError:  # brackets around what is no address
        return False
    return _HOST.fullmatch(host) is not None
