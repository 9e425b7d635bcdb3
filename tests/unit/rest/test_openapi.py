from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from graphql import GraphQLScalarType, is_specified_scalar_type
from jsonschema import Draft202012Validator

from schema import schema
from service.documents import BrokenDocuments, read_registered
from service.export import exports_described
from service.feeds import feeds_described
from service.planner import Planner
from service.rest.json_schemas import SCALARS
from service.rest.openapi import HEADERS, openapi
from service.rest.routes import describe, rest_routes
from service.settings import Settings

PLANNER = Planner(schema)


def told(folder: Path | None = None, public_url: str | None = None) -> dict[str, Any]:
    documents = read_registered(PLANNER, folder)
    beside = (
        [] if folder else [*exports_described(documents, PLANNER.schema), *feeds_described(documents, PLANNER.schema)]
    )
    return openapi(describe(documents, PLANNER.schema), public_url, 1_000, beside)


DOCUMENT = told()
NDJSON, CSV = "application/x-ndjson", "text/csv"
FEEDS = ["application/rss+xml", "application/atom+xml", "application/feed+json"]
BESIDE: dict[str, tuple[list[str], list[str]]] = {
    "/v1/export/articles.{format}": ([NDJSON, CSV], ["format"]),
    "/v1/export/stories.{format}": ([NDJSON, CSV], ["format"]),
    "/v1/articles/{id}/ninjs": (["application/json"], ["id"]),
    "/v1/stories/{slug}/ninjs": (["application/json"], ["slug"]),
    "/v1/articles/{id}/newsarticle": (["application/ld+json"], ["id"]),
    "/v1/stories/{slug}/newsarticle": (["application/ld+json"], ["slug"]),
    "/feeds": (["text/x-opml"], []),
    "/feeds/latest.{format}": (FEEDS, ["format"]),
    "/feeds/blindspots/{side}.{format}": (FEEDS, ["side", "format"]),
    "/feeds/topics/{slug}.{format}": (FEEDS, ["slug", "format"]),
    "/feeds/places/{slug}.{format}": (FEEDS, ["slug", "format"]),
    "/feeds/outlets/{slug}.{format}": (FEEDS, ["slug", "format"]),
}
"""The paths that are none of documents' own, with their media types and what stands in them."""


def written(folder: Path, **documents: str) -> dict[str, Any]:
    for name, text in documents.items():
        (folder / f"{name}.graphql").write_text(text)
    return told(folder)


def answer_of(document: dict[str, Any], path: str) -> Any:
    return document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def test_the_document_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    for each in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(each)


def test_every_document_with_a_route_is_an_operation() -> None:
    routed = {each.route.path: each.name for each in read_registered(PLANNER) if each.route}
    ids = {path: item["get"]["operationId"] for path, item in DOCUMENT["paths"].items() if path not in BESIDE}
    assert ids == {path: name[0].lower() + name[1:] for path, name in routed.items()}
    assert list(ids) == sorted(ids, key=lambda path: path.replace("{", "~"))


def test_every_scalar_has_a_schema() -> None:
    scalars = (each for each in PLANNER.schema.type_map.values() if isinstance(each, GraphQLScalarType))
    names = {each.name for each in scalars if not is_specified_scalar_type(each)}
    assert names | {"Int", "Float", "String", "ID", "Boolean"} == set(SCALARS)


