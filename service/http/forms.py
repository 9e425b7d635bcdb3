"""Forms of an answer other than GraphQL's own: what they are called, and how they come of what was answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

Data = Mapping[str, Any]
"""The `data` of a GraphQL response."""


class Form(NamedTuple):
    """A form that an answer can be given in, such as a page or a feed.

    `name` tells it apart from every other form of the same answer; `made` may raise ApiError, NotFound above all.
    """

    name: str
    content_type: bytes
    made: Callable[[Data], bytes]

    @property
    def line(self) -> bytes:
        """The header that names its type."""
        return b"content-type: " + self.content_type + b"\r\n"

    @property
    def mark(self) -> bytes:
        """What it adds to an ETag."""
        return self.name.encode()

    def of(self, response: bytes) -> bytes:
        """A GraphQL response in this form."""
        return self.made(orjson.loads(response)["data"])
