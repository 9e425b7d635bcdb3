"""Stories and their articles as lines of the load stream: who takes a story up, when, and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from service.demo.facts import ascii_words
from service.demo.headlines import Headlines
from service.demo.material import Single
from service.demo.outlets import Outlet, place_slug
from service.demo.plots import Plot

ABROAD = 0.3
"""How eagerly outlets of another language than a story's take it up."""

AGAIN = 0.25
"""How eagerly an outlet reports once more."""


def story_line(rng: Random, plot: Plot) -> dict[str, object]:
    """The story's own line. The fewer articles it has, the less is said about it."""
    told = plot.event.tellings[plot.language]
    short = plot.article_count < 6
    picture = f"https://pictures.example/demo/{plot.number:03}.jpg"
    return {
        "type": "story",
        "key": story_key(plot),
        "title": plot.title,
        "summary": None if short and rng.random() < 0.3 else plot.facts.say(told.summary or plot.title, plot.language),
        "keyPoints": [] if short and rng.random() < 0.5 else [plot.facts.say(p, plot.language) for p in told.points],
        "perspectives": _perspectives(rng, plot),
        "topics": [] if plot.article_count < 12 and rng.random() < 0.05 else plot.topics,
        "places": [place_slug(plot.city.name)] if rng.random() < 0.9 else [],
        "imageUrl": picture if rng.random() < 0.75 else None,
    }


def story_key(plot: Plot) -> str:
    """The upstream's key of a story."""
    return f"demo:{plot.number:03}"


def article_lines(rng: Random, now: datetime, plot: Plot, outlets: Sequence[Outlet]) -> Iterator[dict[str, object]]:
    """The articles of a story, oldest first."""
    headlines = Headlines(rng, plot.event.tellings, plot.facts, plot.title)
    interests = [_interest(plot, outlet) for outlet in outlets]
    start = now - plot.ago
    later = sorted(rng.betavariate(0.9, 2.6) * plot.lasts for _ in range(plot.article_count - 1))
    for index, after in enumerate([timedelta(), *later]):
        chosen = rng.choices(range(len(outlets)), interests)[0]
        interests[chosen] *= AGAIN
        outlet = outlets[chosen]
        kind = rng.choices([None, "NEWS", "OPINION", "ANALYSIS"], [70, 14, 9, 7])[0] if index else None
        commented = kind if kind in {"OPINION", "ANALYSIS"} else None
        title = headlines.headline(outlet.language, outlet.side, commented)
        picture = f"https://pictures.example/demo/{plot.number:03}-{index:03}.jpg"
        yield {
            "type": "article",
            "url": f"https://{outlet.domain}/{plot.number:03}{index:03}-{'-'.join(ascii_words(title)[:9])}",
            "outlet": outlet.domain,
            "title": title,
            "publishedAt": (start + timedelta(seconds=int(after.total_seconds()))).isoformat(),
            "story": story_key(plot),
            "excerpt": headlines.excerpt(outlet.language) if rng.random() < 0.85 else None,
            "authors": _authors(rng, outlet),
            "kind": kind,
            "language": outlet.language if rng.random() < 0.98 else None,
            "imageUrl": picture if rng.random() < 0.55 else None,
            "paywalled": outlet.paywalled,
        }


def single_line(rng: Random, now: datetime, number: int, single: Single, outlet: Outlet) -> dict[str, object]:
    """An article without a story."""
    return {
        "type": "article",
        "url": f"https://{outlet.domain}/{'-'.join([f'{number:02}', *ascii_words(single.title)[:9]])}",
        "outlet": outlet.domain,
        "title": single.title,
        "publishedAt": (now - timedelta(minutes=rng.randrange(20, 29 * 24 * 60))).isoformat(),
        "excerpt": single.excerpt,
        "authors": _authors(rng, outlet),
        "language": single.language,
        "paywalled": outlet.paywalled,
    }


def _perspectives(rng: Random, plot: Plot) -> dict[str, str] | None:
    """How each side tells the story: of all sides mostly, of some at times, of none where few report it."""
    told = plot.event.tellings[plot.language]
    views = {"LEFT": told.left_view, "CENTER": told.center_view, "RIGHT": told.right_view}
    if plot.article_count < 5:
        return None
    kept = [side for side in views if rng.random() < 0.9]
    return {side: plot.facts.say(view, plot.language) for side, view in views.items() if view and side in kept} or None


def _interest(plot: Plot, outlet: Outlet) -> float:
    """How likely an outlet takes the story up: by its size, side, language and distance."""
    if outlet.language not in plot.event.tellings:
        return 0.0
    language = 1.0 if outlet.language == plot.language else ABROAD
    return outlet.pull * plot.slant[outlet.side] * language * _nearness(plot, outlet)


def _nearness(plot: Plot, outlet: Outlet) -> float:
    """What happens in an outlet's own city and country matters to it most, to a local one almost alone."""
    if outlet.city == plot.city:
        return 14.0
    if outlet.country == plot.city.country:
        return 2.5
    return 0.2 if outlet.city else 1.0


def _authors(rng: Random, outlet: Outlet) -> list[str]:
    count = min(rng.choices([0, 1, 2], [20, 65, 15])[0], len(outlet.staff))
    return rng.sample(outlet.staff, count)
