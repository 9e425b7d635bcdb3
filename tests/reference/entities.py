"""The objects that answers are made of, named as the types of the API, fields in snake case: facts of the base tables,
and all that follows from them. Knows neither tables nor GraphQL's execution.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.reference import lists, rules
from tests.reference.coverage import BiasDistribution, Coverage, buckets
from tests.reference.paging import Arguments, Connection
from tests.reference.windows import CoverageReport, OutletActivity, Window

if TYPE_CHECKING:
    from tests.reference.search import Search


@dataclass(eq=False)
class Place:
    key: int
    slug: str
    name: str
    country: str | None
    search: Search = field(repr=False)
    tagged: list[Story] = field(default_factory=list[Any], repr=False)

    @property
    def id(self) -> str:
        return f"place_{self.key}"

    @property
    def story_count(self) -> int:
        return len(self.tagged)

    def stories(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.stories(self.search, self.tagged, args)


@dataclass(eq=False)
class Topic:
    key: int
    slug: str
    name: str
    search: Search = field(repr=False)
    parent: Topic | None = None
    children: list[Topic] = field(default_factory=list[Any], repr=False)
    tagged: list[Story] = field(default_factory=list[Any], repr=False)

    @property
    def id(self) -> str:
        return f"topic_{self.key}"

    def lineage(self) -> list[Topic]:
        """The topic and all that it is under."""
        return [self, *(self.parent.lineage() if self.parent else [])]

    @cached_property
    def _all(self) -> list[Story]:
        under = [story for child in self.children for story in child._all]
        return list(dict.fromkeys([*self.tagged, *under]))

    @property
    def story_count(self) -> int:
        return len(self._all)

    def stories(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.stories(self.search, self._all, args)

    def coverage(self, args: Arguments) -> CoverageReport:
        return CoverageReport(self._all, Window(args.get("published")), lambda _outlet: True)


@dataclass(eq=False)
class FactualityRating:
    factuality: str | None
    score: float | None


@dataclass(eq=False)
class AgencyRating:
    agency: str
    bias: str | None
    level: str | None
    rated: datetime | None
    url: str | None

    @property
    def factuality(self) -> FactualityRating:
        return FactualityRating(self.level, None if self.level is None else float(rules.LEVELS.index(self.level) + 1))

    @property
    def rated_at(self) -> str | None:
        return None if self.rated is None else rules.rfc3339(self.rated)


@dataclass(eq=False)
class Owner:
    name: str
    category: str


@dataclass(eq=False)
class Ownership:
    owners: Sequence[Owner]


@dataclass(eq=False)
class Outlet:
    key: int
    slug: str
    name: str
    domain: str
    homepage_url: str | None
    country: str | None
    language: str | None
    medium: str | None
    place: Place | None
    search: Search = field(repr=False)
    owners: list[Owner] = field(default_factory=list[Owner], repr=False)
    rating_list: list[AgencyRating] = field(default_factory=list[AgencyRating], repr=False)
    article_list: list[Article] = field(default_factory=list[Any], repr=False)

    @property
    def id(self) -> str:
        return f"outlet_{self.key}"

    @cached_property
    def _bias_mean(self) -> Any:
        return rules.mean([rules.point(rating.bias) for rating in self.rating_list if rating.bias is not None])

    @cached_property
    def bias(self) -> str | None:
        return rules.nearest_bias(self._bias_mean)

    @property
    def bias_score(self) -> float | None:
        return None if self._bias_mean is None else float(self._bias_mean)

    @property
    def side(self) -> str | None:
        return rules.side_of(self.bias)

    @cached_property
    def _level_mean(self) -> Any:
        levels = [rating.level for rating in self.rating_list if rating.level is not None]
        return rules.mean([rules.LEVELS.index(level) + 1 for level in levels])

    @property
    def level(self) -> str | None:
        return rules.nearest_level(self._level_mean)

    @property
    def category(self) -> str | None:
        return self.owners[0].category if self.owners else None

    @property
    def factuality(self) -> FactualityRating:
        return FactualityRating(self.level, None if self._level_mean is None else float(self._level_mean))

    @property
    def ownership(self) -> Ownership:
        return Ownership(self.owners)

    @property
    def ratings(self) -> list[AgencyRating]:
        def newest_first(rating: AgencyRating) -> tuple[bool, int, str]:
            return rating.rated is None, -rules.microseconds(rating.rated) if rating.rated else 0, rating.agency

        return sorted(self.rating_list, key=newest_first)

    def articles(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.articles(self.search, self.article_list, args)

    def stories(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.stories(self.search, self._covered, args)

    @cached_property
    def _covered(self) -> list[Story]:
        return list(dict.fromkeys(article.story for article in self.article_list))

    def activity(self, args: Arguments) -> OutletActivity:
        return OutletActivity(self._covered, Window(args.get("published")), lambda outlet: outlet is self)


@dataclass(eq=False)
class Article:
    key: int
    url: str
    title: str
    excerpt: str | None
    authors: Sequence[str]
    kind: str
    language: str | None
    image_url: str | None
    paywalled: bool | None
    published: datetime
    updated: datetime
    outlet: Outlet
    story: Story

    @property
    def id(self) -> str:
        return f"article_{self.key}"

    @property
    def published_at(self) -> str:
        return rules.rfc3339(self.published)

    @property
    def updated_at(self) -> str:
        return rules.rfc3339(self.updated)


@dataclass(eq=False)
class Report:
    """One outlet's coverage of one story; its articles oldest first."""

    story: Story
    outlet: Outlet
    article_list: Sequence[Article]

    @property
    def id(self) -> str:
        return f"report_{self.story.key}_{self.outlet.key}"

    @property
    def article_count(self) -> int:
        return len(self.article_list)

    @property
    def first_article(self) -> Article:
        return self.article_list[0]

    @property
    def first_published_at(self) -> str:
        return self.first_article.published_at


