from __future__ import annotations

from pathlib import Path

import pytest

from schema import schema
from service.documents import BrokenDocuments, Route, read_registered
from service.documents.routes import heading_of
from service.planner import Planner

STORY = "story(by: {slug: $slug}) { id }"


def broken(folder: Path) -> list[str]:
    with pytest.raises(BrokenDocuments) as wrong:
        read_registered(Planner(schema), folder)
    return str(wrong.value).splitlines()


def test_a_document_tells_its_route_and_what_it_is_about_in_its_first_comment(tmp_path: Path) -> None:
    text = f"# A story,\n# in short.\n# GET /v1/stories/{{slug}}\nquery A($slug: String!) {{ {STORY} }}\n# GET /v1/no\n"
    (tmp_path / "A.graphql").write_text(text)
    (document,) = read_registered(Planner(schema), tmp_path)
    assert document.route
    assert document.route == Route("/v1/stories/{slug}")
    assert document.route.parameters == ["slug"]
    assert document.about == "A story, in short."


def test_a_document_without_a_route_has_none(tmp_path: Path) -> None:
    (tmp_path / "A.graphql").write_text("query A { __typename }")
    (document,) = read_registered(Planner(schema), tmp_path)
    assert (document.route, document.about) == (None, "")
    assert heading_of("\n# GET /v1/a\n").routes == ()


@pytest.mark.parametrize(
    ("route", "query", "told"),
    [
        ("/v1/stories/{id}", f"query A($slug: String!) {{ {STORY} }}", "names {id}, which is no variable of A"),
        ("/v1/{slug}/{slug}", f"query A($slug: String!) {{ {STORY} }}", "names {slug} twice"),
        ("/v1/a/{first}", "query A($first: Int) { topics(first: $first) { nodes { id } } }", "must be one value, and"),
        ("/v1/a/{ids}", "query A($ids: [ID!]!) { nodes(ids: $ids) { id } }", "which is [ID!]!: it must be one value"),
        ("/v1/a", "query A($f: StoryFilter) { stories(filter: $f) { nodes { id } } }", "$f is StoryFilter, which no"),
        ("/v1/a", "query A { viewer { tier { name } } service { version } }", "needs a query of one root field"),
        ("/v1/a", "query A { ... on Query { service { version } } }", "needs a query of one root field"),
        ("/v1/a", "subscription A { storyChanged { cursor } }", "needs a query of one root field"),
        ("/v2/a", "query A { service { version } }", "must be /v1/ and words"),
        ("/v1", "query A { service { version } }", "must be /v1/ and words"),
        ("/v1/A", "query A { service { version } }", "must be /v1/ and words"),
        ("/v1/a/", "query A { service { version } }", "must be /v1/ and words"),
        ("/v1/a{slug}", f"query A($slug: String!) {{ {STORY} }}", "must be /v1/ and words"),
        ("/v1/openapi.json", "query A { service { version } }", "must be /v1/ and words"),
        ("", "query A { service { version } }", "must be /v1/ and words"),
    ],
)
def test_a_route_that_cannot_be_answered_stops_the_start(tmp_path: Path, route: str, query: str, told: str) -> None:
    (tmp_path / "A.graphql").write_text(f"# What it is.\n# GET {route}\n{query}")
    (line,) = broken(tmp_path)
    assert line.startswith(f"{tmp_path}/A.graphql:2: ")
    assert told in line


def test_a_document_has_one_route(tmp_path: Path) -> None:
    (tmp_path / "A.graphql").write_text("# GET /v1/a\n# GET /v1/b\nquery A { service { version } }")
    told = f"{tmp_path}/A.graphql:2: the document has a route already; /v1/b needs a document of its own"
    assert broken(tmp_path) == [told]


def test_two_documents_cannot_answer_one_path(tmp_path: Path) -> None:
    for name, variable in (("A", "slug"), ("B", "name"), ("C", "slug")):
        route = f"/v1/{'topics' if name == 'C' else 'stories'}/{{{variable}}}"
        text = f"# GET {route}\nquery {name}(${variable}: String!) {{ story(by: {{slug: ${variable}}}) {{ id }} }}"
        (tmp_path / f"{name}.graphql").write_text(text)
    (told,) = broken(tmp_path)
    assert told.startswith(f"{tmp_path}/B.graphql: the route /v1/stories/{{name}} is that of {tmp_path}/A.graphql")
