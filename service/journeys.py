"""What a request went through, noted on its way for logs, metrics, traces and `Server-Timing`.

Every answer from memory comes by here: to note something costs an attribute, and all is read once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple


class Stage(NamedTuple):
    """A part of the way, in seconds of `perf_counter`."""

    name: str
    began: float
    ended: float


class Journey:
    """One request, until its answer begins. None is what it never came to, such as a cost before there was a plan.

    `kind` is that of the operation, of which `operation` is the name and `document_id` the hash; `cache` tells where
    the answer came from, `code` is that of the error it was refused with.
    """

    method = ""
    path = ""
    traceparent: bytes | None = None
    key_prefix: str | None = None
    tier: str | None = None
    kind: str | None = None
    operation: str | None = None
    document_id: str | None = None
    cost: int | None = None
    cache: str | None = None
    code: str | None = None
    status: int | None = None
    stages: tuple[Stage, ...] = ()
    streamed = False
    """Whether it goes on after its answer has begun, and is told of at its end."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.began = perf_counter()

    def taken(self) -> dict[str, float]:
        """Seconds by the names of stages; those of one name together."""
        found: dict[str, float] = {}
        for stage in self.stages:
            found[stage.name] = found.get(stage.name, 0.0) + stage.ended - stage.began
        return found

    def passed(self, name: str, began: float) -> None:
        """Notes a stage that ends now."""
        self.stages = (*self.stages, Stage(name, began, perf_counter()))


Report = Callable[[Journey], bytes]
"""Takes a journey as its answer begins, or at its end if it is streamed. Gives lines of headers that tell the caller of
it. Never raises."""
