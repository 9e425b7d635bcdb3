from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Literal

import orjson
import pytest

from service.events import CallerLeft, ConnectionLost, RequestFailed, ServingEnded
from service.journeys import Journey, Stage
from service.telemetry.logs import LOG, log_event, request_log, start_logging


@pytest.fixture
def fresh_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOG.name)
    return caplog


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was told, by name and level."""
    return [{"event": each.message, "level": each.levelname.lower(), **vars(each)["told"]} for each in caplog.records]


def test_an_event_is_logged_by_its_name_with_its_fields_at_its_level(logged: pytest.LogCaptureFixture) -> None:
    log_event(CallerLeft("r1"))
    log_event(ServingEnded())
    assert lines(logged) == [
        {"event": "caller_left", "level": "info", "request_id": "r1"},
        {"event": "serving_ended", "level": "info"},
    ]


def test_an_exception_is_logged_as_what_it_is(logged: pytest.LogCaptureFixture) -> None:
    error = ValueError("x")
    log_event(ConnectionLost(error))
    log_event(RequestFailed("r2", "UNAVAILABLE", None))
    assert lines(logged) == [
        {"event": "connection_lost", "level": "warning"},
        {"event": "request_failed", "level": "error", "request_id": "r2", "code": "UNAVAILABLE"},
    ]
    lost, failed = logged.records
    assert lost.exc_info
    assert lost.exc_info[1] is error
    assert not failed.exc_info


@pytest.mark.usefixtures("fresh_logging")
def test_logs_are_lines_of_json_with_tracebacks_in_them(capsys: pytest.CaptureFixture[str]) -> None:
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


def journey(status: int, kind: str = "query") -> Journey:
    found = Journey("r4")
    found.method, found.path, found.status, found.kind = "POST", "/graphql", status, kind
    return found


@pytest.mark.parametrize(
    ("which", "names"),
    [("all", ["fast", "slow", "failed", "long"]), ("notable", ["slow", "failed"]), ("none", [])],
)
def test_requests_are_logged_as_set(
    which: Literal["all", "notable", "none"], names: list[str], logged: pytest.LogCaptureFixture
) -> None:
    log = request_log(which, slow=0.5)
    for name, seconds, status, kind in (
        ("fast", 0.1, 200, "query"),
        ("slow", 0.6, 200, "query"),
        ("failed", 0.1, 503, "query"),
        ("long", 60.0, 200, "subscription"),
    ):
        each = journey(status, kind)
        each.operation = name
        if log:
            log(each, seconds)
    assert [line["operation"] for line in lines(logged)] == names
    assert {line["level"] for line in lines(logged) if line["operation"] in {"slow", "failed"}} <= {"warning"}


def test_a_request_is_logged_with_what_is_known_of_it_and_nothing_else(logged: pytest.LogCaptureFixture) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    asked = journey(200)
    asked.traceparent = f"00-{trace}-b7ad6b7169203331-01".encode()
    asked.operation, asked.document_id = "StoryPage", "ab" * 32
    asked.key_prefix, asked.tier, asked.cost, asked.cache = "plx_abcdefgh", "premium", 12, "miss"
    asked.stages = (Stage("plan", 1.0, 1.001), Stage("database", 1.001, 1.0215))
    refused = journey(400)
    refused.code, refused.traceparent = "BAD_REQUEST", b"00-nonsense"
    log = request_log("all", slow=9.0)
    assert log
    log(asked, 0.0256)
    log(refused, 0.001)
    common = {"event": "request", "level": "info", "request_id": "r4", "method": "POST", "path": "/graphql"}
    assert lines(logged) == [
        {
            **common,
            "trace_id": trace,
            "status": 200,
            "operation": "StoryPage",
            "document_id": "ab" * 32,
            "key": "plx_abcdefgh",
            "tier": "premium",
            "cost": 12,
            "cache": "miss",
            "ms": 25.6,
            "plan_ms": 1.0,
            "database_ms": 20.5,
        },
        {**common, "status": 400, "code": "BAD_REQUEST", "ms": 1.0},
    ]
