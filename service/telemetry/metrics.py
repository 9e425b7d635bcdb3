"""What Prometheus is told: which metrics there are, and their values when it asks.

A metric is one entry of `METRICS`; docs/metrics.md is made of them (`make docs`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.metadata import version
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from service.errors import Internal
from service.events import AllowancesSpent, Event
from service.journeys import Journey
from service.telemetry.tallies import Distribution, Tally

PREFIX = "parallax_"
OTHER = "other"
"""What operations are counted as that are not among those that were shipped: clients may think of any number."""
NONE = "none"


class Described(NamedTuple):
    """A metric: its name without the prefix, what it tells, and the names of its labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    told: str
    labels: tuple[str, ...] = ()


METRICS = (
    Described("build_info", "gauge", "Always 1; the label tells which version runs.", ("version",)),
    Described(
        "requests",
        "counter",
        "Requests whose answer has begun, and streamed operations that ended. `operation` is its name where that is "
        "the name of a registered document, else `other`, and `none` where no operation was reached, as by probes; "
        "`code` is that of the error, `CANCELLED`, or `ok`.",
        ("operation", "code"),
    ),
    Described(
        "request_duration_seconds",
        "histogram",
        "From a request's head until its answer begins. `cache` is where the answer came from: `memory`, `redis`, "
        "`miss` (made, and kept), `stale`, or `none` (not kept, or no answer of an operation). Without subscriptions.",
        ("cache",),
    ),
    Described(
        "stage_duration_seconds",
        "histogram",
        "Parts of that: `plan` (reading, checking and planning), `cache` (until an answer was found or made) and "
        "`database` (waiting for a connection included).",
        ("stage",),
    ),
    Described("events", "counter", "What was logged, by its name in the log and how grave it is.", ("event", "level")),
    Described(
        "allowances_spent",
        "counter",
        "Requests that were refused as their allowance was spent (`enforce`), or would have been (`measure`).",
        ("mode",),
    ),
    Described(
        "event_loop_delay_seconds",
        "histogram",
        "How late the event loop comes to a timer, ten times a second: every request waits so long.",
    ),
    Described("cache_bytes", "gauge", "Memory that is taken by the answers kept in the process."),
    Described("cache_limit_bytes", "gauge", "Memory that they may take."),
    Described("cache_entries", "gauge", "Answers that are kept in the process."),
    Described(
        "database_connections",
        "gauge",
        "Connections to Postgres: `reads`, `selective_reads` (planned for each call), or `access` (keys and usage); "
        "`in_use`, `idle`, and how many there may be, the `limit`.",
        ("pool", "state"),
    ),
    Described("database_waiting", "gauge", "Reads that wait for a connection to Postgres."),
    Described("feed_hears", "gauge", "1 while changes are heard of, 0 while pages are made anew for each request."),
    Described(
        "feed_lag_seconds", "gauge", "Since the last look at the changes: of what was committed before, all is known."
    ),
    Described(
        "replica_read",
        "gauge",
        "1 while reads go to the replica, 0 while it is left alone; replicas by their place in the setting.",
        ("replica",),
    ),
    Described("replica_lag_seconds", "gauge", "That the replica is behind at most.", ("replica",)),
    Described("redis_answers", "gauge", "1 while Redis answers, 0 while it does not; only where one was set."),
    Described("streams", "gauge", "WebSockets, event streams and exports that are open."),
)

_Request = tuple[str | None, str, str | None, str | None]
"""The kind of an operation, its name as it is counted, the code of its error, and where its answer came from."""
Labels = tuple[str, ...]
Value = float | Mapping[Labels, float]
"""A number, or one for each combination of labels."""
Readings = Mapping[str, Callable[[], Value]]
"""How to read values that others keep, by the names of their metrics."""


class Metrics(Collector):
    """Counts what happens and reads what is; `exposition` tells all of it in the text format of Prometheus."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = frozenset(operations)
        self._requests: Tally[_Request] = Tally()
        self._stages: Tally[Labels] = Tally()
        self._events: Counter[Labels] = Counter({(each.name_of(), each.level): 0 for each in Event.__subclasses__()})
        self._spent: Counter[Labels] = Counter()
        self.delays: Tally[Labels] = Tally()
        """How late the event loop was, under no label."""
        self.delays.merge((), Distribution())  # it is there before the first look
        self._readings: dict[str, Callable[[], Value]] = {
            "build_info": lambda: {(version("parallax"),): 1.0},
            "requests": self._answers,
            "events": lambda: self._events,
            "allowances_spent": lambda: self._spent,
        }
        self._tallies = {
            "request_duration_seconds": self._durations,
            "stage_duration_seconds": lambda: self._stages,
            "event_loop_delay_seconds": lambda: self.delays,
        }
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def read(self, readings: Readings) -> None:
        """Has further metrics read where their values are kept."""
        self._readings.update(readings)

    def count(self, journey: Journey, seconds: float) -> None:
        """Counts a request that took so long until its answer began."""
        operation = journey.operation if journey.operation in self._operations else OTHER
        self._requests.add((journey.kind, operation, journey.code, journey.cache), seconds)
        if journey.stages:
            for stage in journey.stages:
                self._stages.add((stage.name,), stage.ended - stage.began)

    def observe(self, event: Event) -> None:
        """Counts an event."""
        self._events[event.name_of(), event.level] += 1
        if isinstance(event, AllowancesSpent):
            self._spent[(event.mode,)] += event.count

    def _answers(self) -> Mapping[Labels, float]:
        # What is rare and grave is there before it happens: a series that begins with 1 has not increased.
        found: Counter[Labels] = Counter({(each, Internal.code): 0 for each in (*self._operations, OTHER, NONE)})
        for (kind, operation, code, _), met in self._requests.items():
            found[operation if kind else NONE, code or "ok"] += met.count
        return found

    def _durations(self) -> Tally[Labels]:
        found: Tally[Labels] = Tally()
        for (kind, _, _, cache), met in self._requests.items():
            if kind != "subscription":  # whose answer begins when there is something to tell
                found.merge((cache or NONE,), met)
        return found

    def exposition(self) -> bytes:
        """All metrics, those of the process too, in the text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Each metric of which anything is known."""
        for metric in METRICS:
            name = f"{PREFIX}{metric.name}"
            if metric.kind == "histogram":
                histogram = HistogramMetricFamily(name, metric.told, labels=metric.labels)
                for labels, met in self._tallies[metric.name]().items():
                    histogram.add_metric(labels, met.buckets(), met.seconds)
                yield histogram
            elif read := self._readings.get(metric.name):
                kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
                family = kind(name, metric.told, labels=metric.labels)
                value = read()
                for labels, number in list(value.items()) if isinstance(value, Mapping) else [((), value)]:
                    family.add_metric(labels, number)
                yield family


def metrics_page() -> str:
    """docs/metrics.md: every metric and what it tells."""
    rows = [
        f"| `{PREFIX}{metric.name}{'_total' if metric.kind == 'counter' else ''}` | {metric.kind} | "
        f"{', '.join(f'`{label}`' for label in metric.labels)} | {metric.told} |"
        for metric in METRICS
    ]
    return "\n".join([_PAGE_HEAD, *rows]) + "\n"


_PAGE_HEAD = """\
# Metrics

`GET /metrics` on the management port (`PARALLAX_MANAGEMENT_PORT`) tells these in the text format of Prometheus, and
what its client library tells of any process (`process_resident_memory_bytes`, `process_cpu_seconds_total`,
`process_open_fds` and others). This page is made from `service/telemetry/metrics.py` by `make docs`.

| metric | kind | labels | what it tells |
| --- | --- | --- | --- |"""
