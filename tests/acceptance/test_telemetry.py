"""What operators learn of the service: metrics, probes, logs and traces, of the program as they run it."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import asyncpg
import httpx
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from service.telemetry.metrics import METRICS
from tests.acceptance.keyed import bearer
from tests.acceptance.program import Serving, run, serving
from tests.acceptance.test_websocket import heard, opened, subscribe, tell
from tests.access_keys import PEPPER, made_key

QUERY = "query Latest { stories(first: 2) { nodes { title } } }"


def metrics_of(server: Serving) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Samples by name and labels."""
    found = re.search(r"http://\S+/metrics", server.welcome)
    assert found, server.welcome
    response = httpx.get(found[0])
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(response.text))
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def test_metrics_and_probes_are_at_a_port_of_their_own(demo_database: str) -> None:
    # No Redis is there and no replica, which costs nothing but their help.
    nobody = {"REDIS_URL": "redis://127.0.0.1:1/0", "REPLICA_URLS": "postgresql://127.0.0.1:1/none"}
    with (
        serving(DATABASE_URL=demo_database, **nobody) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        for _ in range(3):
            assert client.post("/graphql", json={"query": QUERY}).status_code == 200
        assert client.post("/graphql", json={"query": "{ nothing }"}).json()["errors"]
        assert client.get("/metrics").status_code == 404, "the public is told nothing"
        found = metrics_of(server)
        families = {name for name, _ in found}
        for metric in METRICS:
            name = "parallax_" + metric.name + {"counter": "_total", "histogram": "_count", "gauge": ""}[metric.kind]
            assert (name in families) is (metric.name != "allowances_spent"), name
        ok = frozenset({("operation", "other"), ("code", "ok")})
        assert found["parallax_requests_total", ok] == 3
        refused = frozenset({("operation", "none"), ("code", "GRAPHQL_VALIDATION_FAILED")})
        assert found["parallax_requests_total", refused] == 1
        assert found["parallax_request_duration_seconds_count", frozenset({("cache", "memory")})] == 2
        assert found["parallax_request_duration_seconds_count", frozenset({("cache", "miss")})] == 1
        assert found["parallax_stage_duration_seconds_count", frozenset({("stage", "database")})] == 1
        assert found["parallax_redis_answers", frozenset()] == 0
        assert found["parallax_replica_read", frozenset({("replica", "1")})] == 0
        assert found["parallax_cache_entries", frozenset()] == 1
        assert found["parallax_feed_hears", frozenset()] == 1
        assert found["parallax_feed_lag_seconds", frozenset()] < 3
        assert found["process_resident_memory_bytes", frozenset()] > 10_000_000
        operators = server.welcome.split("/metrics")[0].split()[-1]
        for path in ("/livez", "/readyz", "/startupz"):
            assert httpx.get(operators + path).json()["status"] in {"pass", "warn"}
        taken = run("serve", DATABASE_URL=demo_database, PORT="0", MANAGEMENT_PORT=operators.rsplit(":", 1)[1])
        assert taken.returncode == 2
        assert "Set PARALLAX_MANAGEMENT_PORT to another" in taken.stderr


def test_only_who_waited_for_a_stage_is_told_how_long(demo_database: str) -> None:
    with serving(DATABASE_URL=demo_database) as server, httpx.Client(base_url=server.url) as client:
        made, kept = (client.post("/graphql", json={"query": QUERY}) for _ in range(2))
        pattern = r"plan;dur=[\d.]+, database;dur=[\d.]+, cache;dur=[\d.]+, total;dur=[\d.]+"
        assert re.fullmatch(pattern, made.headers["server-timing"])
        assert "server-timing" not in kept.headers


async def test_logs_tell_of_requests_and_nothing_secret(empty_database: str, capfd: pytest.CaptureFixture[str]) -> None:
    key = await made_key(empty_database, "premium")
    settings = {"DATABASE_URL": empty_database, "KEY_PEPPER": PEPPER, "LOG_REQUESTS": "all"}
    with serving(**settings) as server, httpx.Client(base_url=server.url) as client:
        query = "query Mine($s: String!) { stories(first: 1, filter: {search: $s}) { nodes { title } } }"
        asked = {"query": query, "variables": {"s": "a word nobody should read"}}
        for headers in (bearer(key), {"x-api-key": key}):
            assert "errors" not in client.post("/graphql", json=asked, headers=headers).json()
        client.get("/graphql", params={"query": QUERY, "key": key})
        client.get("/livez", headers={"x-request-id": "mine-1"})
    logged = capfd.readouterr().err
    assert key not in logged
    assert "nobody should read" not in logged
    lines = [orjson.loads(line) for line in logged.splitlines()]
    first, second, in_url, probe = (line for line in lines if line["event"] == "request")
    assert first["key"] == second["key"] == key[:12]
    assert (first["operation"], first["tier"], first["cache"], second["cache"]) == ("Mine", "premium", "miss", "memory")
    assert first["ms"] >= first["database_ms"] > 0
    assert re.fullmatch("[0-9a-f]{64}", first["document_id"])
    assert in_url["code"]
    assert (probe["path"], probe["request_id"], probe["status"]) == ("/livez", "mine-1", 200)


@contextmanager
def collector() -> Generator[tuple[str, list[Span]]]:
    """A collector of OpenTelemetry by HTTP, and the spans that it has taken."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken = ExportTraceServiceRequest.FromString(body)
            spans.extend(span for one in taken.resource_spans for scope in one.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
        finally:
            server.shutdown()
            thread.join()


def test_an_operation_is_a_span_in_the_callers_trace_with_a_child_for_each_stage(demo_database: str) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with collector() as (url, spans):
        settings = {"TRACES_URL": url, "TRACES_SHARE": "1"}
        with serving(DATABASE_URL=demo_database, **settings) as server, httpx.Client(base_url=server.url) as client:
            headers = {"traceparent": f"00-{trace}-{parent}-01"}
            told = client.post("/graphql", json={"query": QUERY}, headers=headers).headers["traceresponse"]
            alone = client.post("/graphql", json={"query": "{ nothing }"}, headers={"traceparent": "nonsense"})
            client.get("/livez")
        # It ended in order, so that all spans have been sent.
        (operation,) = (span for span in spans if span.trace_id.hex() == trace and span.name == "query")
        children = [span for span in spans if span.parent_span_id == operation.span_id]
        assert operation.parent_span_id.hex() == parent
        assert told == f"00-{trace}-{operation.span_id.hex()}-01"
        assert [child.name for child in children] == ["plan", "database", "cache"]
        for child in children:
            assert operation.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano
            assert child.end_time_unix_nano <= operation.end_time_unix_nano
        said = {each.key: each.value for each in operation.attributes}
        assert said["graphql.operation.name"].string_value == "Latest"
        assert said["parallax.cache"].string_value == "miss"
        assert len(spans) == 4, "what is no operation is no span"
        assert "traceresponse" not in alone.headers


def test_a_collector_that_is_away_costs_no_request(demo_database: str) -> None:
    settings = {"TRACES_URL": "http://127.0.0.1:1/v1/traces", "TRACES_SHARE": "1"}
    with serving(DATABASE_URL=demo_database, **settings) as server, httpx.Client(base_url=server.url) as client:
        for _ in range(20):
            assert "errors" not in client.post("/graphql", json={"query": QUERY}).json()
        server.process.terminate()
        assert server.process.wait(timeout=15) == 0


async def test_a_stream_is_told_of_when_it_has_ended(empty_database: str) -> None:
    events = {"accept": "text/event-stream"}
    conn = await asyncpg.connect(empty_database)
    async with httpx.AsyncClient(timeout=20) as client:
        with serving(DATABASE_URL=empty_database, OPERATION_TIMEOUT="1") as server:
            url = f"{server.url}/graphql"
            for _ in range(2):
                assert "data" in (await client.post(url, json={"query": QUERY}, headers=events)).text
            async with conn.transaction():
                await conn.execute("lock table stories")
                waited = await client.post(url, json={"query": "{ stories { nodes { id } } }"}, headers=events)
            found = await asyncio.to_thread(metrics_of, server)
    await conn.close()
    assert '"TIMEOUT"' in waited.text
    other = ("operation", "other")
    assert found["parallax_requests_total", frozenset({other, ("code", "TIMEOUT")})] == 1
    assert found["parallax_requests_total", frozenset({other, ("code", "ok")})] == 2
    assert found["parallax_request_duration_seconds_count", frozenset({("cache", "memory")})] == 1
    assert found["parallax_request_duration_seconds_sum", frozenset({("cache", "none")})] > 1


def test_who_does_not_read_metrics_does_not_keep_the_process_from_ending(demo_database: str) -> None:
    with serving(DATABASE_URL=demo_database, DRAIN_TIMEOUT="1") as server:
        found = re.search(r"http://([^:]+):(\d+)/metrics", server.welcome)
        assert found
        with socket.create_connection((found[1], int(found[2]))) as client:
            client.settimeout(1)
            with suppress(TimeoutError):
                client.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 3_000)
            server.process.terminate()
            assert server.process.wait(timeout=10) == 0


def test_a_collector_that_hangs_does_not_keep_the_process_from_ending(demo_database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/v1/traces"
        settings = {"TRACES_URL": url, "TRACES_SHARE": "1", "DRAIN_TIMEOUT": "1"}
        with serving(DATABASE_URL=demo_database, **settings) as server, httpx.Client(base_url=server.url) as client:
            for number in range(600):
                assert client.get("/graphql", params={"query": f"query Q{number % 9} {{ __typename }}"}).is_success
            server.process.terminate()
            assert server.process.wait(timeout=8) == 0


async def test_a_subscription_that_is_refused_before_it_begins_is_counted(demo_database: str) -> None:
    with serving(DATABASE_URL=demo_database, MAX_SUBSCRIPTIONS="1") as server:
        async with httpx.AsyncClient(base_url=server.url) as client, opened(client) as socket:
            await tell(socket, type="subscribe", id="first", payload={"query": 1})
            await subscribe(socket, "second")
            await subscribe(socket, "third")
            assert [(await heard(socket))["id"] for _ in range(2)] == ["first", "third"]
        found = metrics_of(server)
    for code in ("RATE_LIMITED", "BAD_REQUEST"):
        assert found["parallax_requests_total", frozenset({("operation", "none"), ("code", code)})] == 1
