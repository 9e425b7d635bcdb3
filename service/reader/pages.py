"""Which pages there are: the path of each, the document that it asks, and what of its address goes into that.

Knows neither HTTP nor markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from service.errors import BadRequest
from service.reader.parameters import Parameters, last_days

STORY_SORTS = {"trending": "TRENDING", "latest": "LATEST", "newest": "NEWEST", "covered": "MOST_COVERED"}
ARTICLE_SORTS = {
    "newest": "NEWEST",
    "oldest": "OLDEST",
    "left-to-right": "LEFT_TO_RIGHT",
    "right-to-left": "RIGHT_TO_LEFT",
}
OUTLET_SORTS = {
    "articles": "MOST_ARTICLES",
    "name": "NAME",
    "left-to-right": "LEFT_TO_RIGHT",
    "right-to-left": "RIGHT_TO_LEFT",
}
SEARCH_SORTS = {"relevance": "RELEVANCE", **STORY_SORTS}
SIDES = {"left": "LEFT", "center": "CENTER", "right": "RIGHT"}
BLIND = {"left": "LEFT", "right": "RIGHT"}
MEDIUMS = {
    "any": None,
    "website": "WEBSITE",
    "newspaper": "NEWSPAPER",
    "magazine": "MAGAZINE",
    "television": "TELEVISION",
    "radio": "RADIO",
    "news-agency": "NEWS_AGENCY",
    "organization": "ORGANIZATION",
    "journal": "JOURNAL",
    "other": "OTHER",
}
DAYS = {"7": 7, "30": 30, "90": 90, "365": 365}
MOST_COMPARED = 10

Variables = dict[str, Any]


class Asked(NamedTuple):
    """What a page asks: a document with variables, the template that shows the answer, and what it is told beside."""

    document: str
    variables: Variables
    template: str
    told: Mapping[str, Any]
    subject: str | None = None
    """The root field that there must be, or the page is not."""


class Page(NamedTuple):
    """A page by its path; `ask` raises BadRequest."""

    path: str
    ask: Callable[[str, Parameters], Asked]


def _now() -> datetime:
    return datetime.now(UTC)


def _front(_: str, given: Parameters) -> Asked:
    sort, after = given.choice("sort", STORY_SORTS, "trending"), given.cursor()
    return Asked("ReaderFront", {"sort": sort, "after": after}, "front.html", {"sort": sort, "after": after})


def _story(slug: str, given: Parameters) -> Asked:
    side = given.choice("side", {"all": None, **SIDES}, "all")
    sort, after = given.choice("sort", ARTICLE_SORTS, "newest"), given.cursor()
    variables: Variables = {"slug": slug, "sort": sort, "after": after, "interval": "HOUR"}
    if side:
        variables["sides"] = [side]
    return Asked("StoryPage", variables, "story.html", {"side": side, "sort": sort, "after": after}, "story")


def _topic(slug: str, given: Parameters) -> Asked:
    sort, after = given.choice("sort", STORY_SORTS, "latest"), given.cursor()
    told = {"sort": sort, "after": after}
    return Asked("ReaderTopic", {"topic": slug, **told}, "topic.html", told, "topic")


def _place(slug: str, given: Parameters) -> Asked:
    sort, after = given.choice("sort", STORY_SORTS, "latest"), given.cursor()
    told = {"sort": sort, "after": after}
    return Asked("ReaderPlace", {"place": slug, **told}, "place.html", told, "place")


def _topic_coverage(slug: str, given: Parameters) -> Asked:
    days = given.choice("days", DAYS, "30")
    interval = "WEEK" if days > 90 else "DAY"
    variables: Variables = {"topic": slug, "published": last_days(days, _now()), "interval": interval}
    told = {"days": days, "interval": interval, "window": variables["published"]}
    return Asked("ReaderTopicCoverage", variables, "coverage.html", told, "topic")


def _search(_: str, given: Parameters) -> Asked:
    words = given.text("q")
    if words is None:
        return Asked("ReaderSubjects", {}, "subjects.html", {})
    sort, after = given.choice("sort", SEARCH_SORTS, "relevance"), given.cursor()
    variables: Variables = {"search": words, "sort": sort, "after": after}
    return Asked("ReaderSearch", variables, "search.html", {"words": words, "sort": sort, "after": after})


def _blindspots(_: str, given: Parameters) -> Asked:
    side, after = given.choice("side", BLIND, "left"), given.cursor()
    told = {"side": side, "after": after}
    return Asked("ReaderBlindspots", dict(told), "blindspots.html", told)


def _outlets(_: str, given: Parameters) -> Asked:
    side = given.choice("side", {"all": None, **SIDES, "unrated": "UNRATED"}, "all")
    medium, prefix = given.choice("medium", MEDIUMS, "any"), given.text("prefix")
    country = given.text("country", 2)
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise BadRequest("`country` must be the two letters of ISO 3166, such as GB.")
    sort, after = given.choice("sort", OUTLET_SORTS, "articles"), given.cursor()
    conditions: dict[str, Any] = {
        "unrated": True if side == "UNRATED" else None,
        "sides": [side] if side and side != "UNRATED" else None,
        "mediums": [medium] if medium else None,
        "countries": [country.upper()] if country else None,
        "prefix": prefix,
    }
    conditions = {name: value for name, value in conditions.items() if value is not None}
    variables: Variables = {"filter": conditions, "sort": sort, "after": after}
    shown = {"side": side, "medium": medium, "country": country, "prefix": prefix}
    return Asked("ReaderOutlets", variables, "outlets.html", {**shown, "sort": sort, "after": after})


def _outlet(slug: str, given: Parameters) -> Asked:
    window, after = last_days(30, _now()), given.cursor()
    variables: Variables = {"outlet": slug, "published": window, "after": after}
    return Asked("ReaderOutlet", variables, "outlet.html", {"after": after, "window": window}, "outlet")


def _compare(_: str, given: Parameters) -> Asked:
    domains = given.several("outlets", MOST_COMPARED)
    days = given.choice("days", DAYS, "30")
    if len(domains) < 2:
        return Asked("ReaderOutlets", {}, "choose.html", {"chosen": domains, "days": days})
    window = last_days(days, _now())
    told = {"domains": domains, "days": days, "window": window}
    return Asked("ReaderCompare", {"domains": domains, "published": window}, "compare.html", told)


PAGES = (
    Page("/", _front),
    Page("/stories/{slug}", _story),
    Page("/topics/{slug}", _topic),
    Page("/topics/{slug}/coverage", _topic_coverage),
    Page("/places/{slug}", _place),
    Page("/search", _search),
    Page("/blindspots", _blindspots),
    Page("/outlets", _outlets),
    Page("/outlets/{slug}", _outlet),
    Page("/compare", _compare),
)
