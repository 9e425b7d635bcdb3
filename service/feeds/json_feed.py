"""Feeds as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any

import orjson

from service.feeds.entries import NAME, Entry, Feed

CONTENT_TYPE = b"application/feed+json; charset=utf-8"
ENDING = "json"
VERSION = "https://jsonfeed.org/version/1.1"


def written(feed: Feed, base: str) -> bytes:
    """The feed with links below a base URL."""
    return orjson.dumps(
        {
            "version": VERSION,
            "title": feed.title,
            "description": feed.about,
            "home_page_url": feed.url,
            "feed_url": f"{base}{feed.path}.{ENDING}",
            "authors": [{"name": NAME, "url": f"{base}/"}],
            "items": [_item(each) for each in feed.entries],
        }
    )


def _item(entry: Entry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.url,
        "external_url": entry.source,
        "title": entry.title,
        "content_text": entry.text,
        "image": entry.image,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": [{"name": each} for each in entry.authors],
        "tags": [each.label for each in entry.categories],
        "language": entry.language,
    }
    return {name: value for name, value in item.items() if value}
