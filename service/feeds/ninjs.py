"""Articles and stories as IPTC ninjs 2.1 (https://iptc.org/std/ninjs/ninjs-schema_2.1.json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from service.feeds.entries import segment, tag

CONTENT_TYPE = b"application/json"
ENDING = "ninjs"
STANDARD = {
    "name": "ninjs",
    "version": "2.1",
    "schema": "https://iptc.org/std/ninjs/ninjs-schema_2.1.json",
}
_GENRES = "http://cv.iptc.org/newscodes/genre/"
_GENRE_OF = {"NEWS": ("Current", "Current"), "OPINION": ("Opinion", "Opinion"), "ANALYSIS": ("Analysis", "Analysis")}
"""IPTC's code and name of the genre that each kind of article is."""


def article(found: Mapping[str, Any], base: str) -> bytes:
    """An article, with the topics and places of its story."""
    return orjson.dumps({"standard": STANDARD, **_article(found, base), **_about(found["story"], base)})


def story(found: Mapping[str, Any], base: str) -> bytes:
    """A story as what is composed of its newest articles."""
    described = [("summary", found["summary"]), *(("keypoint", each) for each in found["keyPoints"])]
    return orjson.dumps(
        {
            "standard": STANDARD,
            "uri": tag(base, f"stories/{segment(found['id'])}"),
            "type": "composite",
            "representationtype": "partial",
            "firstcreated": found["firstPublishedAt"],
            "versioncreated": found["updatedAt"],
            "headlines": [{"role": "main", "value": found["title"]}],
            **_given("descriptions", [_text(role, value) for role, value in described if value]),
            **_given("renditions", _image(found["imageUrl"])),
            **_about(found, base),
            "altids": [{"role": "page", "value": f"{base}/stories/{segment(found['slug'])}"}],
            "associations": [{"name": each["title"], **_article(each, base)} for each in found["articles"]["nodes"]],
        }
    )


def _article(found: Mapping[str, Any], base: str) -> dict[str, Any]:
    outlet, (code, genre) = found["outlet"], _GENRE_OF[found["kind"]]
    return {
        "uri": tag(base, f"articles/{segment(found['id'])}"),
        "type": "text",
        "representationtype": "partial",
        "firstcreated": found["publishedAt"],
        "versioncreated": found["updatedAt"],
        "contentcreated": found["publishedAt"],
        "headlines": [{"role": "main", "value": found["title"]}],
        **_given("language", found["language"]),
        **_given("by", ", ".join(found["authors"])),
        **_given("descriptions", [_text("excerpt", found["excerpt"])] if found["excerpt"] else None),
        **_given("renditions", _image(found["imageUrl"])),
        "genres": [{"name": genre, "uri": f"{_GENRES}{code}"}],
        "infosources": [{"name": outlet["name"], "uri": f"{base}/outlets/{segment(outlet['slug'])}"}],
        "altids": [{"role": "canonical", "value": found["url"]}],
    }


def _about(found: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The topics and places of a story."""
    topics = [_concept(each, f"{base}/topics/") for each in found["topics"]]
    places = [_concept(each, f"{base}/places/") for each in found["places"]]
    return {**_given("subjects", topics), **_given("places", places)}


def _concept(found: Mapping[str, Any], under: str) -> dict[str, Any]:
    return {"name": found["name"], "rel": "about", "uri": under + segment(found["slug"])}


def _text(role: str, value: str) -> dict[str, str]:
    return {"role": role, "contenttype": "text/plain", "value": value}


def _image(url: str | None) -> list[dict[str, str]]:
    return [{"name": "image", "href": url}] if url else []


def _given(name: str, value: Any) -> dict[str, Any]:
    """A property that is left out where there is nothing to tell."""
    return {name: value} if value else {}
