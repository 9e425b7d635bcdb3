"""Feeds as RSS 2.0 (https://www.rssboard.org/rss-specification)."""

from __future__ import annotations

from email.utils import format_datetime
from html import escape

from service.feeds.entries import Entry, Feed
from service.feeds.xml import Element, child, document

CONTENT_TYPE = b"application/rss+xml; charset=utf-8"
ENDING = "rss"
_NAMESPACES = {"xmlns:atom": "http://www.w3.org/2005/Atom", "xmlns:dc": "http://purl.org/dc/elements/1.1/"}


def written(feed: Feed, base: str) -> bytes:
    """The feed with links below a base URL."""
    root = Element("rss", {"version": "2.0", **_NAMESPACES})
    channel = child(root, "channel")
    child(channel, "title", feed.title)
    child(channel, "link", feed.url)
    child(channel, "description", feed.about)
    child(channel, "lastBuildDate", format_datetime(feed.updated))
    child(channel, "docs", "https://www.rssboard.org/rss-specification")
    child(channel, "ttl", "5")
    own = f"{base}{feed.path}.{ENDING}"
    child(channel, "atom:link", rel="self", type="application/rss+xml", href=own)
    for entry in feed.entries:
        _item(channel, entry)
    return document(root)


def _item(channel: Element, entry: Entry) -> None:
    item = child(channel, "item")
    child(item, "title", entry.title)
    child(item, "link", entry.url)
    child(item, "guid", entry.id, isPermaLink="false")
    child(item, "pubDate", format_datetime(entry.published))
    # Readers take it for HTML.
    child(item, "description", "".join(f"<p>{escape(each)}</p>" for each in entry.text.split("\n\n")))
    for author in entry.authors:
        # RSS' own element wants an e-mail address.
        child(item, "dc:creator", author)
    for category in entry.categories:
        child(item, "category", category.label, domain=category.scheme)
    if entry.source:
        child(item, "atom:link", rel="via", href=entry.source)
