"""What no schema can say: schemathesis is told of it, so that a request that ought to be answered can be.

A cursor comes from an answer, a window has its end after its beginning and not long ago, RELEVANCE needs a search,
outlets that are compared are known, and an export of everything takes long. Requests that are meant to be refused stay
as they are.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from schemathesis import GenerationMode

WINDOWS = ("/coverage", "/activity", "/compare")


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - its type has none for what it gives back
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Mends a request that is meant to be answered."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    query: dict[str, Any] = case.query or {}
    query.pop("after", None)
    if query.get("sort") == "RELEVANCE":
        query.setdefault("search", "the")
    if "publishedAfter" in query and case.path.endswith(WINDOWS):
        now = datetime.now(UTC)
        query["publishedAfter"] = _written(now - timedelta(days=30))
        if "publishedBefore" in query:
            query["publishedBefore"] = _written(now)
    if case.path.endswith("/compare"):
        query["outlets"] = os.environ["KNOWN_OUTLETS"]
    if case.path.startswith("/v1/export"):
        query.setdefault("outlets", os.environ["KNOWN_OUTLETS"].partition(",")[0])
    case.query = query


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
