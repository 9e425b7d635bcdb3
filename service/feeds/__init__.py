"""News in other forms: feeds (RSS 2.0, Atom, JSON Feed 1.1), IPTC ninjs and schema.org, of registered documents."""

from service.feeds.routes import feed_routes, news_routes

__all__ = ["feed_routes", "news_routes"]