def test_parameters_have_types_bounds_defaults_and_what_they_need() -> None:
    found = {each["name"]: each for each in DOCUMENT["paths"]["/v1/stories/{slug}/articles"]["get"]["parameters"]}
    assert found["slug"] == {
        "name": "slug",
        "in": "path",
        "required": True,
        "description": "Its `slug`.",
        "schema": {"type": "string", "minLength": 1},
        "example": "ferry-and-harbor-crews-end-19-day-strike-at-port-ellery-after-all-night-talks-1xmpe25q",
    }
    size = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 1_000, "default": 20}
    assert found["first"]["schema"] == size
    assert found["sort"]["schema"] == {"$ref": "#/components/schemas/StoryArticleSort", "default": "NEWEST"}
    assert found["publishedAfter"]["schema"] == {"type": "string", "format": "date-time"}
    sides = found["sides"]
    side = {"$ref": "#/components/schemas/Side"}
    assert sides["schema"] == {"type": "array", "items": side, "minItems": 1, "maxItems": 5_000}
    assert (sides["style"], sides["explode"], sides["required"]) == ("form", False, False)
    assert found["factuality"]["description"].endswith("Needs the feature FACTUALITY.")
    compared = {each["name"]: each["required"] for each in DOCUMENT["paths"]["/v1/compare"]["get"]["parameters"]}
    assert compared == {"outlets": True, "publishedAfter": True, "publishedBefore": False}


def test_schemas_say_what_may_be_null_or_missing(tmp_path: Path) -> None:
    text = """
    # A story.
    # GET /v1/it/{slug}
    query A($slug: String!, $more: Boolean! = false) {
      story(by: {slug: $slug}) {
        name: title
        summary
        topics { slug }
        firstArticle { kind language }
        coverage { blindspot { side } bias { mean } }
        ... @include(if: $more) { keyPoints }
        title @skip(if: $more)
      }
    }
    """
    document = written(tmp_path, A="\n".join(line.removeprefix("    ") for line in text.strip().splitlines()))
    schema_of = answer_of(document, "/v1/it/{slug}")
    assert schema_of["required"] == ["name", "summary", "topics", "firstArticle", "coverage"]
    properties = schema_of["properties"]
    assert properties["name"]["type"] == "string"
    assert properties["summary"]["type"] == ["string", "null"]
    assert properties["topics"]["items"]["required"] == ["slug"]
    assert properties["firstArticle"]["type"] == ["object", "null"]
    assert properties["firstArticle"]["properties"]["kind"]["$ref"] == "#/components/schemas/ArticleKind"
    coverage = properties["coverage"]["properties"]
    assert coverage["blindspot"]["type"] == ["object", "null"]
    assert coverage["bias"]["properties"]["mean"]["type"] == ["number", "null"]
    assert "404" in document["paths"]["/v1/it/{slug}"]["get"]["responses"]


def test_an_enum_that_may_be_null_is_its_schema_or_null() -> None:
    side = DOCUMENT["components"]["schemas"]["OutletInShort"]["properties"]["side"]
    assert side["anyOf"] == [{"$ref": "#/components/schemas/Side"}, {"type": "null"}]


def test_a_union_is_told_apart_by_the_name_of_its_type() -> None:
    factuality = DOCUMENT["components"]["schemas"]["StoryCoverage"]["properties"]["factuality"]
    names = ["FactualityDistribution", "Withheld"]
    assert factuality["oneOf"] == [{"$ref": f"#/components/schemas/{name}"} for name in names]
    assert factuality["discriminator"]["propertyName"] == "type"
    assert factuality["discriminator"]["mapping"]["UpgradeRequired"] == "#/components/schemas/Withheld"
    withheld = DOCUMENT["components"]["schemas"]["Withheld"]
    assert withheld["properties"]["type"] == {"type": "string", "const": "UpgradeRequired"}


def test_a_union_without_the_name_of_its_type_is_any_of_what_is_selected(tmp_path: Path) -> None:
    gated = "factuality { ... on FactualityRating { score } ... on UpgradeRequired { tier } }"
    text = f"# GET /v1/it/{{slug}}\nquery A($slug: String!) {{ outlet(by: {{slug: $slug}}) {{ id {gated} }} }}"
    told = answer_of(written(tmp_path, A=text), "/v1/it/{slug}")["properties"]["factuality"]
    assert [list(each["properties"]) for each in told["anyOf"]] == [["score"], ["tier"]]


