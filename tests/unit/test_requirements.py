import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TO_RUN = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["build"]]
TO_DEVELOP = [*TO_RUN, *PROJECT["optional-dependencies"]["dev"]]


@pytest.mark.parametrize(("file", "wanted"), [("requirements.txt", TO_RUN), ("requirements-dev.txt", TO_DEVELOP)])
def test_what_is_wanted_is_locked(file: str, wanted: list[str]) -> None:
    locked = _locked(file)
    needs = [Requirement(want) for want in wanted]
    assert [
        str(need) for need in needs if not need.specifier.contains(locked.get(canonicalize_name(need.name), "0"))
    ] == [], "run `make lock`"


def test_what_runs_is_what_development_tests() -> None:
    developed = _locked("requirements-dev.txt")
    assert {name: developed.get(name) for name in _locked("requirements.txt")} == _locked("requirements.txt")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_locked_file_has_hashes_and_names_no_host(file: str) -> None:
    text = (ROOT / file).read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def _locked(file: str) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^ ;\\]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}