@dataclass(eq=False)
class Perspective:
    side: str
    summary: str


@dataclass(eq=False)
class PerspectiveList:
    items: Sequence[Perspective]


@dataclass(eq=False)
class Story:
    key: int
    slug: str
    title: str
    summary: str | None
    key_points: Sequence[str]
    image_url: str | None
    updated: datetime
    computed: datetime
    title_lexemes: frozenset[str]
    merged_into: int | None
    search: Search = field(repr=False)
    topics: list[Topic] = field(default_factory=list[Topic], repr=False)
    places: list[Place] = field(default_factory=list[Place], repr=False)
    perspective_list: list[Perspective] = field(default_factory=list[Perspective], repr=False)
    article_list: list[Article] = field(default_factory=list[Article], repr=False)
    """Oldest first."""
    merged: list[Story] = field(default_factory=list[Any], repr=False)
    shown: Sequence[Story] = field(default_factory=list[Any], repr=False)
    """Every story that shows, to find related ones in."""

    @property
    def id(self) -> str:
        return f"story_{self.key}"

    @cached_property
    def report_list(self) -> list[Report]:
        by_outlet: dict[Outlet, list[Article]] = {}
        for article in self.article_list:
            by_outlet.setdefault(article.outlet, []).append(article)
        return [Report(self, outlet, articles) for outlet, articles in by_outlet.items()]

    @cached_property
    def bias(self) -> BiasDistribution:
        return BiasDistribution([report.outlet for report in self.report_list])

    @cached_property
    def trend(self) -> float:
        return rules.trend(article.published for article in self.article_list)

    @property
    def perspectives(self) -> PerspectiveList:
        return PerspectiveList(sorted(self.perspective_list, key=lambda entry: rules.SIDES.index(entry.side)))

    @property
    def first_article(self) -> Article:
        return self.article_list[0]

    @property
    def first_published_at(self) -> str:
        return rules.rfc3339(self.article_list[0].published)

    @property
    def last_published_at(self) -> str:
        return rules.rfc3339(self.article_list[-1].published)

    @property
    def updated_at(self) -> str:
        return rules.rfc3339(self.updated)

    @property
    def coverage(self) -> Coverage:
        return Coverage(self)

    @property
    def merged_from(self) -> list[str]:
        return [story.id for story in sorted(self.merged, key=lambda story: story.key)]

    def articles(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.articles(self.search, self.article_list, args)

    def reports(self, args: Arguments) -> Connection:
        side = args.get("side")
        return Connection([report for report in self.report_list if side in (None, report.outlet.side)], args)

    def timeline(self, args: Arguments) -> list[dict[str, Any]]:
        return buckets(self.article_list, self.report_list, args["interval"])

    def related(self, args: Arguments) -> list[Story]:
        return lists.related(self, self.shown)[: args["first"]]
