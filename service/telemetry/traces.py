"""One OpenTelemetry span for each operation, with a child for each stage, in the trace that the caller began.

Spans are made when all is over, from what was noted: nothing of it is in a request's way until then. Chance decides
which are recorded, and nothing that a caller sends.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import suppress
from importlib.metadata import version
from time import perf_counter
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from service.errors import RateLimited
from service.journeys import Journey

NANOSECONDS: Final = 1_000_000_000
PATIENCE = 5.0
"""Seconds that a collector is given to take spans."""
PATIENCE_AT_END = 3.0
"""Seconds that it is given when the service ends."""
MOST_WAITING = 1_000
"""Spans that wait to be sent: what comes besides is dropped."""


class Traces:
    """Spans on their way to `exporter`, in the background; what it cannot take is dropped."""

    def __init__(self, exporter: SpanExporter, share: float) -> None:
        resource = Resource.create({"service.name": "parallax", "service.version": version("parallax")})
        self._share = share
        self._exporter = exporter
        # It would wait for the collector once more when Python ends.
        self._provider = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, max_export_batch_size=MOST_WAITING // 2)
        )
        self._tracer = self._provider.get_tracer("parallax")
        self._propagator = TraceContextTextMapPropagator()

    def record(self, journey: Journey, ended: float) -> bytes:
        """Records an operation, perhaps, that ended at that time of `perf_counter`; the header `traceresponse` of W3C.

        Its span is called by its kind: clients may call operations as they like, and spans are grouped by name.
        """
        # What is refused because it is too much must not be much here.
        if journey.kind is None or journey.code == RateLimited.code or random.random() >= self._share:  # noqa: S311  # nosec B311
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
        within = set_span_in_context(span, Context())
        for stage in journey.stages:
            child = self._tracer.start_span(stage.name, within, start_time=moment(stage.began))
            child.end(moment(stage.ended))
        if journey.code:
            span.set_status(Status(StatusCode.ERROR, journey.code))
        span.end(moment(ended))
        made = span.get_span_context()
        return f"traceresponse: 00-{made.trace_id:032x}-{made.span_id:016x}-{made.trace_flags:02x}\r\n".encode()

    async def close(self) -> None:
        """Sends what is left, within some seconds; whoever is still at it then is left to it."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def send() -> None:
            self._provider.force_flush(round(PATIENCE_AT_END * 1_000))
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(sent.set)

        # A thread of its own, which Python does not wait for when it ends.
        threading.Thread(target=send, daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_AT_END):
                await sent.wait()
        self._exporter.shutdown()

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
