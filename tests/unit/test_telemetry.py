from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
import structlog

from service.events import CallerLeft, ConnectionLost, RequestFailed, ServingEnded
from service.telemetry import log_events, start_logging


@pytest.fixture
def fresh_logging() -> Iterator[None]:
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def test_an_event_is_logged_by_its_name_with_its_fields_at_its_level() -> None:
    with structlog.testing.capture_logs() as logged:
        observe = log_events(structlog.get_logger())
        observe(CallerLeft("r1"))
        observe(ServingEnded())
    assert logged == [
        {"event": "caller_left", "log_level": "info", "request_id": "r1"},
        {"event": "serving_ended", "log_level": "info"},
    ]


def test_an_exception_is_logged_as_what_it_is() -> None:
    error = ValueError("x")
    with structlog.testing.capture_logs() as logged:
        observe = log_events(structlog.get_logger())
        observe(ConnectionLost(error))
        observe(RequestFailed("r2", "UNAVAILABLE", None))
    assert logged == [
        {"event": "connection_lost", "log_level": "warning", "exc_info": error},
        {"event": "request_failed", "log_level": "error", "request_id": "r2", "code": "UNAVAILABLE"},
    ]


@pytest.mark.usefixtures("fresh_logging")
def test_logs_are_lines_of_json_with_tracebacks_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    observe = start_logging()
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    observe(RequestFailed("r3", "INTERNAL", caught.value))
    logging.getLogger("library").warning("a %s", "word")
    failed, foreign = (orjson.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (failed["event"], failed["level"], failed["request_id"]) == ("request_failed", "error", "r3")
    assert "ZeroDivisionError: division by zero" in failed["exception"]
    assert failed["timestamp"].endswith("Z")
    assert (foreign["event"], foreign["level"], foreign["logger"]) == ("a word", "warning", "library")
