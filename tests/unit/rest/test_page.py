"""docs/rest.md cannot lie."""

from __future__ import annotations

import re
from pathlib import Path

from schema import schema
from service.documents import read_registered
from service.errors import BadUserInput, CursorExpired
from service.planner import Planner
from service.rest.openapi import PROBLEMS, openapi
from service.rest.routes import describe

PLANNER = Planner(schema)
PAGE = (Path(__file__).parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")
ROUTES = describe(read_registered(PLANNER), PLANNER.schema)
DESCRIBED = {each.document.route.path: each for each in ROUTES if each.document.route}
OF_PAGES = {"first", "after", "total"}


def test_the_page_tells_of_each_path_with_its_parameters() -> None:
    told = dict(re.findall(r"^\| `(/v1/\S+)` \| [^|]* \|(.*)\|$", PAGE, re.MULTILINE))
    assert set(told) == set(DESCRIBED)
    for path, text in told.items():
        names: list[str] = []
        for name in re.findall(r"`(\S+)`", text):
            names.append(names[-1].replace("After", "Before") if name == "…Before" else name)
        beside = [each for each in DESCRIBED[path].parameters.listed if not each.in_path and each.name not in OF_PAGES]
        assert sorted(names) == sorted(each.name for each in beside), path
        assert set(re.findall(r"\*\*`(\w+)`\*\*", text)) == {each.name for each in beside if each.required}, path


def test_the_page_tells_of_each_error() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \| (.*?) \|", PAGE, re.MULTILINE)
    assert {status for row, _ in rows for status in row.split(", ")} == set(PROBLEMS)
    codes = {code for _, row in rows for code in re.findall(r"`([A-Z_]+)`", row)}
    assert {each.code for each in PROBLEMS.values()} | {BadUserInput.code, CursorExpired.code} <= codes


def test_the_path_of_ones_own_is_a_path(tmp_path: Path) -> None:
    [text] = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "ListRelatedStories.graphql").write_text(text)
    document = openapi(describe(read_registered(PLANNER, tmp_path), PLANNER.schema), None, 100)
    operation = document["paths"]["/v1/stories/{slug}/related"]["get"]
    assert [each["name"] for each in operation["parameters"]] == ["slug", "first"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(answer["properties"]) == ["items"]
    assert "404" in operation["responses"]
