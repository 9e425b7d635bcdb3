"""Alert rules, dashboard and runbook speak of metrics and events that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from service import errors, events
from service.settings import Settings
from service.telemetry.metrics import METRICS, PREFIX

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "k8s" / "components" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "rules.yaml").read_text())["spec"]["groups"][0]["rules"]
PANELS: list[dict[str, Any]] = orjson.loads((MONITORING / "dashboard.json").read_bytes())["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
OF_ANY_SERIES = {"le", "pod", "job"}


def samples() -> Iterator[tuple[str, set[str]]]:
    """The names under which Prometheus keeps each metric, with its labels."""
    for metric in METRICS:
        endings = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}[metric.kind]
        yield from ((f"{PREFIX}{metric.name}{ending}", set(metric.labels)) for ending in endings)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_metrics_that_there_are_by_labels_that_they_have(expression: str) -> None:
    known = dict(samples())
    asked = re.findall(rf"{PREFIX}\w+", expression)
    assert set(asked) <= set(known), expression
    assert asked or "process_" in expression
    allowed = OF_ANY_SERIES.union(*(known[name] for name in asked))
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
    matched = set(re.findall(r"(\w+)[=!]~?\"", expression))
    assert grouped | matched <= allowed, expression


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_codes_and_events_that_there_are(expression: str) -> None:
    codes = {code for each in vars(errors).values() if (code := getattr(each, "code", None)) and isinstance(code, str)}
    for values in re.findall(r'code=~?"([^"]*)"', expression):
        assert set(values.split("|")) <= codes
    emitted = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for name, each in vars(events).items()
        if isinstance(each, type) and issubclass(each, events.Event)
    }
    for values in re.findall(r'event=~?"([^"]*)"', expression):
        assert set(values.split("|")) <= emitted


def test_each_alert_has_a_section_in_the_runbook_and_each_section_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert [rule["alert"] for rule in RULES] == sections
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_what_the_runbook_links_to_is_there() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    anchors = {f"#{name.lower()}" for name in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target in anchors or (ROOT / "docs" / target).is_file(), target
    for setting in re.findall(r"PARALLAX_(\w+)", text):
        assert setting.lower() in Settings.model_fields, setting
