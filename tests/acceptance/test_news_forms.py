"""Articles and stories as ninjs and as schema.org has them, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.conftest import Serve
from tests.acceptance.documents import answered
from tests.acceptance.rest import problem

pytestmark = pytest.mark.any_engine

BASE = "https://news.example"
TEXT = {"type": "string", "minLength": 1}
URL = {"type": "string", "pattern": "^https?://[^ ]+$"}
WHEN = {"type": "string", "format": "date-time"}


def _objects(required: list[str], **properties: Any) -> dict[str, Any]:
    items = {"type": "object", "required": required, "properties": properties, "additionalProperties": False}
    return {"type": "array", "items": items}


_CONCEPTS = _objects(["name", "uri"], name=TEXT, rel=TEXT, uri=URL)
_NINJS: dict[str, Any] = {
    "uri": {"type": "string", "pattern": "^tag:news\\.example,2026:(articles|stories)/"},
    "type": {"enum": ["text", "audio", "video", "picture", "graphic", "composite", "component"]},
    "representationtype": {"enum": ["full", "partial"]},
    "firstcreated": WHEN,
    "versioncreated": WHEN,
    "contentcreated": WHEN,
    "language": TEXT,
    "by": TEXT,
    "headlines": _objects(["value"], role=TEXT, contenttype=TEXT, value=TEXT),
    "descriptions": _objects(["value"], role=TEXT, contenttype=TEXT, value=TEXT),
    "renditions": _objects(["name"], name=TEXT, href=URL),
    "genres": _objects([], name=TEXT, uri=URL),
    "infosources": _objects([], name=TEXT, uri=URL),
    "altids": _objects([], role=TEXT, value=TEXT),
    "subjects": _CONCEPTS,
    "places": _CONCEPTS,
}
NINJS: dict[str, Any] = {
    "type": "object",
    "required": ["uri", "standard"],
    "properties": {
        **_NINJS,
        "standard": {"const": {
            "name": "ninjs", "version": "2.1", "schema": "https://iptc.org/std/ninjs/ninjs-schema_2.1.json",
        }},
        "associations": {"type": "array", "items": {
            "type": "object",
            "required": ["name", "uri"],
            "properties": {"name": TEXT, **_NINJS},
            "additionalProperties": False,
        }},
    },
    "additionalProperties": False,
}  # fmt: skip
"""What the schema of ninjs 2.1 says of the properties that are used here; it allows no others either."""


def _thing(kinds: list[str], **properties: Any) -> dict[str, Any]:
    told = {"@type": {"enum": kinds}, "name": TEXT, "url": URL, **properties}
    return {"type": "object", "required": ["@type"], "properties": told, "additionalProperties": False}


_KINDS = ["NewsArticle", "OpinionNewsArticle", "AnalysisNewsArticle"]
_ARTICLE: dict[str, Any] = {
    "@type": {"enum": _KINDS},
    "@id": URL,
    "url": URL,
    "identifier": TEXT,
    "mainEntityOfPage": URL,
    "headline": TEXT,
    "description": TEXT,
    "abstract": TEXT,
    "author": {"type": "array", "items": _thing(["Person"])},
    "image": URL,
    "inLanguage": TEXT,
    "datePublished": WHEN,
    "dateModified": WHEN,
    "isAccessibleForFree": {"type": "boolean"},
    "publisher": _thing(["NewsMediaOrganization", "Organization"]),
    "about": {"type": "array", "items": _thing(["Thing"])},
    "contentLocation": {"type": "array", "items": _thing(["Place"])},
    "isPartOf": _thing(["NewsArticle"], **{"@id": URL, "headline": TEXT}),
}
_PART: dict[str, Any] = {
    "type": "object",
    "required": ["@type", "@id", "headline", "datePublished", "publisher"],
    "properties": _ARTICLE,
    "additionalProperties": False,
}
NEWS_ARTICLE: dict[str, Any] = {
    **_PART,
    "required": [*_PART["required"], "@context"],
    "properties": {
        **_ARTICLE,
        "@context": {"const": "https://schema.org"},
        "hasPart": {"type": "array", "items": _PART},
    },
}
"""What https://schema.org/NewsArticle says of the properties that are used here."""

FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "ninjs": ("application/json", NINJS),
    "newsarticle": ("application/ld+json", NEWS_ARTICLE),
}


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(demo_database, allowances="off", public_url=BASE) as client:
        yield client


async def told(client: httpx.AsyncClient, path: str, form: str) -> dict[str, Any]:
    """What is answered in a form, which fits what is written of it."""
    response = await client.get(f"{path}/{form}")
    content_type, schema = FORMS[form]
    assert (response.status_code, response.headers["content-type"]) == (200, content_type), response.text
    validator: Any = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())] == []
    return response.json()


@pytest.mark.parametrize("form", FORMS)
async def test_stories_fit_the_standard(demo: httpx.AsyncClient, form: str) -> None:
    query = "{ stories(first: 40) { nodes { slug title articles(first: 50) { nodes { title } } } } }"
    data = answered(await demo.post("/graphql", json={"query": query}))
    for story in data["stories"]["nodes"]:
        found = await told(demo, f"/v1/stories/{story['slug']}", form)
        title = found["headline"] if form == "newsarticle" else found["headlines"][0]["value"]
        parts = found["hasPart"] if form == "newsarticle" else found["associations"]
        titles = [each["headline"] if form == "newsarticle" else each["name"] for each in parts]
        assert (title, titles) == (story["title"], [each["title"] for each in story["articles"]["nodes"]])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["NEWS", "OPINION", "ANALYSIS"])
async def test_articles_fit_the_standard(demo: httpx.AsyncClient, form: str, kind: str) -> None:
    query = f"{{ articles(first: 20, filter: {{kinds: [{kind}]}}) {{ nodes {{ id url title authors paywalled }} }} }}"
    data = answered(await demo.post("/graphql", json={"query": query}))
    assert data["articles"]["nodes"]
    for article in data["articles"]["nodes"]:
        found = await told(demo, f"/v1/articles/{article['id']}", form)
        if form == "ninjs":
            assert found["headlines"] == [{"role": "main", "value": article["title"]}]
            assert found["altids"] == [{"role": "canonical", "value": article["url"]}]
            assert found.get("by", "") == ", ".join(article["authors"])
        else:
            assert (found["headline"], found["url"]) == (article["title"], article["url"])
            assert found["@type"] == {"NEWS": "", "OPINION": "Opinion", "ANALYSIS": "Analysis"}[kind] + "NewsArticle"
            free = None if article["paywalled"] is None else not article["paywalled"]
            assert found.get("isAccessibleForFree") == free
            assert found["isPartOf"]["url"].startswith(f"{BASE}/stories/")


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_not_there_is_a_problem(demo: httpx.AsyncClient, form: str) -> None:
    problem(await demo.get(f"/v1/stories/no-such/{form}"), 404, "NOT_FOUND")
    problem(await demo.get(f"/v1/articles/no-such/{form}"), 404, "NOT_FOUND")
    problem(await demo.post(f"/v1/articles/no-such/{form}"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("form", FORMS)
async def test_who_has_it_is_told_so(demo: httpx.AsyncClient, form: str) -> None:
    data = answered(await demo.post("/graphql", json={"query": "{ stories(first: 1) { nodes { slug } } }"}))
    path = f"/v1/stories/{data['stories']['nodes'][0]['slug']}/{form}"
    etag = (await demo.get(path)).headers["etag"]
    assert (await demo.get(path, headers={"if-none-match": etag})).status_code == 304
