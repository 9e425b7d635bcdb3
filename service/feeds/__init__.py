"""Feeds of stories and articles: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1, made of registered documents."""

from service.feeds.routes import feed_routes

__all__ = ["feed_routes"]