def test_an_answer_that_cannot_be_missing_is_never_not_found() -> None:
    missing = {path for path, item in DOCUMENT["paths"].items() if "404" in item["get"]["responses"]}
    assert missing == {path for path in DOCUMENT["paths"] if "{" in path}


def test_what_is_answered_beside_documents_of_routes_is_told() -> None:
    assert set(DOCUMENT["paths"]) - {each.route.path for each in read_registered(PLANNER) if each.route} == set(BESIDE)
    for path, (types, parameters) in BESIDE.items():
        told = DOCUMENT["paths"][path]["get"]
        assert list(told["responses"]["200"]["content"]) == types
        given = {each["name"] for each in told.get("parameters", ()) if each["in"] == "path"}
        assert given == set(parameters)
        assert len(told["summary"]) > 10


def test_an_export_takes_what_its_list_takes_but_for_sizes() -> None:
    for kind in ("articles", "stories"):
        taken, listed = (
            {
                each["name"]: {key: value for key, value in each.items() if key != "example"}
                for each in DOCUMENT["paths"][path]["get"]["parameters"]
                if each["in"] == "query"
            }
            for path in (f"/v1/export/{kind}.{{format}}", f"/v1/{kind}")
        )
        assert taken == {name: each for name, each in listed.items() if name not in ("first", "total")}


def test_a_line_of_an_export_is_told() -> None:
    line = DOCUMENT["paths"]["/v1/export/articles.{format}"]["get"]["responses"]["200"]["content"][NDJSON][
        "x-itemSchema"
    ]
    assert line["required"][:3] == ["cursor", "id", "url"]
    assert line["properties"]["outlet"]["properties"]["domain"]["type"] == "string"


def test_pages_link_to_the_next() -> None:
    linked = {path for path, item in DOCUMENT["paths"].items() if "Link" in item["get"]["responses"]["200"]["headers"]}
    lists = {path for path, item in DOCUMENT["paths"].items() if item["get"]["operationId"].startswith("list")}
    assert linked == lists


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.update(each for key, each in value.items() if key == "$ref")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            for each in value.values():  # pyright: ignore[reportUnknownVariableType]
                look(each)
        elif isinstance(value, list):
            for each in value:  # pyright: ignore[reportUnknownVariableType]
                look(each)

    look(DOCUMENT)
    components = DOCUMENT["components"]
    kinds = ("schemas", "headers", "responses")
    assert found == {f"#/components/{kind}/{name}" for kind in kinds for name in components[kind]}
    assert set(components["headers"]) == set(HEADERS)


def test_fragments_of_one_name_must_be_alike(tmp_path: Path) -> None:
    document = "# GET /v1/{path}\nquery {name} {{ topics {{ items: nodes {{ ...T }} pageInfo {{ endCursor }} }} }}"
    document += "\nfragment T on Topic {{ {fields} }}"
    with pytest.raises(BrokenDocuments, match="fragments T that are not alike"):
        written(
            tmp_path,
            A=document.format(path="a", name="A", fields="id"),
            B=document.format(path="b", name="B", fields="slug"),
        )


def test_a_fragment_has_no_name_that_is_that_of_another_schema(tmp_path: Path) -> None:
    document = "# GET /v1/it\nquery A {{ topics {{ items: nodes {{ ...{0} }} }} }}\nfragment {0} on Topic {{ id }}"
    for name in ("Problem", "Side"):
        with pytest.raises(BrokenDocuments, match=f"A: a fragment {name} would"):
            written(tmp_path, A=document.format(name))


def test_the_document_is_made_for_whoever_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("service.rest.routes.openapi", made.append)
    rest_routes(cast("Any", None), read_registered(PLANNER), PLANNER.schema, Settings())
    assert made == []


def test_the_server_is_where_callers_reach_it() -> None:
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert told(public_url="https://news.example")["servers"] == [{"url": "https://news.example"}]
