"""Articles and stories as schema.org has them (https://schema.org/NewsArticle), in JSON-LD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from service.feeds.entries import NAME, segment

CONTENT_TYPE = b"application/ld+json"
ENDING = "newsarticle"
_CONTEXT = "https://schema.org"
_TYPE_OF = {"NEWS": "NewsArticle", "OPINION": "OpinionNewsArticle", "ANALYSIS": "AnalysisNewsArticle"}


def article(found: Mapping[str, Any], base: str) -> bytes:
    """An article; those that argue or explain are of the types that schema.org has for these."""
    story = found["story"]
    whole = {"@type": "NewsArticle", "@id": _page(story, base), "url": _page(story, base), "headline": story["title"]}
    told = {"@context": _CONTEXT, **_article(found, base), **_about(story, base), "isPartOf": whole}
    return orjson.dumps(told)


def story(found: Mapping[str, Any], base: str) -> bytes:
    """A story as an article of this service whose parts are the newest that outlets published."""
    page = _page(found, base)
    told = {
        "@context": _CONTEXT,
        "@type": "NewsArticle",
        "@id": page,
        "url": page,
        "mainEntityOfPage": page,
        "headline": found["title"],
        "description": found["summary"],
        "abstract": "\n".join(found["keyPoints"]),
        "image": found["imageUrl"],
        "datePublished": found["firstPublishedAt"],
        "dateModified": found["updatedAt"],
        "publisher": {"@type": "Organization", "name": NAME, "url": f"{base}/"},
        **_about(found, base),
        "hasPart": [_article(each, base) for each in found["articles"]["nodes"]],
    }
    return orjson.dumps(_without_nothing(told))


def _article(found: Mapping[str, Any], base: str) -> dict[str, Any]:
    outlet = found["outlet"]
    told = {
        "@type": _TYPE_OF[found["kind"]],
        "@id": found["url"],
        "url": found["url"],
        "identifier": found["id"],
        "headline": found["title"],
        "description": found["excerpt"],
        "author": [{"@type": "Person", "name": each} for each in found["authors"]],
        "image": found["imageUrl"],
        "inLanguage": found["language"],
        "datePublished": found["publishedAt"],
        "dateModified": found["updatedAt"],
        "publisher": {
            "@type": "NewsMediaOrganization",
            "name": outlet["name"],
            "url": outlet["homepageUrl"] or f"{base}/outlets/{segment(outlet['slug'])}",
        },
    }
    told = _without_nothing(told)
    if found["paywalled"] is not None:
        told["isAccessibleForFree"] = not found["paywalled"]
    return told


def _about(story: Mapping[str, Any], base: str) -> dict[str, Any]:
    topics = [_thing("Thing", each, f"{base}/topics/") for each in story["topics"]]
    places = [_thing("Place", each, f"{base}/places/") for each in story["places"]]
    return _without_nothing({"about": topics, "contentLocation": places})


def _thing(kind: str, found: Mapping[str, Any], under: str) -> dict[str, str]:
    return {"@type": kind, "name": found["name"], "url": under + segment(found["slug"])}


def _page(story: Mapping[str, Any], base: str) -> str:
    return f"{base}/stories/{segment(story['slug'])}"


def _without_nothing(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value}
