from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.events import AllowancesSpent, CallerLeft, RedisFailed
from service.journeys import Journey, Stage
from service.telemetry.metrics import METRICS, Described, Metrics, Value, metrics_page
from service.telemetry.reporter import Reporter
from service.telemetry.tallies import BOUNDS, Tally

ROOT = Path(__file__).parents[3]


def told(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples as Prometheus reads them, by name and labels."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples
    }


def test_a_tally_is_what_counting_one_by_one_gives() -> None:
    taken = random.Random(4)
    seconds = [*BOUNDS, *(taken.expovariate(30) for _ in range(500)), 7.5]
    tally = Tally[str]()
    for each in seconds:
        tally.add("here", each)
    ((label, met),) = tally.items()
    assert label == "here"
    assert met.seconds == pytest.approx(sum(seconds))
    expected = [(str(bound), sum(1 for each in seconds if each <= bound)) for bound in BOUNDS]
    assert met.buckets() == [*expected, ("+Inf", len(seconds))]
    assert met.count == len(seconds)


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_page(), "run `make docs`"


def reading(metric: Described) -> Value:
    return {tuple("x" for _ in metric.labels): 3.0} if metric.labels else 3.0


def test_every_metric_is_told_with_its_own_labels() -> None:
    metrics = Metrics(["StoryPage"])
    gauges = [metric for metric in METRICS if metric.kind == "gauge"]
    metrics.read({metric.name: partial(reading, metric) for metric in gauges})
    metrics.count(Journey("r1"), 0.2)
    metrics.observe(AllowancesSpent(3, "measure"))
    metrics.delays.add((), 0.001)
    families = {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}
    assert [metric.name for metric in METRICS if f"parallax_{metric.name}" not in families] == []
    for metric in METRICS:
        family = families[f"parallax_{metric.name}"]
        assert (family.type, family.documentation) == (metric.kind, metric.told)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


def test_requests_are_counted_by_operation_and_code_and_cache() -> None:
    metrics = Metrics(["StoryPage"])
    for operation, code, cache in (
        ("StoryPage", None, "memory"),
        ("StoryPage", None, "memory"),
        ("SomebodysOwn", None, "miss"),
        (None, "TIMEOUT", None),
    ):
        journey = Journey("r")
        journey.kind, journey.operation, journey.code, journey.cache = "query", operation, code, cache
        journey.stages = (Stage("database", 1.0, 1.5),) if cache == "miss" else ()
        metrics.count(journey, 0.25)
    metrics.count(Journey("a probe"), 0.25)
    found = told(metrics)
    requests = {labels: value for (name, labels), value in found.items() if name == "parallax_requests_total" and value}
    assert requests == {
        (("code", "ok"), ("operation", "StoryPage")): 2,
        (("code", "ok"), ("operation", "other")): 1,
        (("code", "TIMEOUT"), ("operation", "other")): 1,
        (("code", "ok"), ("operation", "none")): 1,
    }
    assert found["parallax_request_duration_seconds_count", (("cache", "memory"),)] == 2
    assert found["parallax_request_duration_seconds_sum", (("cache", "none"),)] == 0.5
    assert found["parallax_stage_duration_seconds_sum", (("stage", "database"),)] == 0.5


def test_how_long_a_subscription_waits_for_something_to_tell_is_no_duration() -> None:
    metrics, journey = Metrics([]), Journey("r")
    journey.kind = "subscription"
    metrics.count(journey, 100.0)
    found = told(metrics)
    assert found["parallax_requests_total", (("code", "ok"), ("operation", "other"))] == 1
    assert not [name for name, _ in found if name.startswith("parallax_request_duration")]


def test_events_are_counted_by_name_and_level() -> None:
    metrics = Metrics([])
    for event in (CallerLeft("r1"), CallerLeft("r2"), RedisFailed(OSError()), AllowancesSpent(7, "enforce")):
        metrics.observe(event)
    found = told(metrics)
    assert found["parallax_events_total", (("event", "caller_left"), ("level", "info"))] == 2
    assert found["parallax_events_total", (("event", "redis_failed"), ("level", "warning"))] == 1
    assert found["parallax_allowances_spent_total", (("mode", "enforce"),)] == 7


def test_a_caller_is_told_of_stages_and_of_all_in_milliseconds() -> None:
    journey = Journey("r")
    assert Reporter(Metrics([]))(journey) == b"", "nothing was gone through"
    now = perf_counter()
    journey.began = now - 1
    journey.stages = (Stage("plan", now, now + 0.0125), Stage("database", now, now + 0.5))
    line = Reporter(Metrics([]))(journey).decode()
    name, _, value = line.partition(": ")
    assert name == "server-timing"
    assert value.endswith("\r\n")
    plan, database, total = value.strip().split(", ")
    assert (plan, database) == ("plan;dur=12.50", "database;dur=500.00")
    assert 1_000 <= float(total.removeprefix("total;dur=")) < 1_500


def test_what_is_rare_and_grave_is_told_before_it_happens() -> None:
    found = told(Metrics(["StoryPage"]))
    for operation in ("StoryPage", "other", "none"):
        assert found["parallax_requests_total", (("code", "INTERNAL"), ("operation", operation))] == 0
    assert found["parallax_events_total", (("event", "access_unknown"), ("level", "warning"))] == 0
