"""Feeds as values and as text: what is in them, and that they are well-formed whatever the data holds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast
from xml.etree import ElementTree as ET

import feedparser  # pyright: ignore[reportMissingTypeStubs]
import pytest
from jsonschema import Draft202012Validator

from service.errors import NotFound
from service.feeds import atom, entries, json_feed, opml, rss
from service.feeds.entries import NEVER, Feed, tag

BASE = "https://news.example"
ODD = (
    "plain",
    "]]> <![CDATA[ <b>&amp; & ' \"",
    "\x00\x01\x08\x0b\x1f\ufffe\uffff between",
    "\u202eright to left\u2066 \u200f",
    "👩‍👩‍👧 emoji 🗞",
    "x" * 20_000,
    "tab\tline\nreturn\rend\x85\u2028",
    "<script>alert(1)</script>",
    " ",
)
XML = (rss, atom)
JSON_FEED: dict[str, Any] = {
    "type": "object",
    "required": ["version", "title", "items"],
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "home_page_url": {"type": "string", "pattern": "^https?://"},
        "feed_url": {"type": "string", "pattern": "^https?://"},
        "authors": {"$ref": "#/$defs/authors"},
        "items": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/item"}},
    },
    "additionalProperties": False,
    "$defs": {
        "authors": {
            "type": "array",
            "items": {
                "type": "object",
                "anyOf": [{"required": ["name"]}, {"required": ["url"]}],
                "properties": {"name": {"type": "string"}, "url": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        "item": {
            "type": "object",
            "required": ["id"],
            "anyOf": [{"required": ["content_text"]}, {"required": ["content_html"]}],
            "properties": {
                "id": {"type": "string", "minLength": 1},
                "url": {"type": "string", "pattern": "^https?://"},
                "external_url": {"type": "string", "pattern": "^https?://"},
                "title": {"type": "string"},
                "content_text": {"type": "string"},
                "image": {"type": "string", "pattern": "^https?://"},
                "date_published": {"type": "string", "format": "date-time"},
                "date_modified": {"type": "string", "format": "date-time"},
                "authors": {"$ref": "#/$defs/authors"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "language": {"type": "string"},
            },
            "additionalProperties": False,
        },
    },
}
"""What https://www.jsonfeed.org/version/1.1/ says of what is used here; other members would be mistakes."""


def story(text: str = "plain", slug: str = "a-story", **given: Any) -> dict[str, Any]:
    return {
        "id": "story_1",
        "slug": slug,
        "title": text,
        "summary": text,
        "imageUrl": None,
        "firstPublishedAt": "2026-11-20T08:00:00+00:00",
        "updatedAt": "2026-11-21T09:30:00.5+00:00",
        "topics": [{"slug": slug, "name": text}],
        "places": [{"slug": "oslo", "name": "Oslo"}],
        "coverage": {
            "outletCount": 1_200,
            "bias": {"left": {"percent": 60}, "center": {"percent": 30}, "right": {"percent": 10}, "ratedCount": 1_000},
            "blindspot": {"side": "RIGHT"},
        },
        **given,
    }


def article(text: str = "plain") -> dict[str, Any]:
    return {
        "id": "article_1",
        "url": "https://a.example/1?x=1&y=2",
        "title": text,
        "excerpt": text,
        "authors": [],
        "language": "en",
        "imageUrl": "https://a.example/1.jpg",
        "publishedAt": "2026-11-20T08:00:00+00:00",
        "updatedAt": "2026-11-20T08:00:00+00:00",
        "story": {"slug": "a-story", "title": "A story", "topics": [{"slug": "economy", "name": "Economy"}]},
    }


def stories(*found: dict[str, Any]) -> dict[str, Any]:
    return {"stories": {"nodes": list(found)}}


def every(text: str) -> list[Feed]:
    """Each kind of feed, with the text wherever there can be any."""
    under = {"slug": "s", "name": text, **stories(story(text))}
    return [
        entries.latest(stories(story(text)), BASE),
        entries.blindspots("left")(stories(story(text)), BASE),
        entries.topic({"topic": under}, BASE),
        entries.place({"place": under}, BASE),
        entries.outlet({"outlet": {"slug": "s", "name": text, "articles": {"nodes": [article(text)]}}}, BASE),
    ]


def read_xml(text: bytes) -> ET.Element:
    """The root of a document that was written here."""
    return ET.fromstring(text)  # noqa: S314  # nobody else wrote it


def parsed(text: bytes) -> Any:
    """What feedparser reads, which is to have nothing to complain of."""
    found = cast("Any", feedparser).parse(io.BytesIO(text), sanitize_html=False)
    assert not found.bozo, found.bozo_exception
    return found


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("writer", XML, ids=["rss", "atom"])
def test_xml_is_well_formed_whatever_the_data_holds(writer: Any, text: str) -> None:
    for feed in every(text):
        written = writer.written(feed, BASE)
        read_xml(written)
        assert len(parsed(written).entries) == 1


