"""News in other forms: feeds (RSS 2.0, Atom, JSON Feed 1.1), IPTC ninjs and schema.org, of registered documents."""

from service.feeds.described import described as feeds_described
from service.feeds.routes import feed_routes, news_routes

__all__ = ["feed_routes", "feeds_described", "news_routes"]
