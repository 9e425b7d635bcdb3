"""Manifests, Dockerfile and settings are in step: whatever one names, the others have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from service.app import create_app
from service.events import ignore
from service.settings import PREFIX, Settings
from tests.lacking import lacking

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WITH_OPTIONS = "components:\n  - ../../components/monitoring\n"


def base(file: str) -> list[Any]:
    return [*yaml.safe_load_all((K8S / "base" / file).read_text())]


@pytest.fixture(scope="module")
def deployment() -> Any:
    (found,) = base("deployment.yaml")
    return found


@pytest.fixture(scope="module")
def pod(deployment: Any) -> Any:
    return deployment["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod: Any) -> Any:
    (found,) = pod["containers"]
    return found


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """All that the overlay for production makes, with the parts that are options."""
    kubectl = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if kubectl is None:
        lacking("kubectl is needed to render manifests")
    copy = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(K8S, copy)
    production = copy / "overlays" / "production"
    with (production / "kustomization.yaml").open("a") as kustomization:
        kustomization.write(WITH_OPTIONS)
    done = subprocess.run([kubectl, "kustomize", str(production)], capture_output=True, text=True, check=True)
    return [*yaml.safe_load_all(done.stdout)]


def of_kind(rendered: list[Any], kind: str) -> list[Any]:
    return [each for each in rendered if each["kind"] == kind]


FILES = [ROOT / "Dockerfile", *sorted(K8S.rglob("*.yaml")), K8S / "README.md"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_setting_that_is_named_is_one(file: Path) -> None:
    for name in re.findall(rf"{PREFIX}([A-Z_]+)", file.read_text()):
        assert name.lower() in Settings.model_fields, name


def test_what_is_set_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in sorted(K8S.rglob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text()):
            if each.get("kind") == "ConfigMap":
                for name, value in each["data"].items():
                    monkeypatch.setenv(name, value)
    assert Settings().pool_size > 0


def test_ports_are_those_that_are_served(container: Any) -> None:
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"http": Settings().port, "management": Settings().port_for_operators}
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE) == [f"{ports['http']} {ports['management']}"]


def test_probes_ask_for_what_is_answered(container: Any) -> None:
    management = create_app(
        Settings(key_pepper=SecretStr("a pepper of a test")), "postgresql://127.0.0.1:1/nowhere", ignore
    ).management
    assert isinstance(management, Starlette)
    answered = {route.path for route in management.routes if isinstance(route, Route)}
    probes = {each["httpGet"]["path"] for name, each in container.items() if name.endswith("Probe")}
    assert probes == answered - {"/metrics"}
    assert f"127.0.0.1:{Settings().port}/livez" in DOCKERFILE


def test_a_pod_is_given_the_time_to_end(pod: Any, container: Any) -> None:
    (settings,) = base("configmap.yaml")
    drain = int(settings["data"][f"{PREFIX}DRAIN_TIMEOUT"])
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > waits + drain + 5


def test_nothing_runs_as_root_or_may_write(pod: Any) -> None:
    (job,) = base("migration.yaml")
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user
    for each in (pod, job["spec"]["template"]["spec"]):
        context = each["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))
        for one in (*each["containers"], *each.get("initContainers", ())):
            assert one["securityContext"]["readOnlyRootFilesystem"] is True
            assert one["image"] == "parallax"


def test_the_migration_gates_the_rollout(pod: Any) -> None:
    (waiting,) = pod["initContainers"]
    assert "migrate --check" in waiting["command"][-1]


def test_what_refers_to_pods_finds_them(rendered: list[Any]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    ports = {each["name"] for each in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
    selectors = [each["spec"]["selector"] for each in of_kind(rendered, "Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in of_kind(rendered, "PodDisruptionBudget")]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in of_kind(rendered, "NetworkPolicy")]
    assert len(selectors) == 4
    for selector in selectors:
        assert selector.items() <= labels
    for service in of_kind(rendered, "Service"):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    (network,) = of_kind(rendered, "NetworkPolicy")
    assert {port["port"] for rule in network["spec"]["ingress"] for port in rule["ports"]} == ports
    (scaler,) = of_kind(rendered, "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"], "the autoscaler says how many"


def test_the_public_gets_no_further_than_the_service(rendered: list[Any]) -> None:
    (ingress,) = of_kind(rendered, "Ingress")
    backends = {
        path["backend"]["service"]["name"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]
    }
    services = {each["metadata"]["name"]: each for each in of_kind(rendered, "Service")}
    assert backends == {"parallax"}
    assert [port["name"] for port in services["parallax"]["spec"]["ports"]] == ["http"]
    hosts = {host for each in ingress["spec"]["tls"] for host in each["hosts"]}
    assert hosts == {rule["host"] for rule in ingress["spec"]["rules"]}


def test_prometheus_finds_the_metrics(rendered: list[Any]) -> None:
    (monitor,) = of_kind(rendered, "ServiceMonitor")
    found = [
        port["name"]
        for service in of_kind(rendered, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        for port in service["spec"]["ports"]
    ]
    assert monitor["spec"]["endpoints"][0]["port"] in found
    assert monitor["metadata"]["namespace"] == "parallax"
    (dashboard,) = (each for each in of_kind(rendered, "ConfigMap") if each["metadata"]["name"] == "parallax-dashboard")
    assert dashboard["data"].keys() == {"dashboard.json"}
