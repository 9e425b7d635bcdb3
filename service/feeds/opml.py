"""Which feeds there are, as OPML 2.0, which feed readers import."""

from __future__ import annotations

from service.feeds import rss
from service.feeds.entries import NAME, segment
from service.feeds.xml import Element, child, document
from service.http.forms import Data

CONTENT_TYPE = b"text/x-opml; charset=utf-8"


def written(data: Data, base: str) -> bytes:
    """The feeds of latest stories and blindspots, and those of what a document listed."""
    root = Element("opml", {"version": "2.0"})
    child(child(root, "head"), "title", f"Feeds of {NAME}")
    body = child(root, "body")
    _outline(body, "Latest stories", f"{base}/feeds/latest", f"{base}/")
    for side in ("left", "right"):
        _outline(body, f"Blindspots: {side}", f"{base}/feeds/blindspots/{side}", f"{base}/blindspots?side={side}")
    for kind in ("topics", "places", "outlets"):
        group = child(body, "outline", text=kind.capitalize())
        for each in data[kind]["nodes"]:
            path = f"{kind}/{segment(each['slug'])}"
            _outline(group, each["name"], f"{base}/feeds/{path}", f"{base}/{path}")
    return document(root)


def _outline(parent: Element, name: str, feed: str, page: str) -> None:
    url = f"{feed}.{rss.ENDING}"
    child(parent, "outline", type="rss", text=name, title=name, xmlUrl=url, htmlUrl=page)
