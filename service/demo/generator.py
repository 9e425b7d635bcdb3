"""The demo world as one stream of load lines, the same every time but for its dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from service.demo.material import cities, singles, topics
from service.demo.outlets import Outlet, make_outlets, outlet_line, place_slug
from service.demo.plots import Plot, draw_plots
from service.demo.stories import article_lines, single_line, story_key, story_line
from service.demo.worked_example import WORKED_EXAMPLE_TITLE, worked_example_lines

SEED = 1440
STORIES = 400
ARTICLES = 8_000
WORKED_ARTICLES = 24

MERGED = range(10, 70, 10)
"""Numbers of the stories that arrived as two and were merged."""
REMOVED = "demo:removed"
UNLISTED = "harbor-tip-line.example"
"""An outlet of which nothing is known but an article."""


def world(now: datetime) -> Iterator[dict[str, object]]:
    """The lines of a world of 200 outlets in which 400 stories with 8,000 articles show, dated back from `now`."""
    rng = Random(SEED)
    now = now.astimezone(UTC).replace(microsecond=0)
    outlets = make_outlets(rng, now)
    yield from _reference(outlets)
    yield from worked_example_lines(now, outlets)
    alone = list(_alone(rng, now, outlets))
    story_count, article_count = STORIES - 1 - len(alone), ARTICLES - WORKED_ARTICLES - len(alone)
    plots = list(draw_plots(rng, story_count, article_count, {WORKED_EXAMPLE_TITLE}))
    for plot in plots:
        yield story_line(rng, plot)
        yield from _reported(rng, now, plot, outlets)
    yield from alone
    yield from _withdrawn(now, outlets[0])
    for plot in plots:
        if plot.number in MERGED:
            yield {"type": "merge", "from": _second_key(plot), "into": story_key(plot)}


def _reference(outlets: Sequence[Outlet]) -> Iterator[dict[str, object]]:
    for slug, name, parent in topics():
        yield {"type": "topic", "slug": slug, "name": name, "parent": parent}
    for city in cities():
        yield {"type": "place", "slug": place_slug(city.name), "name": city.name, "country": city.country}
    for outlet in outlets:
        yield outlet_line(outlet)


def _reported(rng: Random, now: datetime, plot: Plot, outlets: Sequence[Outlet]) -> Iterator[dict[str, object]]:
    """The articles of a story; of one that arrived as two, every third comes with the second."""
    if plot.number in MERGED:
        yield {"type": "story", "key": _second_key(plot), "title": plot.other_title, "topics": plot.topics}
    for index, line in enumerate(article_lines(rng, now, plot, outlets)):
        if plot.number in MERGED and index % 3 == 2:
            line["story"] = _second_key(plot)
        yield line


def _second_key(plot: Plot) -> str:
    return f"{story_key(plot)}-again"


def _alone(rng: Random, now: datetime, outlets: Sequence[Outlet]) -> Iterator[dict[str, object]]:
    for number, single in enumerate(singles(), 1):
        outlet = rng.choice([outlet for outlet in outlets if outlet.language == single.language])
        line = single_line(rng, now, number, single, outlet)
        if number == 1:
            line |= {"outlet": UNLISTED, "url": f"https://{UNLISTED}/lighthouse", "authors": []}
        yield line


def _withdrawn(now: datetime, outlet: Outlet) -> Iterator[dict[str, object]]:
    """A story that was a mistake: told twice, then removed."""
    yield {"type": "story", "key": REMOVED, "title": "Reports of a bridge closure at Thornsea turn out to be a drill"}
    for number in range(2):
        yield {
            "type": "article",
            "url": f"https://{outlet.domain}/withdrawn-{number}",
            "outlet": outlet.domain,
            "title": "Thornsea bridge closed, police say",
            "publishedAt": (now - timedelta(days=3, minutes=number)).isoformat(),
            "story": REMOVED,
        }
    yield {"type": "remove", "story": REMOVED}
