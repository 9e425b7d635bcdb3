"""Feeds as Atom (RFC 4287)."""

from __future__ import annotations

from service.feeds.entries import NAME, Entry, Feed
from service.feeds.xml import Element, child, document

CONTENT_TYPE = b"application/atom+xml; charset=utf-8"
ENDING = "atom"


def written(feed: Feed, base: str) -> bytes:
    """The feed with links below a base URL."""
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    child(root, "id", feed.id)
    child(root, "title", feed.title)
    child(root, "subtitle", feed.about)
    child(root, "updated", feed.updated.isoformat())
    child(root, "link", rel="self", type="application/atom+xml", href=f"{base}{feed.path}.{ENDING}")
    child(root, "link", rel="alternate", type="text/html", href=feed.url)
    child(child(root, "author"), "name", NAME)
    child(root, "generator", NAME, uri=f"{base}/")
    for entry in feed.entries:
        _entry(root, entry)
    return document(root)


def _entry(root: Element, entry: Entry) -> None:
    element = child(root, "entry")
    if entry.language:
        element.set("xml:lang", entry.language)
    child(element, "id", entry.id)
    child(element, "title", entry.title)
    child(element, "published", entry.published.isoformat())
    child(element, "updated", entry.updated.isoformat())
    child(element, "link", rel="alternate", type="text/html", href=entry.url)
    if entry.source:
        child(element, "link", rel="via", href=entry.source)
    for author in entry.authors:
        child(child(element, "author"), "name", author)
    for category in entry.categories:
        child(element, "category", term=category.term, scheme=category.scheme, label=category.label)
    child(element, "summary", entry.text)
