"""What clients may ask of lists: filters, orders, and the ways to name one object."""

from __future__ import annotations

from enum import Enum

import strawberry

from schema.binding import ByOutlet, Condition, Facet, Key, OfStory, OneOf, Order, Range, Steps, Words, asks, part_of
from schema.directives import NEEDS_FACTUALITY, NEEDS_OWNERSHIP, weighs
from schema.ids import key_of, standing_for
from schema.scalars import URL, CountryCode, DateTime, LanguageTag
from schema.vocabulary import ArticleKind, Bias, Factuality, Medium, OwnershipCategory, Side

LONGEST_SEARCH = 1_000
ALL_MUST_HOLD = (
    "All conditions given must hold. A list holds where any of its values does; an empty one matches nothing."
)


def search_words(text: str) -> str:
    """The words to search, refused where there are more than a person would write."""
    if len(text) > LONGEST_SEARCH:
        raise ValueError(f"A search has at most {LONGEST_SEARCH:,} characters.")
    return text


def searched(text: str) -> str:
    """The template of the query that words make. Postgres stacks up dashes, 32 of them at most: a line is none."""
    return rf"websearch_to_tsquery('simple', regexp_replace({text}, '(-[\s!&|()]*){{9,}}', ' ', 'g'))"


def prefix_pattern(text: str) -> str:
    """A LIKE pattern for what starts with the text, in which % and _ mean themselves."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


@strawberry.input(description="Half-open: from `after`, up to but without `before`.")
class TimeRange:
    after: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="Where it begins; open where it is not given."
    )
    before: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="Where it ends; open where it is not given."
    )


# One object -------------------------------------------------------------------------------------------


@strawberry.input(one_of=True, description="Names one story. A merged story's id and slug name what it went into.")
class StoryBy:
    id: strawberry.ID | None = asks(
        Condition(
            "{id} = " + standing_for("m.id = {value}"),
            "bigint",
            key_of("story"),
        ),
        description="Its `id`.",
    )
    slug: str | None = asks(Condition("{id} = " + standing_for("m.slug = {value}")), description="Its `slug`.")
    article_url: URL | None = asks(
        Condition(
            "{id} = (select a.story_id from articles a"
            " where url_digest(a.url) = url_digest({value}) and a.url = {value})"
        ),
        description="The URL of one of its articles.",
    )


@strawberry.input(one_of=True, description="Names one article.")
class ArticleBy:
    id: strawberry.ID | None = asks(Condition("{id} = {value}", "bigint", key_of("article")), description="Its `id`.")
    url: URL | None = asks(
        Condition("url_digest({url}) = url_digest({value}) and {url} = {value}"), description="Its `url`, exactly."
    )


@strawberry.input(one_of=True, description="Names one outlet.")
class OutletBy:
    id: strawberry.ID | None = asks(Condition("{id} = {value}", "bigint", key_of("outlet")), description="Its `id`.")
    slug: str | None = asks(Condition("{slug} = {value}"), description="Its `slug`.")
    domain: str | None = asks(Condition("{domain} = {value}"), description="Its `domain`, in lower case.")


@strawberry.input(one_of=True, description="Names one topic.")
class TopicBy:
    id: strawberry.ID | None = asks(Condition("{id} = {value}", "bigint", key_of("topic")), description="Its `id`.")
    slug: str | None = asks(Condition("{slug} = {value}"), description="Its `slug`.")


@strawberry.input(one_of=True, description="Names one place.")
class PlaceBy:
    id: strawberry.ID | None = asks(Condition("{id} = {value}", "bigint", key_of("place")), description="Its `id`.")
    slug: str | None = asks(Condition("{slug} = {value}"), description="Its `slug`.")


# Filters ----------------------------------------------------------------------------------------------

TOPICS = Facet(
    "TOPIC",
    "array(select t.id from topics t where t.slug = any({value}))",
    part_of("stories", "(select sum(t.story_count) from topics t where t.slug = any({value}))"),
)


def steps_of(table: str, column: str, *functions: tuple[str, str]) -> tuple[Steps, ...]:
    """The steps of a time, from the first to the last that rows have; each function with that of all in a range."""
    first, last = (f"(select {end}(x.{column}) from {table} x)" for end in ("min", "max"))
    ends = f"greatest({{least}}, {first}), least({{below}}, {last} + interval '1 microsecond')"
    return tuple(Steps(f"{step}({{{column}}})", f"{steps}({ends})") for step, steps in functions)


SHOWN_STORIES = "(select * from stories where article_count > 0)"
QUARTERS_OF_DAYS = ("range_step", "range_steps")


@strawberry.input(description=ALL_MUST_HOLD)
class StoryFilter:
    topics: list[str] | None = asks(
        TOPICS,
        description="Topic slugs; a topic includes those under it.",
    )
    places: list[str] | None = asks(
        Facet(
            "PLACE",
            "array(select p.id from places p where p.slug = any({value}))",
            part_of("stories", "(select sum(p.story_count) from places p where p.slug = any({value}))"),
        ),
        description="Place slugs.",
    )
    outlets: list[str] | None = asks(
        Facet(
            "OUTLET",
            "array(select o.id from outlets o where o.domain = any({value}))",
            part_of("articles", "(select sum(o.article_count) from outlets o where o.domain = any({value}))"),
        ),
        description="Domains of outlets, any of which covers it.",
    )
    search: str | None = asks(
        Condition(f"{{search}} @@ {searched('{value}')}", convert=search_words),
        directives=weighs(100),
        description="Words to find in title, summary and key points (never in perspectives), in web-search syntax: "
        "quoted phrases, OR, and - to exclude.",
    )
    updated: TimeRange | None = asks(
        Range("{updated_at}", steps=steps_of(SHOWN_STORIES, "updated_at", QUARTERS_OF_DAYS)),
        directives=weighs(100),
        description="When anything about the story last changed.",
    )
    first_published: TimeRange | None = asks(
        Range(
            "{first_published_at}",
            steps=steps_of(SHOWN_STORIES, "first_published_at", QUARTERS_OF_DAYS),
            kept=("newest", "time_step"),
        ),
        description="When its first article was published.",
    )
    last_published: TimeRange | None = asks(
        Range(
            "{last_published_at}",
            steps=steps_of(SHOWN_STORIES, "last_published_at", QUARTERS_OF_DAYS),
            kept=("latest", "time_step"),
        ),
        description="When its newest article was published.",
    )
    blindspot: Side | None = asks(
        Condition("{blindspot} = {value}", "side", of_facets=True),
        description="Stories that are a blindspot for this side (none for CENTER).",
    )
    leading_side: Side | None = asks(
        Condition("{leading_side} = {value}", "side"), description="Stories where this side has the largest share."
    )
    min_outlets: int | None = asks(
        Range(
            "{outlet_count}",
            "integer",
            (Steps("size_class({outlet_count})", "size_classes({least})"),),
            ("coverage", "coverage_step"),
        ),
        description="Stories that at least so many outlets cover.",
    )
    countries: list[CountryCode] | None = asks(
        Facet(
            "COUNTRY",
            "array(select country_number(c) from unnest({value}) c)",
            part_of("articles", "(select sum(o.article_count) from outlets o where o.country = any({value}))"),
        ),
        description="Country of an outlet that covers it.",
    )


SIDES = Condition("{side} = any({value})", "side[]")
BIAS = Condition("{bias} = any({value})", "bias[]")
UNRATED = Condition("({bias} is null) = {value}", "boolean")
FACTUALITIES = Condition("{factuality} = any({value})", "factuality[]")
OWNERSHIPS = Condition("{ownership} = any({value})", "ownership_category[]")
COUNTRIES = Condition("{country} = any({value})", "text[]")
UNRATED_DESCRIPTION = "True for unrated outlets only, false for rated ones."


@strawberry.input(description=ALL_MUST_HOLD)
class ArticleFilter:
    sides: list[Side] | None = asks(
        ByOutlet(SIDES), description="Sides of outlets; one without a bias rating is on none."
    )
    bias: list[Bias] | None = asks(ByOutlet(BIAS), description="Points of outlets; one without a bias rating has none.")
    unrated: bool | None = asks(
        ByOutlet(UNRATED), description="True for articles of unrated outlets only, false for those of rated ones."
    )
    factuality: list[Factuality] | None = asks(
        ByOutlet(FACTUALITIES),
        directives=NEEDS_FACTUALITY,
        description="Levels of outlets; one without a factuality rating has none.",
    )
    ownership: list[OwnershipCategory] | None = asks(
        ByOutlet(OWNERSHIPS), directives=NEEDS_OWNERSHIP, description="Categories of the first owners of outlets."
    )
    outlets: list[str] | None = asks(
        ByOutlet(Condition("{domain} = any({value})", "text[]")), description="Domains of outlets."
    )
    topics: list[str] | None = asks(
        OfStory(TOPICS),
        description="Slugs of topics of its story; a topic includes those under it.",
    )
    countries: list[CountryCode] | None = asks(ByOutlet(COUNTRIES), description="Countries of outlets.")
    languages: list[LanguageTag] | None = asks(
        OneOf("language", "text[]"),
        description="Languages of the articles themselves, as they are given there: `en` is not `en-GB`.",
    )
    kinds: list[ArticleKind] | None = asks(
        OneOf("kind", "article_kind[]"), description="Whether they report, argue or explain."
    )
    paywalled: bool | None = asks(
        Condition("{paywalled} = {value}", "boolean"),
        description="Whether readers have to pay; where that is unknown it is neither true nor false.",
    )
    published: TimeRange | None = asks(Range("{published_at}"), description="When the outlet published it.")
    updated: TimeRange | None = asks(
        Range(
            "{updated_at}",
            steps=steps_of("articles", "updated_at", ("short_block", "short_blocks"), ("long_block", "long_blocks")),
        ),
        directives=weighs(100),
        description="When anything about the article last changed.",
    )
    search: str | None = asks(
        Words(
            "article_lexemes({title}, {excerpt}, {outlet_id}, {published_at})",
            searched("{value}"),
            "{published_at}",
            search_words,
        ),
        directives=weighs(500),
        description="Words to find in title and excerpt, in web-search syntax.",
    )


@strawberry.input(description=ALL_MUST_HOLD)
class OutletFilter:
    sides: list[Side] | None = asks(SIDES, description="Sides that they are on; one without a bias rating is on none.")
    bias: list[Bias] | None = asks(BIAS, description="Points that they have; one without a bias rating has none.")
    unrated: bool | None = asks(UNRATED, description=UNRATED_DESCRIPTION)
    factuality: list[Factuality] | None = asks(
        FACTUALITIES,
        directives=NEEDS_FACTUALITY,
        description="Levels that they have; one without a factuality rating has none.",
    )
    ownership: list[OwnershipCategory] | None = asks(
        OWNERSHIPS, directives=NEEDS_OWNERSHIP, description="Categories of their first owners."
    )
    countries: list[CountryCode] | None = asks(COUNTRIES, description="Countries that they are at home in.")
    mediums: list[Medium] | None = asks(
        Condition("{medium} = any({value})", "medium[]"), description="Kinds of publishers."
    )
    prefix: str | None = asks(
        Condition("(lower({name}) like lower({value}) or {domain} like lower({value}))", convert=prefix_pattern),
        description="Start of a name or domain.",
    )


# Orders -----------------------------------------------------------------------------------------------

LAST = Key("{last_published_at}", "timestamptz", descending=True)
NEWER = Key("{id}", "bigint", descending=True)
OLDER = Key("{id}", "bigint")
NEWEST_ARTICLE = Key("{published_at}", "timestamptz", descending=True)
RANK = Key(f"ts_rank({{search}}, {searched('{arg.filter.search}')})", "real", descending=True)
BIAS_OF_OUTLET = "(select o.bias from outlets o where o.id = {outlet_id})"


@strawberry.enum(description="How stories can be ordered.")
class StorySort(Enum):
    LATEST = strawberry.enum_value(Order((LAST, NEWER), ("latest",), "time_step"), description="Newest article first.")
    NEWEST = strawberry.enum_value(
        Order((Key("{first_published_at}", "timestamptz", descending=True), LAST, NEWER), ("newest",), "time_step"),
        description="Newest story first.",
    )
    MOST_COVERED = strawberry.enum_value(
        Order(
            (Key("{outlet_count}", "integer", descending=True), LAST, NEWER), ("coverage", "latest"), "coverage_step"
        ),
        description="Most outlets first.",
    )
    TRENDING = strawberry.enum_value(
        Order((Key("{trend}", "double precision", descending=True), LAST, NEWER), ("trending",), "trend_step"),
        description="Fastest growing first.",
    )
    RELEVANCE = strawberry.enum_value(
        Order((RANK, LAST, NEWER), among=1000, among_keys=(LAST, NEWER), needs=("filter", "search")),
        description="Best match first among the 1,000 latest stories that match; needs `filter.search`.",
    )


@strawberry.enum(description="How articles can be ordered.")
class ArticleSort(Enum):
    NEWEST = strawberry.enum_value(Order((NEWEST_ARTICLE, NEWER)), description="Newest article first.")
    OLDEST = strawberry.enum_value(
        Order((Key("{published_at}", "timestamptz"), OLDER)), description="Oldest article first."
    )


@strawberry.enum(description="How one story's articles can be ordered.")
class StoryArticleSort(Enum):
    NEWEST = strawberry.enum_value(Order((NEWEST_ARTICLE, NEWER)), description="Newest article first.")
    OLDEST = strawberry.enum_value(
        Order((Key("{published_at}", "timestamptz"), OLDER)), description="Oldest article first."
    )
    LEFT_TO_RIGHT = strawberry.enum_value(
        Order((Key(BIAS_OF_OUTLET, "bias", nullable=True), NEWEST_ARTICLE, NEWER)),
        description="Far left first, unrated last; newest first within a point.",
    )
    RIGHT_TO_LEFT = strawberry.enum_value(
        Order((Key(BIAS_OF_OUTLET, "bias", descending=True, nullable=True), NEWEST_ARTICLE, NEWER)),
        description="Far right first, unrated last too; newest first within a point.",
    )


@strawberry.enum(description="How outlets can be ordered.")
class OutletSort(Enum):
    NAME = strawberry.enum_value(
        Order((Key('lower({name}) collate "C"', "text"), OLDER)),
        description="A first, whatever the case; by code point.",
    )
    MOST_ARTICLES = strawberry.enum_value(
        Order((Key("{article_count}", "integer", descending=True), NEWER)), description="Most articles first."
    )
    LEFT_TO_RIGHT = strawberry.enum_value(
        Order((Key("{bias}", "bias", nullable=True), OLDER)), description="Far left first, unrated last."
    )
    RIGHT_TO_LEFT = strawberry.enum_value(
        Order((Key("{bias}", "bias", descending=True, nullable=True), NEWER)),
        description="Far right first, unrated last too.",
    )
