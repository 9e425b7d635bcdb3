"""The one place that logs: JSON lines on standard error, of events and of requests. Knows nothing of who tells them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal

import structlog
from structlog.typing import FilteringBoundLogger

from service.events import Event, Observer
from service.journeys import Journey

_TRACE = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def start_logging() -> Observer:
    """Sends structlog, and what libraries log, to standard error as JSON lines; the observer that logs events there."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    _log_libraries(shared)
    return log_events(structlog.get_logger())


def log_events(log: FilteringBoundLogger) -> Observer:
    """An observer that logs each event by its name in snake case with its fields, and a traceback for an exception."""

    def observe(event: Event) -> None:
        told = {field.name: getattr(event, field.name) for field in fields(event)}
        error = told.pop("error", None)
        if isinstance(error, BaseException):
            told["exc_info"] = error
        getattr(log, event.level)(event.name, **told)

    return observe


def request_log(which: Literal["all", "notable", "none"], slow: float) -> Callable[[Journey, float], None] | None:
    """Logs requests with the seconds that they took: each, or those that failed or took longer than `slow`.

    What a caller sent is told by its hash and the operation's name; a key by its first characters.
    """
    if which == "none":
        return None
    log = structlog.get_logger()

    def tell(journey: Journey, seconds: float) -> None:
        notable = (journey.status or 0) >= 500 or (seconds > slow and journey.kind != "subscription")
        if notable or which == "all":
            (log.warning if notable else log.info)("request", **_told(journey, seconds))

    return tell


def _told(journey: Journey, seconds: float) -> dict[str, Any]:
    """What is known of a request; milliseconds in all and by stage."""
    trace = _TRACE.match(journey.traceparent or b"")
    found = {
        "request_id": journey.request_id,
        "trace_id": trace[1].decode() if trace else None,
        "method": journey.method,
        "path": journey.path,
        "status": journey.status,
        "code": journey.code,
        "operation": journey.operation,
        "document_id": journey.document_id,
        "key": journey.key_prefix,
        "tier": journey.tier,
        "cost": journey.cost,
        "cache": journey.cache,
        "ms": round(seconds * 1_000, 2),
        **{f"{stage.name}_ms": round((stage.ended - stage.began) * 1_000, 2) for stage in journey.stages},
    }
    return {name: value for name, value in found.items() if value is not None}


def _log_libraries(shared: list[structlog.typing.Processor]) -> None:
    """Warnings and errors of libraries that use the standard logging, in the same form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
