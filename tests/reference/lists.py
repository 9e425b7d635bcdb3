"""Which stories, articles and outlets a filter holds, and every order. Knows nothing of how lists are stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from tests.reference import rules
from tests.reference.paging import Arguments, Connection
from tests.reference.rules import microseconds

if TYPE_CHECKING:
    from tests.reference.entities import Article, Outlet, Story, Topic
    from tests.reference.search import Search

MOST_RANKED = 1_000
NEAREST = 200

Filter = Mapping[str, Any]
Order = tuple[Any, ...]


def stories(search: Search, held: Sequence[Story], args: Arguments) -> Connection | Awaitable[Connection]:
    """The page of the stories that the arguments choose among those held."""
    given = _given(args)
    chosen = [story for story in held if _story_matches(story, given)]
    sort = str(args["sort"])
    if "search" in given:
        return _searched_stories(search, chosen, given["search"], sort, args)
    if sort == "RELEVANCE":
        raise GraphQLError("RELEVANCE needs filter.search.")
    return Connection(sorted(chosen, key=STORY_ORDERS[sort]), args)


async def _searched_stories(
    search: Search, chosen: Sequence[Story], query: str, sort: str, args: Arguments
) -> Connection:
    ranks = await search.stories(query)
    found = [story for story in chosen if story.key in ranks]
    if sort != "RELEVANCE":
        return Connection(sorted(found, key=STORY_ORDERS[sort]), args)
    latest = sorted(found, key=_latest)[:MOST_RANKED]
    best = sorted(latest, key=lambda story: (-ranks[story.key], *_latest(story)))
    return Connection(best, args)


def articles(search: Search, held: Sequence[Article], args: Arguments) -> Connection | Awaitable[Connection]:
    """The page of the articles that the arguments choose among those held."""
    given = _given(args)
    chosen = [article for article in held if _article_matches(article, given)]
    ordered = sorted(chosen, key=ARTICLE_ORDERS[str(args["sort"])])
    if "search" in given:
        return _searched_articles(search, ordered, given["search"], args)
    return Connection(ordered, args)


async def _searched_articles(search: Search, ordered: Sequence[Article], query: str, args: Arguments) -> Connection:
    found = await search.articles(query)
    return Connection([article for article in ordered if article.key in found], args)


def outlets(held: Sequence[Outlet], args: Arguments) -> Connection:
    """The page of the outlets that the arguments choose among those held."""
    given = _given(args)
    chosen = [outlet for outlet in held if _outlet_matches(outlet, given)]
    return Connection(sorted(chosen, key=OUTLET_ORDERS[str(args["sort"])]), args)


def related(story: Story, shown: Sequence[Story]) -> list[Story]:
    """The stories most like this one, best first."""
    tagged = set(story.topics)
    others = [other for other in shown if other is not story and (not tagged or tagged & set(other.topics))]
    moment = story.article_list[-1].published
    nearest = sorted(others, key=lambda other: (abs(other.article_list[-1].published - moment), *_latest(other)))
    alike = [(_likeness(story, other), other) for other in nearest[:NEAREST]]
    best = sorted(alike, key=lambda pair: (-pair[0], *_latest(pair[1])))
    return [other for likeness, other in best if likeness > 0]


def _likeness(story: Story, other: Story) -> Fraction:
    shared = len(story.title_lexemes & other.title_lexemes)
    either = len(story.title_lexemes | other.title_lexemes)
    return Fraction(shared, either) if either else Fraction(0)


def _given(args: Arguments) -> Filter:
    asked: Filter = args.get("filter") or {}
    return {name: value for name, value in asked.items() if value is not None}


# Filters --------------------------------------------------------------------------------------------------------------


def _story_matches(story: Story, given: Filter) -> bool:
    covering = [report.outlet for report in story.report_list]
    found = rules.blindspot(*story.bias.side_counts)
    conditions: dict[str, Callable[[Any], bool]] = {
        "topics": lambda slugs: _any_topic(story.topics, slugs),
        "places": lambda slugs: any(place.slug in slugs for place in story.places),
        "outlets": lambda domains: any(outlet.domain in domains for outlet in covering),
        "countries": lambda codes: any(outlet.country in codes for outlet in covering),
        "updated": lambda span: _within(story.updated, span),
        "firstPublished": lambda span: _within(story.article_list[0].published, span),
        "lastPublished": lambda span: _within(story.article_list[-1].published, span),
        "blindspot": lambda side: found is not None and found[0] == side,
        "leadingSide": lambda side: rules.leading_side(story.bias.side_counts) == side,
        "minOutlets": lambda least: len(covering) >= least,
        "search": lambda _: True,
    }
    return all(conditions[name](value) for name, value in given.items())


def _article_matches(article: Article, given: Filter) -> bool:
    conditions: dict[str, Callable[[Any], bool]] = {
        "topics": lambda slugs: _any_topic(article.story.topics, slugs),
        "outlets": lambda domains: article.outlet.domain in domains,
        "languages": lambda tags: article.language in tags,
        "kinds": lambda kinds: article.kind in kinds,
        "paywalled": lambda wanted: article.paywalled is wanted,
        "published": lambda span: _within(article.published, span),
        "updated": lambda span: _within(article.updated, span),
        "search": lambda _: True,
    }
    return all(
        conditions[name](value) if name in conditions else _outlet_is(article.outlet, name, value)
        for name, value in given.items()
    )


def _outlet_matches(outlet: Outlet, given: Filter) -> bool:
    def has_prefix(prefix: str) -> bool:
        return outlet.name.lower().startswith(prefix.lower()) or outlet.domain.lower().startswith(prefix.lower())

    conditions: dict[str, Callable[[Any], bool]] = {
        "mediums": lambda mediums: outlet.medium in mediums,
        "prefix": has_prefix,
    }
    return all(
        conditions[name](value) if name in conditions else _outlet_is(outlet, name, value)
        for name, value in given.items()
    )


def _outlet_is(outlet: Outlet, name: str, value: Any) -> bool:
    """The conditions that filters of articles and of outlets share."""
    if name == "unrated":
        return (outlet.bias is None) is value
    actual: dict[str, str | None] = {
        "sides": outlet.side,
        "bias": outlet.bias,
        "factuality": outlet.level,
        "ownership": outlet.category,
        "countries": outlet.country,
    }
    return actual[name] in value


def _any_topic(topics: Sequence[Topic], slugs: Sequence[str]) -> bool:
    return any(above.slug in slugs for topic in topics for above in topic.lineage())


def _within(moment: datetime, span: Mapping[str, str | None]) -> bool:
    after, before = span.get("after"), span.get("before")
    return (after is None or moment >= datetime.fromisoformat(after)) and (
        before is None or moment < datetime.fromisoformat(before)
    )


# Orders ---------------------------------------------------------------------------------------------------------------


def _latest(story: Story) -> Order:
    return -microseconds(story.article_list[-1].published), -story.key


def _newest(article: Article) -> Order:
    return -microseconds(article.published), -article.key


def _point(outlet: Outlet, direction: int) -> Order:
    """The bias of the outlet; what is unrated comes last either way."""
    return (True, 0) if outlet.bias is None else (False, direction * rules.point(outlet.bias))


STORY_ORDERS: dict[str, Callable[[Story], Order]] = {
    "LATEST": _latest,
    "NEWEST": lambda story: (-microseconds(story.article_list[0].published), *_latest(story)),
    "MOST_COVERED": lambda story: (-len(story.report_list), *_latest(story)),
    "TRENDING": lambda story: (-story.trend, *_latest(story)),
}
ARTICLE_ORDERS: dict[str, Callable[[Article], Order]] = {
    "NEWEST": _newest,
    "OLDEST": lambda article: (microseconds(article.published), article.key),
    "LEFT_TO_RIGHT": lambda article: (*_point(article.outlet, 1), *_newest(article)),
    "RIGHT_TO_LEFT": lambda article: (*_point(article.outlet, -1), *_newest(article)),
}
OUTLET_ORDERS: dict[str, Callable[[Outlet], Order]] = {
    "NAME": lambda outlet: (outlet.name.lower(), outlet.key),
    "MOST_ARTICLES": lambda outlet: (-len(outlet.article_list), -outlet.key),
    "LEFT_TO_RIGHT": lambda outlet: (*_point(outlet, 1), outlet.key),
    "RIGHT_TO_LEFT": lambda outlet: (*_point(outlet, -1), -outlet.key),
}
