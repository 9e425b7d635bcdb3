"""The story whose figures the contract works out by hand: 24 articles of 24 outlets with given biases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from service.demo.facts import ascii_words
from service.demo.material import Part, worked_example
from service.demo.outlets import Outlet, place_slug

WORKED_EXAMPLE_KEY = "demo:worked-example"
WORKED_EXAMPLE_TITLE = worked_example().title


def worked_example_lines(now: datetime, outlets: Sequence[Outlet]) -> Iterator[dict[str, object]]:
    """The lines of the story and of its articles, the newest of them some minutes before `now`."""
    told = worked_example()
    yield {
        "type": "story",
        "key": WORKED_EXAMPLE_KEY,
        "title": told.title,
        "summary": told.summary,
        "keyPoints": told.points,
        "perspectives": told.perspectives,
        "topics": told.topics,
        "places": [place_slug(told.city)],
        "imageUrl": "https://pictures.example/demo/worked-example.jpg",
    }
    free = list(outlets)
    for part in told.articles:
        outlet = next(outlet for outlet in free if (outlet.bias, outlet.language) == (part.bias, part.language))
        free.remove(outlet)
        yield _article(now, part, outlet)


def _article(now: datetime, part: Part, outlet: Outlet) -> dict[str, object]:
    path = "-".join(ascii_words(part.title)) or "ferries"
    return {
        "type": "article",
        "url": f"https://{outlet.domain}/port-ellery/{path}",
        "outlet": outlet.domain,
        "title": part.title,
        "publishedAt": (now - timedelta(minutes=part.minutes)).isoformat(),
        "story": WORKED_EXAMPLE_KEY,
        "excerpt": part.excerpt,
        "authors": outlet.staff[:1],
        "kind": part.kind,
        "language": part.language,
        "paywalled": outlet.paywalled,
    }
