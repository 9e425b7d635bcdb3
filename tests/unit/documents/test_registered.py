from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from schema import schema
from service.app import create_app
from service.cli import main
from service.doctor import Finding, examine_documents
from service.documents import BrokenDocuments, read_registered
from service.documents.registered import FOLDER
from service.events import ignore
from service.planner import Planner
from service.settings import Settings

ROOT = Path(__file__).parents[3]


def broken(folder: Path) -> list[str]:
    with pytest.raises(BrokenDocuments) as wrong:
        read_registered(Planner(schema), folder)
    return str(wrong.value).splitlines()


def test_every_document_shipped_fits_the_schema_and_the_limits() -> None:
    registered = read_registered(Planner(schema))
    assert [each.name for each in registered] == sorted(file.stem for file in FOLDER.glob("*.graphql"))
    assert {"StoryPage", "FrontPage", "OutletPage"} <= {each.name for each in registered}


def test_an_id_is_the_sha256_of_the_file() -> None:
    for each in read_registered(Planner(schema)):
        assert each.id == hashlib.sha256((FOLDER / f"{each.name}.graphql").read_bytes()).hexdigest()


def test_the_documentation_names_each_document_with_its_id() -> None:
    """Clients hold on to ids: who changes a document sees here that it gets another."""
    page = (ROOT / "docs" / "documents.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| `([0-9a-f]{64})` \|$", page, re.MULTILINE))
    assert told == {each.name: each.id for each in read_registered(Planner(schema))}


def test_a_broken_document_is_told_with_file_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / "Good.graphql").write_text("query Good { __typename }")
    (tmp_path / "Unknown.graphql").write_text("query Unknown {\n  nothing\n  __typename\n}")
    (tmp_path / "Unfinished.graphql").write_text("query Unfinished {\n\n")
    assert broken(tmp_path) == [
        f"{tmp_path}/Unfinished.graphql:3:1: Syntax Error: Expected Name, found <EOF>.",
        f"{tmp_path}/Unknown.graphql:2:3: Cannot query field 'nothing' on type 'Query'.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"query B { __typename }", "it must hold one operation, named A; it holds B"),
        (b"{ __typename }", "it holds one without a name"),
        (b"query A { __typename } query B { __typename }", "it holds A, B"),
        (b"query A { __typename } # \xff", "it is not UTF-8: invalid start byte at byte 25"),
        (b"", "Unexpected <EOF>"),
    ],
)
def test_a_file_holds_one_operation_of_its_name(tmp_path: Path, text: bytes, told: str) -> None:
    (tmp_path / "A.graphql").write_bytes(text)
    (line,) = broken(tmp_path)
    assert line.startswith(f"{tmp_path}/A.graphql:")
    assert told in line


def test_a_broken_document_stops_the_start_and_every_command_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "A.graphql").write_text("query A { nothing }")
    monkeypatch.setattr("service.documents.registered.FOLDER", tmp_path)
    told = f"{tmp_path}/A.graphql:1:11: Cannot query field 'nothing' on type 'Query'."
    with pytest.raises(BrokenDocuments) as wrong:
        create_app(Settings(), "postgresql://127.0.0.1:1/nowhere", ignore)
    assert str(wrong.value) == told
    assert list(examine_documents()) == [Finding("documents", False, told)]
    outcome = CliRunner().invoke(main, ["documents"])
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"Error: {told}\n"


def test_the_program_lists_names_and_ids() -> None:
    listed = CliRunner().invoke(main, ["documents"]).stdout
    assert [tuple(line.split()) for line in listed.splitlines()] == [
        (each.name, f"sha256:{each.id}") for each in read_registered(Planner(schema))
    ]
