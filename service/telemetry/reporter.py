"""Tells of each request, once, as its answer begins: to metrics, to the log, to traces, and to the caller."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from service.journeys import Journey
from service.telemetry.metrics import Metrics


class Reporter:
    """A report of journeys; what is not set costs nothing."""

    def __init__(
        self,
        metrics: Metrics,
        log: Callable[[Journey, float], None] | None = None,
        trace: Callable[[Journey, float], bytes] | None = None,
    ) -> None:
        self._metrics = metrics
        self._log = log
        self._trace = trace

    def __call__(self, journey: Journey) -> bytes:
        ended = perf_counter()
        seconds = ended - journey.began
        self._metrics.count(journey, seconds)
        if self._log:
            self._log(journey, seconds)
        # An answer from memory went through no stage: there is nothing in it to look for.
        lines = server_timing(journey, seconds) if journey.stages else b""
        return lines + self._trace(journey, ended) if self._trace else lines


def server_timing(journey: Journey, seconds: float) -> bytes:
    """The header of that name, in milliseconds: stages that were gone through, and all in all."""
    stages = [f"{name};dur={taken * 1_000:.2f}" for name, taken in journey.taken().items()]
    return f"server-timing: {', '.join(stages)}, total;dur={seconds * 1_000:.2f}\r\n".encode()
