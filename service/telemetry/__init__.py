"""Where everything that is worth telling is told: logs, metrics, traces. Knows nothing of who tells it.

Events (`service/events.py`) and journeys (`service/journeys.py`) come in; lines of JSON, metrics for Prometheus and
spans for OpenTelemetry go out. `Telemetry.started` is the one place where they meet.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from service.events import Event, Observer
from service.journeys import Report
from service.settings import Settings
from service.telemetry.delays import delays_told
from service.telemetry.logs import request_log, start_logging
from service.telemetry.metrics import Metrics
from service.telemetry.reporter import Reporter

if TYPE_CHECKING:
    from service.telemetry.traces import Traces


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Takes events and journeys; `metrics` tells what came of them."""

    observe: Observer
    report: Report
    metrics: Metrics
    _traces: Traces | None

    @classmethod
    def started(cls, settings: Settings, operations: Collection[str], observe: Observer | None = None) -> Self:
        """What the settings say; metrics tell apart the operations of those names.

        With an observer of its own, as tests have, nothing is logged.
        """
        metrics = Metrics(operations)
        observe_first, log = observe, None
        if observe_first is None:
            observe_first, log = start_logging(), request_log(settings.log_requests, settings.slow_seconds)
        traces = _traces(settings)
        report = Reporter(metrics, log, traces.record if traces else None)
        return cls(_both(metrics.observe, observe_first), report, metrics, traces)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Looks how late the event loop is while the block runs, and sends what is left of traces after it."""
        try:
            async with delays_told(lambda seconds: self.metrics.delays.add((), seconds)):
                yield
        finally:
            if self._traces:
                await self._traces.close()


def _both(first: Observer, second: Observer) -> Observer:
    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe


def _traces(settings: Settings) -> Traces | None:
    if settings.traces_url is None:
        return None
    from service.telemetry.traces import traces_to  # which takes long to import, and most do without

    return traces_to(settings.traces_url, settings.traces_share)
