"""A corpus as a load stream: references first, then every story with its first article, and articles as they came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.corpus import Article, Corpus, Outlet, Story

Line = dict[str, Any]


def lines(corpus: Corpus) -> Iterator[Line]:
    """The lines, ordered by time of publication."""
    for topic in corpus.topics:
        yield {"type": "topic", "slug": topic.slug, "name": topic.slug.capitalize(), "parent": topic.parent}
    for place in corpus.places:
        yield {"type": "place", "slug": place.slug, "name": place.slug.capitalize(), "country": place.country}
    for outlet in corpus.outlets:
        yield _outlet(outlet)
    begun: set[int] = set()
    for article in corpus.articles():
        if article.story not in begun:
            begun.add(article.story)
            yield _story(corpus.stories[article.story])
        yield _article(corpus, article)


def _outlet(outlet: Outlet) -> Line:
    return {
        "type": "outlet",
        "domain": outlet.domain,
        "name": outlet.name,
        "homepageUrl": f"https://{outlet.domain}/",
        "country": outlet.country,
        "place": outlet.place,
        "language": outlet.language,
        "medium": outlet.medium,
        "owners": [{"name": name, "category": category} for name, category in outlet.owners],
        "ratings": [
            {"agency": each.agency, "bias": each.bias, "factuality": each.factuality, "ratedAt": each.rated_at}
            for each in outlet.ratings
        ],
    }


def _story(story: Story) -> Line:
    return {
        "type": "story",
        "key": story.key,
        "title": story.title,
        "summary": story.summary,
        "keyPoints": story.key_points,
        "topics": story.topics,
        "places": story.places,
        "imageUrl": story.image_url,
    }


def _article(corpus: Corpus, article: Article) -> Line:
    return {
        "type": "article",
        "url": article.url,
        "outlet": corpus.outlets[article.outlet].domain,
        "story": corpus.stories[article.story].key,
        "title": article.title,
        "excerpt": article.excerpt,
        "publishedAt": article.published_at,
        "authors": article.authors,
        "kind": article.kind,
        "language": article.language,
        "imageUrl": article.image_url,
        "paywalled": article.paywalled,
    }