@pytest.mark.parametrize("text", ODD)
def test_json_feeds_fit_their_specification_whatever_the_data_holds(text: str) -> None:
    validator: Any = Draft202012Validator(JSON_FEED, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for feed in every(text):
        told = json.loads(json_feed.written(feed, BASE))
        assert [error.message for error in validator.iter_errors(told)] == []
        assert told["items"][0]["title"] == text


@pytest.mark.parametrize("text", [*ODD[:2], *ODD[3:5]])
def test_text_arrives_in_atom_as_it_is(text: str) -> None:
    [found] = parsed(atom.written(entries.latest(stories(story(text)), BASE), BASE)).entries
    assert (found.title, found.title_detail.type) == (text, "text/plain")
    assert found.summary.startswith(text)


def test_what_xml_cannot_hold_is_left_out() -> None:
    root = read_xml(rss.written(entries.latest(stories(story("a\x00b\x1fc\uffffd")), BASE), BASE))
    assert root.findtext("channel/item/title") == "abcd"


def test_descriptions_in_rss_are_html_that_shows_the_text() -> None:
    root = read_xml(rss.written(entries.latest(stories(story("1 < 2 & <b>bold</b>")), BASE), BASE))
    description = root.findtext("channel/item/description") or ""
    assert description.startswith("<p>1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;</p><p>Covered by")


@pytest.mark.parametrize("writer", XML, ids=["rss", "atom"])
def test_a_story_is_told_whole(writer: Any) -> None:
    found = parsed(writer.written(entries.latest(stories(story(), story(id="story_2")), BASE), BASE))
    first, second = found.entries
    assert (first.id, second.id) == ("tag:news.example,2026:stories/story_1", "tag:news.example,2026:stories/story_2")
    assert (first.title, first.link) == ("plain", f"{BASE}/stories/a-story")
    assert first.published_parsed[:6] == (2026, 11, 20, 8, 0, 0)
    assert {each.label or each.term for each in first.tags} == {"plain", "Oslo"}
    assert "Covered by 1,200 outlets. Bias of the 1,000 rated: left 60%, center 30%, right 10%." in first.summary
    assert "A blindspot of the right." in first.summary
    assert found.feed.link == f"{BASE}/"
    links = {each.rel: each.href for each in found.feed.links}
    assert links["self"] == f"{BASE}/feeds/latest.{writer.ENDING}"


@pytest.mark.parametrize("writer", XML, ids=["rss", "atom"])
def test_an_article_leads_to_its_story_and_tells_where_it_is_published(writer: Any) -> None:
    data = {"outlet": {"slug": "the-a", "name": "The A", "articles": {"nodes": [article()]}}}
    found = parsed(writer.written(entries.outlet(data, BASE), BASE))
    [entry] = found.entries
    assert (entry.id, entry.link, entry.author) == (
        "tag:news.example,2026:articles/article_1", f"{BASE}/stories/a-story", "The A",
    )  # fmt: skip
    assert {each.rel: each.href for each in entry.links}["via"] == "https://a.example/1?x=1&y=2"
    assert found.feed.link == f"{BASE}/outlets/the-a"


def test_an_article_in_json_tells_where_it_is_published() -> None:
    data = {"outlet": {"slug": "the-a", "name": "The A", "articles": {"nodes": [article()]}}}
    [item] = json.loads(json_feed.written(entries.outlet(data, BASE), BASE))["items"]
    assert (item["url"], item["external_url"]) == (f"{BASE}/stories/a-story", "https://a.example/1?x=1&y=2")
    assert (item["image"], item["language"], item["tags"]) == ("https://a.example/1.jpg", "en", ["Economy"])


def test_slugs_are_escaped_in_links() -> None:
    feed = entries.topic({"topic": {"slug": 'é "<&>/', "name": "x", **stories(story(slug='é "<&>/'))}}, BASE)
    assert feed.url == f"{BASE}/topics/%C3%A9%20%22%3C%26%3E%2F"
    assert feed.entries[0].url == f"{BASE}/stories/%C3%A9%20%22%3C%26%3E%2F"
    assert parsed(atom.written(feed, BASE)).feed.id == "tag:news.example,2026:feeds/topics/%C3%A9%20%22%3C%26%3E%2F"


def test_an_empty_feed_is_the_same_each_time() -> None:
    feed = entries.latest(stories(), BASE)
    assert feed.updated == NEVER
    for writer in XML:
        assert parsed(writer.written(feed, BASE)).entries == []
    assert json.loads(json_feed.written(feed, BASE))["items"] == []


def test_a_feed_is_as_new_as_its_newest_entry() -> None:
    feed = entries.latest(stories(story(), story(id="2", updatedAt="2026-11-25T00:00:00+00:00")), BASE)
    assert feed.updated == datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reading", "data"),
    [(entries.topic, {"topic": None}), (entries.place, {"place": None}), (entries.outlet, {"outlet": None})],
)
def test_of_nothing_there_is_no_feed(reading: Callable[..., Feed], data: Any) -> None:
    with pytest.raises(NotFound):
        reading(data, BASE)


def test_what_nobody_rated_has_no_percents() -> None:
    coverage = {"outletCount": 1, "bias": {"ratedCount": 0}, "blindspot": None}
    feed = entries.latest(stories(story(summary=None, coverage=coverage)), BASE)
    assert feed.entries[0].text == "Covered by 1 outlet."


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://News.example:8443", "news.example"),
        ("http://[::1]:8000", "1"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("http://a_b.example", "a-b.example"),
    ],
)
def test_ids_hold_nothing_that_a_tag_may_not(base: str, host: str) -> None:
    assert tag(base, "stories/1") == f"tag:{host},2026:stories/1"


@pytest.mark.parametrize("text", ODD)
def test_the_list_of_feeds_is_opml_whatever_things_are_called(text: str) -> None:
    listed = {"nodes": [{"slug": "a/b", "name": text}]}
    root = read_xml(opml.written({"topics": listed, "places": listed, "outlets": {"nodes": []}}, BASE))
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    outlines = list(root.iter("outline"))
    assert all(each.get("text") is not None for each in outlines)
    urls = [each.get("xmlUrl") for each in outlines if each.get("type") == "rss"]
    assert urls == [
        f"{BASE}/feeds/{path}.rss"
        for path in ("latest", "blindspots/left", "blindspots/right", "topics/a%2Fb", "places/a%2Fb")
    ]
