"""Media types: what a caller accepts, and whether a body is JSON. Knows nothing of what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, Protocol

from service.errors import NotAcceptable, UnsupportedMediaType

MAX_ACCEPT = 1_000


class Typed(Protocol):
    """What an answer can be of."""

    @property
    def line(self) -> bytes:
        """The header that names its type."""
        ...


class ContentType(NamedTuple):
    """A type that is nothing but that, by the value of its Content-Type."""

    value: bytes

    @property
    def line(self) -> bytes:
        return b"content-type: " + self.value + b"\r\n"


class MediaType(Enum):
    """What an answer can be, by the value of its Content-Type; `is_whole` if it is the JSON of one GraphQL response."""

    GRAPHQL_RESPONSE = b"application/graphql-response+json; charset=utf-8"
    JSON = b"application/json; charset=utf-8"
    HTML = b"text/html; charset=utf-8"
    EVENTS = b"text/event-stream; charset=utf-8"

    def __init__(self, value: bytes) -> None:
        # An attribute of its own: to look up an enum's value or name takes longer than all else that is done with it.
        self.line = b"content-type: " + value + b"\r\n"
        self.mark = self.name[0].lower().encode()
        self.is_whole = value.startswith(b"application/")


_RESPONSE_JSON = "application/graphql-response+json"
_JSON_RANGES = ("application/json", "application/*", "*/*")
_NO_ANSWER = (
    "The Accept header allows no type that can be answered here: application/graphql-response+json or application/json."
)


@lru_cache(maxsize=256)
def _accepted(accept: bytes, html: bool) -> MediaType | None:  # noqa: FBT001 (lru_cache is faster by position)
    weights = dict(weighted(accept))
    offered = [(_weight(weights, _RESPONSE_JSON), MediaType.GRAPHQL_RESPONSE)]
    offered.append((_weight(weights, *_JSON_RANGES), MediaType.JSON))
    if html:
        offered.append((_weight(weights, "text/html"), MediaType.HTML))
    offered.append((weights.get("text/event-stream", 0.0), MediaType.EVENTS))
    weight, best = max(offered, key=lambda offer: offer[0])
    return best if weight > 0 else None


def accepted(accept: bytes | None, *, html: bool) -> MediaType:
    """The type to answer in, HTML only where it can be had; raises NotAcceptable where nothing fits.

    `application/graphql-response+json` is for those who name it; wildcards mean JSON. Of equal weights, the first wins.
    A header that names nothing is as none.
    """
    if accept is None or not accept.strip():
        return MediaType.JSON
    found = _accepted(accept, html) if len(accept) <= MAX_ACCEPT else None
    if found is None:
        raise NotAcceptable(_NO_ANSWER)
    return found


@lru_cache(maxsize=256)
def accepts_json(accept: bytes) -> bool:
    """Whether an Accept header allows `application/json`; one that names nothing does."""
    weights = dict(weighted(accept)) if len(accept) <= MAX_ACCEPT else {}
    return not accept.strip() or _weight(weights, *_JSON_RANGES) > 0


@lru_cache(maxsize=256)
def _is_json(content_type: bytes) -> bool:
    kind, *parameters = content_type.decode("latin-1").lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    charsets = {value.strip(' "') for name, _, value in pairs if name.strip() == "charset"}
    return kind.strip() == "application/json" and charsets <= {"utf-8", "utf8"}


def require_json(content_type: bytes | None) -> None:
    """Raises UnsupportedMediaType unless a body is declared as `application/json` in UTF-8."""
    if content_type is None or len(content_type) > MAX_ACCEPT or not _is_json(content_type):
        raise UnsupportedMediaType("The request's Content-Type must be application/json, in UTF-8.")


def weighted(accept: bytes) -> Iterator[tuple[str, float]]:
    """What a header of the Accept family names, each with its weight; what cannot be read weighs nothing."""
    for part in accept.decode("latin-1").lower().split(","):
        kind, *parameters = part.split(";")
        weight = 1.0
        for name, _, value in (parameter.partition("=") for parameter in parameters):
            if name.strip() == "q":
                weight = _number(value)
        yield kind.strip(), weight


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0


def _weight(weights: dict[str, float], *ranges: str) -> float:
    """The weight that the most specific of these ranges gives; a type that is refused by name stays refused."""
    return next((weights[kind] for kind in ranges if kind in weights), 0.0)
