"""Reads a GraphQL request from what a caller sent, refusing what is none. Knows nothing of documents or schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from service.errors import BadRequest, RequestTimeout, RequestTooLarge
from service.http.caller import CallerGone
from service.http.media import require_json
from service.http.strict_json import NotStrictJson, read_json
from service.settings import Settings
from service.within import Within

MAX_PARAMETERS = 20

_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What one GraphQL request asks: a document by its text, by its id (64 hexadecimal digits), or by both.

    By `keep`, as Apollo's protocol has it, a caller who sends both wants the id to be enough from then on.
    """

    document: str | None
    document_id: str | None
    keep: bool
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


def headers_of(scope: Scope) -> Headers:
    """The headers by their names in lower case; those that came more than once joined by commas."""
    known: Headers | None = scope.get("headers_by_name")
    if known is not None:
        return known
    found: dict[bytes, bytes] = {}
    scope["headers_by_name"] = found
    for name, value in scope["headers"]:
        found[name] = found[name] + b", " + value if name in found else value
    return found


class Sent(NamedTuple):
    """What a caller sent, as it came: a JSON body (POST), or a query string (GET, HEAD)."""

    posted: bool
    text: bytes


def query_string_of(scope: Scope, most: int) -> bytes:
    """The query string of a request; raises RequestTooLarge where it has more bytes."""
    query_string: bytes = scope["query_string"]
    if len(query_string) > most:
        raise RequestTooLarge(f"The query string is larger than {most:,} bytes.")
    return query_string


def what_arrived(scope: Scope, headers: Headers, body: bytes | None, settings: Settings) -> Sent | None:
    """What a caller sent, None where its `body` has to be waited for by `read_streamed`; raises ApiError."""
    limit = settings.max_body_bytes
    if scope["method"] != "POST":
        return Sent(False, query_string_of(scope, limit))
    require_json(headers.get(b"content-type"))
    if body is None:
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 18 or int(declared) > limit:
            raise _too_large(limit)
        return None
    if len(body) > limit:
        raise _too_large(limit)
    return Sent(True, body)


async def read_streamed(receive: Receive, settings: Settings) -> Sent:
    """A body, refused while it streams as soon as it is too large or too late; raises ApiError or CallerGone."""
    try:
        with Within(settings.body_timeout):
            return Sent(True, await _joined_parts(receive, settings.max_body_bytes))
    except TimeoutError:
        raise RequestTimeout(f"The request's body did not arrive within {settings.body_timeout:g} seconds.") from None


def understand(sent: Sent) -> GraphQLRequest:
    """The GraphQL request that was sent; raises ApiError."""
    if not sent.posted:
        return checked(_from_query_string(sent.text))
    try:
        payload = read_json(sent.text)
    except NotStrictJson as error:
        raise BadRequest(f"The body will not do: {error}.") from None
    if isinstance(payload, list):
        raise BadRequest("Batches are not served here: send each operation in a request of its own.")
    if not isinstance(payload, dict):
        raise BadRequest("The body must be a JSON object with a string `query` or `documentId`.")
    return checked(cast("dict[str, Any]", payload))


async def _joined_parts(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request's body is larger than {limit:,} bytes.")


def _from_query_string(query_string: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise BadRequest(
            f"The query string must be UTF-8, percent-encoded, of at most {MAX_PARAMETERS} parameters."
        ) from None
    parameters: dict[str, Any] = {}
    for name, value in pairs:
        if name in parameters:
            raise BadRequest("A parameter of the query string is given twice.")
        if "\0" in value:
            raise BadRequest("A parameter of the query string holds a NUL character.")
        parameters[name] = value
    for name in ("variables", "extensions"):
        if text := parameters.pop(name, ""):
            parameters[name] = _read_parameter(name, text)
    return parameters


def _read_parameter(name: str, text: str) -> Any:
    try:
        return read_json(text)
    except NotStrictJson as error:
        raise BadRequest(f"The parameter `{name}` will not do: {error}.") from None


def checked(payload: Mapping[str, Any]) -> GraphQLRequest:
    """The request that a payload holds, whatever it came by; raises BadRequest."""
    document = payload.get("query")
    if document is not None and not isinstance(document, str):
        raise BadRequest("`query` must be a string.")
    extensions = _object(payload, "extensions")
    named, kept = _document_id(payload.get("documentId")), _apollo_id(extensions)
    if not (document or named or kept):
        raise BadRequest("There is no `query`, and no `documentId`.")
    if named and kept and named != kept:
        raise BadRequest("`documentId` and `extensions.persistedQuery` name two documents: send one of them.")
    name = payload.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`operationName` must be a string.")
    variables = _object(payload, "variables")
    return GraphQLRequest(document or None, named or kept, kept is not None, name or None, variables, extensions)


def _document_id(given: Any) -> str | None:
    """The digits of a `documentId`."""
    if given is None:
        return None
    return _digits(given.removeprefix("sha256:") if isinstance(given, str) else given, "documentId")


def _apollo_id(extensions: Mapping[str, Any]) -> str | None:
    """The digits that Apollo's clients send, with the query or in its place."""
    given = extensions.get("persistedQuery")
    if given is None:
        return None
    # True is 1 in Python.
    if not isinstance(given, dict) or (version := cast("dict[str, Any]", given).get("version")) is True or version != 1:
        raise BadRequest("`extensions.persistedQuery` must be an object whose `version` is 1.")
    return _digits(cast("dict[str, Any]", given).get("sha256Hash"), "extensions.persistedQuery.sha256Hash")


def _digits(given: Any, name: str) -> str:
    if not isinstance(given, str) or not _SHA256.fullmatch(given):
        raise BadRequest(f"`{name}` must be the SHA-256 of a document, in 64 hexadecimal digits.")
    return given.lower()


def _object(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"`{name}` must be an object.")
    return cast("dict[str, Any]", value)
