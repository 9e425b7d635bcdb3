"""The one place that logs events: JSON lines on standard error. Knows nothing of who emits them."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import fields

import structlog
from structlog.typing import FilteringBoundLogger

from service.events import Event, Observer


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
        getattr(log, event.level)(_snake_case(type(event).__name__), **told)

    return observe


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


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
