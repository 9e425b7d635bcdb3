"""Figures: who covers a story, how those outlets divide, how that grew. Made of a row's counts, whatever the row is."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.binding import Embedded, Gated, Rows, bound, column
from schema.directives import FREE, NEEDS_FACTUALITY, NEEDS_OWNERSHIP, about, weighs
from schema.scalars import CountryCode, DateTime, LanguageTag
from schema.vocabulary import Bias, Factuality, Feature, OwnershipCategory, Side

RULE_VERSION = "1"


def share(count: str, counts: str, entry: str, rated: str) -> Embedded:
    """A share: `count` of `rated`, which is entry number `entry` of the array `counts`."""
    return Embedded({"count": count, "counts": counts, "entry": entry, "rated": rated})


def side_share(entry: int, side: str) -> Embedded:
    """The share of one of the three sides."""
    return share(f"{{{side}_count}}", "side_counts({bias_counts})", str(entry), "{rated_count}")


def listed(kind: str, counts: str) -> Rows:
    """A row for each value of the enum `kind`, in its order: value, counts, entry."""
    return Rows(
        f"(select v.value, v.entry, c.counts, c.counts[v.entry] as count, total(c.counts) as rated"
        f" from (select {counts} as counts) c, unnest(enum_range(null::{kind})) with ordinality as v (value, entry))",
        order="{entry}",
    )


ENTRY = Embedded()


@strawberry.type(
    description="A part of a whole. `fraction` is exact; `percent` is whole and the percents of one distribution "
    "always add up to 100 (largest remainder; a tie goes to the earlier entry), or are all 0 where nothing is rated.",
    directives=FREE,
)
class Share:
    count: int = column(description="How many of the rated ones are in this part.")
    fraction: float = column(
        "coalesce({count}::double precision / nullif({rated}, 0), 0)",
        description="`count` over all rated ones, 0 to 1; 0 where nothing is rated.",
    )
    percent: int = column(
        "(percents({counts}))[{entry}]", description="Whole percent of all rated ones, 0 to 100.", directives=weighs(5)
    )


@strawberry.type(description="How many have one of the seven points.", directives=FREE)
class BiasCount:
    bias: Bias = column("{value}", description="The point that is counted.")
    share: Share = bound(ENTRY, description="Its part of the reports whose outlet has a bias rating.")


@strawberry.type(description="How reports divide by the bias of their outlets.", directives=FREE)
class BiasDistribution:
    left: Share = bound(side_share(1, "left"), description="Reports by outlets that are far left, left or lean left.")
    center: Share = bound(side_share(2, "center"), description="Reports by outlets in the center.")
    right: Share = bound(
        side_share(3, "right"), description="Reports by outlets that lean right, are right or far right."
    )
    rated_count: int = column(
        description="Reports whose outlet has a bias rating (for one story: outlets): the denominator of every share."
    )
    unrated_count: int = column(
        "{outlet_count} - {rated_count}", description="Reports whose outlet has no bias rating: in no share."
    )
    points: list[BiasCount] = bound(
        listed("bias", "{outer.bias_counts}"),
        directives=about(7),
        description="All seven points, left to right, zeros included.",
    )
    mean: float | None = column(
        "bias_mean({bias_counts})", description="Mean bias of the rated outlets, -3 to 3; null where none is rated."
    )


@strawberry.type(description="How many have one level of factual reporting.", directives=FREE)
class FactualityCount:
    factuality: Factuality = column("{value}", description="The level that is counted.")
    share: Share = bound(ENTRY, description="Its part of the reports whose outlet has a factuality rating.")


@strawberry.type(description="How reports divide by their outlets' record of factual reporting.", directives=FREE)
class FactualityDistribution:
    rated_count: int = column(
        "total({factuality_counts})",
        description="Reports whose outlet has a factuality rating: the denominator of every share.",
    )
    unrated_count: int = column(
        "{outlet_count} - total({factuality_counts})",
        description="Reports whose outlet has no factuality rating: in no share.",
    )
    levels: list[FactualityCount] = bound(
        listed("factuality", "{outer.factuality_counts}"),
        directives=about(5),
        description="All five levels, worst to best, zeros included.",
    )


@strawberry.type(description="How many have one category of owner.", directives=FREE)
class OwnershipCount:
    category: OwnershipCategory = column("{value}", description="The category that is counted.")
    share: Share = bound(ENTRY, description="Its part of the reports whose outlet has a known owner.")


@strawberry.type(description="How reports divide by who owns their outlets.", directives=FREE)
class OwnershipDistribution:
    known_count: int = column(
        "total({ownership_counts})",
        description="Reports whose outlet has a known owner (the first one counts): the denominator of every share.",
    )
    unknown_count: int = column(
        "{outlet_count} - total({ownership_counts})",
        description="Reports whose outlet has no known owner: in no share.",
    )
    categories: list[OwnershipCount] = bound(
        listed("ownership_category", "{outer.ownership_counts}"),
        directives=about(8),
        description="Every category, zeros included.",
    )


@strawberry.type(description="Stands where the caller's tier does not include the data.", directives=FREE)
class UpgradeRequired:
    feature: Feature = strawberry.field(description="What a tier needs to include for the data to show.")
    tier: str | None = strawberry.field(description="The least tier that includes it; null where none does.")
    message: str = strawberry.field(description="For people to read.")


CoverageFactuality = Annotated[
    FactualityDistribution | UpgradeRequired,
    strawberry.union("CoverageFactuality", description="How reports divide by factual reporting, where included."),
]
CoverageOwnership = Annotated[
    OwnershipDistribution | UpgradeRequired,
    strawberry.union("CoverageOwnership", description="How reports divide by ownership, where included."),
]


@strawberry.type(description="How many of the reports come from outlets of one country.", directives=FREE)
class CountryCount:
    country: CountryCode = column(description="The country of the outlets.")
    count: int = column(description="Reports by outlets of that country.")


@strawberry.type(description="How many of the articles are in one language.", directives=FREE)
class LanguageCount:
    language: LanguageTag = column(description="The language of the articles.")
    count: int = column(description="Articles in that language.")


@strawberry.type(
    description="The side whose outlets barely report a story that the other side reports widely.", directives=FREE
)
class Blindspot:
    side: Side = column("{blindspot}", description="The side that barely reports it, LEFT or RIGHT.")
    fraction: float = column(
        "least({left_count}, {right_count})::double precision / {rated_count}",
        description="The part of the rated reports that this side has: at most 0.2.",
    )
    opposite_fraction: float = column(
        "greatest({left_count}, {right_count})::double precision / {rated_count}",
        description="The part that the opposite side has: at least 0.35, and at least twice as large.",
    )


@strawberry.type(
    description="Who covers one story. Every distribution counts *reports*: an outlet counts once for a story, however "
    "many articles it published about it. Shares are over the outlets that have the rating in question; those without "
    "one are counted beside, never inside.",
    directives=FREE,
)
class Coverage:
    id: strawberry.ID = column(
        "'coverage_' || {id}",
        description="The story's id, tagged as coverage, so that clients can cache it. Not a Node.",
    )
    article_count: int = column(description="Articles of the story, several by one outlet each for itself.")
    outlet_count: int = column(description="Outlets that cover the story.")
    bias: BiasDistribution = bound(Embedded(), description="How its outlets divide by bias.")
    factuality: CoverageFactuality = bound(
        Gated(Feature.FACTUALITY, "FactualityDistribution", Embedded()),
        directives=NEEDS_FACTUALITY,
        description="How its outlets divide by their record of factual reporting.",
    )
    ownership: CoverageOwnership = bound(
        Gated(Feature.OWNERSHIP, "OwnershipDistribution", Embedded()),
        directives=NEEDS_OWNERSHIP,
        description="How its outlets divide by who owns them.",
    )
    countries: list[CountryCount] = bound(
        Rows(
            "(select o.country, count(*) as count from reports r join outlets o on o.id = r.outlet_id"
            " where r.story_id = {outer.id} and o.country is not null group by o.country)",
            order="{count} desc, {country}",
        ),
        directives=(*weighs(5), *about(10)),
        description="Reports by the country of their outlet, most first.",
    )
    languages: list[LanguageCount] = bound(
        Rows(
            "(select a.language, count(*) as count from articles a"
            " where a.story_id = {outer.id} and a.language is not null group by a.language)",
            order="{count} desc, {language}",
        ),
        directives=(*weighs(5), *about(5)),
        description="Articles by their language, most first.",
    )
    blindspot: Blindspot | None = bound(
        Embedded(when="{blindspot} is not null"),
        description="The side that is missing from the story, where the rule finds one.",
    )
    computed_at: DateTime = column(description="When these figures were computed.")
    rule_version: str = column(f"'{RULE_VERSION}'::text", description="Version of the rules that the figures follow.")


@strawberry.type(
    description="Counts are of what was published within the bucket; a report falls in the bucket of its first "
    "article.",
    directives=FREE,
)
class TimelineBucket:
    start: DateTime = column(
        description="When it begins, UTC; it ends where an interval is over. May lie before the window."
    )
    article_count: int = column(description="Articles published within it.")
    report_count: int = column(description="Reports whose first article was published within it.")
    left: int = column("{left_count}", description="Of these reports, those by outlets on the left.")
    center: int = column("{center_count}", description="Of these reports, those by outlets in the center.")
    right: int = column("{right_count}", description="Of these reports, those by outlets on the right.")
    unrated: int = column("{unrated_count}", description="Of these reports, those by outlets without a bias rating.")
