"""Errors as RFC 9457 has them, for whatever is not GraphQL."""

from __future__ import annotations

from http import HTTPStatus

import orjson

from service.errors import ApiError
from service.http.media import ContentType
from service.http.responses import Refusal

PROBLEM = ContentType(b"application/problem+json")


def as_problem(error: ApiError, request_id: str) -> Refusal:
    """A problem: `status` and `title` of HTTP, what is wrong as `detail`, and what GraphQL's errors have beside."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.message,
        **error.extensions,
        "code": error.code,
        "requestId": request_id,
    }
    return Refusal(error.status, PROBLEM, orjson.dumps(body))
