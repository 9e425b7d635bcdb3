"""The one place that logs: JSON lines on standard error, of events and of requests. Knows nothing of who tells them."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal

from service.events import Event, Observer
from service.journeys import Journey

LOG = logging.getLogger("parallax")
MOST_PATH = 200
"""Characters of a path that are told."""
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_TRACE = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def start_logging() -> Observer:
    """Sends what is told here, and warnings of libraries, to standard error as JSON; the observer that logs events."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOG.setLevel(logging.INFO)
    return log_event


def log_event(event: Event) -> None:
    """Logs an event by its name with its fields, and a traceback for an exception."""
    told = {field.name: getattr(event, field.name) for field in fields(event)}
    error = told.pop("error", None)
    _log(_LEVELS[event.level], event.name_of(), told, error if isinstance(error, BaseException) else None)


def request_log(which: Literal["all", "notable", "none"], slow: float) -> Callable[[Journey, float], None] | None:
    """Logs requests with the seconds that they took: each, or those that failed or took longer than `slow`.

    What a caller sent is told by its hash and the operation's name; a key by its first characters.
    """
    if which == "none":
        return None

    def tell(journey: Journey, seconds: float) -> None:
        notable = (journey.status or 0) >= 500 or (seconds > slow and journey.kind != "subscription")
        if notable or which == "all":
            _log(logging.WARNING if notable else logging.INFO, "request", _told(journey, seconds))

    return tell


def _log(level: int, name: str, told: Mapping[str, Any], error: BaseException | None = None) -> None:
    LOG.log(level, name, exc_info=error, extra={"told": told})


def _told(journey: Journey, seconds: float) -> dict[str, Any]:
    """What is known of a request; milliseconds in all and by stage."""
    trace = _TRACE.match(journey.traceparent or b"")
    found = {
        "request_id": journey.request_id,
        "trace_id": trace[1].decode() if trace else None,
        "method": journey.method,
        "path": journey.path[:MOST_PATH],
        "status": journey.status,
        "code": journey.code,
        "operation": journey.operation,
        "document_id": journey.document_id,
        "key": journey.key_prefix,
        "tier": journey.tier,
        "cost": journey.cost,
        "cache": journey.cache,
        "ms": round(seconds * 1_000, 2),
        **{f"{name}_ms": round(taken * 1_000, 2) for name, taken in journey.taken().items()},
    }
    return {name: value for name, value in found.items() if value is not None}


class _Json(logging.Formatter):
    """A record as a line of JSON: what was told with it, or what a library has to say."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            **getattr(record, "told", {"logger": record.name}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)  # which writes whatever may be in a string, as orjson does not
