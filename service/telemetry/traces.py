"""One OpenTelemetry span for each operation, with a child for each stage, in the trace that the caller began.

Spans are made when all is over, from what was noted: nothing of it is in a request's way until then. Whether a trace is
recorded depends on its id alone, so that services that record the same share record the same traces; whoever asks
cannot have it recorded.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from time import perf_counter
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from service.journeys import Journey

NANOSECONDS: Final = 1_000_000_000
PATIENCE = 5.0
"""Seconds that a collector is given to take spans."""


class Traces:
    """Spans on their way to `exporter`, in the background; what it cannot take is dropped."""

    def __init__(self, exporter: SpanExporter, share: float) -> None:
        resource = Resource.create({"service.name": "parallax", "service.version": version("parallax")})
        self._provider = TracerProvider(resource=resource, sampler=TraceIdRatioBased(share))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("parallax")
        self._propagator = TraceContextTextMapPropagator()

    def record(self, journey: Journey, ended: float) -> bytes:
        """Records an operation that ended at that time of `perf_counter`; the header `traceresponse`, as W3C drafts it.

        Its span is called by its kind: clients may call operations as they like, and spans are grouped by name.
        """
        if journey.kind is None:
            return b""
        offset = time.time() - perf_counter()

        def moment(seconds: float) -> int:
            return int((seconds + offset) * NANOSECONDS)

        span = self._tracer.start_span(
            journey.kind,
            self._context(journey),
            SpanKind.SERVER,
            _attributes(journey),
            start_time=moment(journey.began),
        )
        if span.is_recording():
            within = set_span_in_context(span, Context())
            for stage in journey.stages:
                child = self._tracer.start_span(stage.name, within, start_time=moment(stage.began))
                child.end(moment(stage.ended))
            if journey.code:
                span.set_status(Status(StatusCode.ERROR, journey.code))
            span.end(moment(ended))
        made = span.get_span_context()
        return f"traceresponse: 00-{made.trace_id:032x}-{made.span_id:016x}-{made.trace_flags:02x}\r\n".encode()

    def close(self) -> None:
        """Sends what is left, for some seconds at most."""
        self._provider.shutdown()

    def _context(self, journey: Journey) -> Context:
        """That of the caller, where they sent a good one, else a new one."""
        given = journey.traceparent
        carrier = {"traceparent": given.decode("latin-1")} if given else {}
        return self._propagator.extract(carrier, Context())


def traces_to(url: str, share: float) -> Traces:
    """Traces that a collector takes by OTLP over HTTP, of which `share` is recorded."""
    return Traces(OTLPSpanExporter(url, timeout=PATIENCE), share)


def _attributes(journey: Journey) -> dict[str, AttributeValue]:
    """By the names that OpenTelemetry's conventions have, and else by ours."""
    found: dict[str, AttributeValue | None] = {
        "graphql.operation.name": journey.operation,
        "graphql.operation.type": journey.kind,
        "graphql.document.id": journey.document_id,
        "http.response.status_code": journey.status,
        "error.type": journey.code,
        "parallax.request_id": journey.request_id,
        "parallax.key": journey.key_prefix,
        "parallax.tier": journey.tier,
        "parallax.cost": journey.cost,
        "parallax.cache": journey.cache,
    }
    return {name: value for name, value in found.items() if value is not None}
