"""A feed as a value, whatever it is written as, and how it comes of what a document answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from service.errors import NotFound
from service.http.forms import Data

NAME = "Parallax"
SINCE = "2026"
"""The year that tag URIs are minted of (RFC 4151): it is part of each, so it never changes."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated, which must be told and be the same each time."""

_NOT_IN_A_HOST = re.compile(r"[^a-z0-9.-]+", re.ASCII)


class Category(NamedTuple):
    """What an entry is about; `scheme` is the URL that such things are under."""

    term: str
    label: str
    scheme: str


class Entry(NamedTuple):
    """A story or an article. `url` is the page of its story, `source` where an article itself is published."""

    id: str
    title: str
    url: str
    text: str
    published: datetime
    updated: datetime
    categories: Sequence[Category] = ()
    authors: Sequence[str] = ()
    image: str | None = None
    language: str | None = None
    source: str | None = None


class Feed(NamedTuple):
    """Entries under a title; `path` is that of the feed without its ending, `url` that of the page of the same."""

    id: str
    title: str
    about: str
    path: str
    url: str
    entries: Sequence[Entry]

    @property
    def updated(self) -> datetime:
        return max((each.updated for each in self.entries), default=NEVER)


Reading = Callable[[Data, str], Feed]
"""Makes a feed of what its document answered, with links below a base URL. Raises NotFound."""


def latest(data: Data, base: str) -> Feed:
    """The latest stories."""
    entries = _stories(data, base)
    return _feed(base, "latest", "/", entries, title="Latest stories", about="The latest stories, with who covers them")


def topic(data: Data, base: str) -> Feed:
    """The latest stories of a topic."""
    return _under("topics", data["topic"], base)


def place(data: Data, base: str) -> Feed:
    """The latest stories of a place."""
    return _under("places", data["place"], base)


def blindspots(side: str) -> Reading:
    """The feed of stories that one side, `left` or `right`, hardly reports."""

    def read(data: Data, base: str) -> Feed:
        about = f"Stories that outlets on the {side} hardly report, and those on the other side widely do"
        entries, page = _stories(data, base), f"/blindspots?side={side}"
        return _feed(base, f"blindspots/{side}", page, entries, title=f"Blindspots: {side}", about=about)

    return read


def outlet(data: Data, base: str) -> Feed:
    """The newest articles of an outlet."""
    found = _there(data["outlet"])
    path, name = f"outlets/{segment(found['slug'])}", found["name"]
    entries = [_article(each, name, base) for each in found["articles"]["nodes"]]
    about = f"The newest articles of {name}, each with the story that it is part of"
    return _feed(base, path, f"/{path}", entries, title=name, about=about)


def tag(base: str, path: str) -> str:
    """An id that stays the same wherever the thing is moved to (RFC 4151); `path` is escaped as in a URL."""
    host = _NOT_IN_A_HOST.sub("-", urlsplit(base).hostname or "").strip("-.")
    return f"tag:{host},{SINCE}:{path}"


def segment(slug: str) -> str:
    """A slug as a part of a path."""
    return quote(slug, safe="")


def _under(kind: str, given: Mapping[str, Any] | None, base: str) -> Feed:
    found = _there(given)
    path, name = f"{kind}/{segment(found['slug'])}", found["name"]
    about = f"The latest stories: {name}, with who covers them"
    return _feed(base, path, f"/{path}", _stories(found, base), title=name, about=about)


def _feed(base: str, path: str, page: str, entries: Sequence[Entry], *, title: str, about: str) -> Feed:
    of = tag(base, f"feeds/{path}")
    return Feed(of, f"{NAME}: {title}", f"{about}.", f"/feeds/{path}", base + page, entries)


def _stories(data: Data, base: str) -> list[Entry]:
    return [_story(each, base) for each in data["stories"]["nodes"]]


def _story(story: Mapping[str, Any], base: str) -> Entry:
    places = [_category(each, base, "places") for each in story["places"]]
    return Entry(
        tag(base, f"stories/{segment(story['id'])}"),
        story["title"],
        f"{base}/stories/{segment(story['slug'])}",
        "\n\n".join(filter(None, (story["summary"], _coverage(story["coverage"])))),
        datetime.fromisoformat(story["firstPublishedAt"]),
        datetime.fromisoformat(story["updatedAt"]),
        [*(_category(each, base, "topics") for each in story["topics"]), *places],
        image=story["imageUrl"],
    )


def _article(article: Mapping[str, Any], outlet_name: str, base: str) -> Entry:
    story = article["story"]
    return Entry(
        tag(base, f"articles/{segment(article['id'])}"),
        article["title"],
        f"{base}/stories/{segment(story['slug'])}",
        "\n\n".join(filter(None, (article["excerpt"], f"Story: {story['title']}"))),
        datetime.fromisoformat(article["publishedAt"]),
        datetime.fromisoformat(article["updatedAt"]),
        [_category(each, base, "topics") for each in story["topics"]],
        article["authors"] or [outlet_name],
        article["imageUrl"],
        article["language"],
        article["url"],
    )


def _category(given: Mapping[str, Any], base: str, kind: str) -> Category:
    return Category(given["slug"], given["name"], f"{base}/{kind}/")


def _coverage(coverage: Mapping[str, Any]) -> str:
    """Who covers a story, in a sentence or three."""
    outlets, bias, blindspot = coverage["outletCount"], coverage["bias"], coverage["blindspot"]
    told = f"Covered by {outlets:,} {'outlet' if outlets == 1 else 'outlets'}."
    if bias["ratedCount"]:
        sides = ", ".join(f"{side} {bias[side]['percent']}%" for side in ("left", "center", "right"))
        told += f" Bias of the {bias['ratedCount']:,} rated: {sides}."
    return told + (f" A blindspot of the {blindspot['side'].lower()}." if blindspot else "")


def _there(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if found is None:
        raise NotFound("There is nothing by this name, and so no feed of it.")
    return found
