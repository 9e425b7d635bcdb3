"""The closed set of errors that callers can meet, each with its stable code and HTTP status.

Knows nothing of HTTP's wire form, of GraphQL execution or of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ApiError(Exception):
    """An error meant for the caller: its message never holds anything internal.

    `status` is the HTTP status under `application/graphql-response+json`; `always_status` tells that it holds under
    `application/json` too, which otherwise answers 200. `price` is what the caller pays where it is refused so before
    anything ran.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    always_status: ClassVar[bool] = False
    price: ClassVar[int] = 0

    def __init__(
        self,
        message: str,
        *,
        locations: Sequence[tuple[int, int]] = (),
        path: Sequence[str | int] = (),
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.locations = tuple(locations)
        self.path = tuple(path)
        self.extensions = dict(extensions or {})


class BadRequest(ApiError):
    """The body is not a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400
    always_status = True
    price = 1


class ParseFailed(ApiError):
    """The document is not GraphQL, or larger than the limits allow."""

    code = "GRAPHQL_PARSE_FAILED"
    status = 400
    price = 1


class ValidationFailed(ApiError):
    """The document does not fit the schema or exceeds a limit of shape; `errors` holds every finding."""

    code = "GRAPHQL_VALIDATION_FAILED"
    status = 400
    price = 1

    def __init__(self, errors: Sequence[ApiError]) -> None:
        super().__init__(errors[0].message, locations=errors[0].locations)
        self.errors = tuple(errors)


class ValidationFinding(ApiError):
    """One thing that validation found."""

    code = "GRAPHQL_VALIDATION_FAILED"
    status = 400


class BadUserInput(ApiError):
    """A value, variable or cursor that cannot be used."""

    code = "BAD_USER_INPUT"
    status = 400
    price = 1


class CursorExpired(ApiError):
    """What comes after a cursor of the change feed is not kept any more."""

    code = "CURSOR_EXPIRED"
    status = 400


class PersistedQueryNotFound(ApiError):
    """No document is known by the id; clients know by this very message that they are to send the text along."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 400
    price = 1

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryMismatch(ApiError):
    """A document was sent with the hash of another."""

    code = "PERSISTED_QUERY_MISMATCH"
    status = 400
    price = 1


class PersistedQueryRequired(ApiError):
    """Only registered documents are answered, and this is none."""

    code = "PERSISTED_QUERY_REQUIRED"
    status = 400
    price = 1


class CostLimitExceeded(ApiError):
    """The operation costs more than one operation of the caller's tier may."""

    code = "COST_LIMIT_EXCEEDED"
    status = 400


class Forbidden(ApiError):
    """The request is refused for where it comes from."""

    code = "FORBIDDEN"
    status = 403


class UpgradeRequired(ApiError):
    """A gated argument or input field was given by a caller whose features do not include it."""

    code = "UPGRADE_REQUIRED"
    status = 403


class NotFound(ApiError):
    """Nothing is served at this path."""

    code = "NOT_FOUND"
    status = 404
    always_status = True


class MethodNotAllowed(ApiError):
    """The path answers only the methods that `allow` names."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    always_status = True

    def __init__(self, message: str, allow: str = "GET, HEAD, POST, OPTIONS") -> None:
        super().__init__(message)
        self.allow = allow


class NotAcceptable(ApiError):
    code = "NOT_ACCEPTABLE"
    status = 406
    always_status = True


class RequestTimeout(ApiError):
    """The request's body did not arrive in time."""

    code = "REQUEST_TIMEOUT"
    status = 408
    always_status = True


class RequestTooLarge(ApiError):
    code = "REQUEST_TOO_LARGE"
    status = 413
    always_status = True


class UnsupportedMediaType(ApiError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    always_status = True


class Unauthenticated(ApiError):
    """The key is none that is good now; why not is not told."""

    code = "UNAUTHENTICATED"
    status = 401
    always_status = True


class Unavailable(ApiError):
    """The database cannot be reached; `retry_after` is in whole seconds."""

    code = "UNAVAILABLE"
    status = 503
    always_status = True
    retry_after: ClassVar[int] = 2


class RateLimited(ApiError):
    """The caller has used up what it may have at one time; `retry_after` says in how many seconds to come again.

    `limit` is what an allowance holds, where one is spent.
    """

    code = "RATE_LIMITED"
    status = 429
    always_status = True

    def __init__(self, message: str, *, retry_after: int = 1, limit: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class OperationTimeout(ApiError):
    """The operation ran longer than an operation may."""

    code = "TIMEOUT"
    status = 504
    always_status = True


class ResponseTooLarge(ApiError):
    code = "RESPONSE_TOO_LARGE"
    status = 500
    always_status = True


class Internal(ApiError):
    """Something failed that the caller cannot mend."""

    code = "INTERNAL"
    status = 500
    always_status = True

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side.")
