"""The closed sets of words that the API speaks in. The names are the values in Postgres too, in the same order."""

from __future__ import annotations

from enum import Enum

import strawberry


@strawberry.enum(description="What happened to a story.")
class ChangeKind(Enum):
    CREATED = strawberry.enum_value("CREATED", description="It shows for the first time, or again.")
    UPDATED = strawberry.enum_value("UPDATED", description="Something of its own, or who covers it, is different.")
    MERGED = strawberry.enum_value("MERGED", description="It went into another story, which goes on.")
    REMOVED = strawberry.enum_value("REMOVED", description="It was removed, or its last article left.")


@strawberry.enum(description="Seven-point political bias of an outlet, left to right.")
class Bias(Enum):
    FAR_LEFT = "FAR_LEFT"
    LEFT = "LEFT"
    LEAN_LEFT = "LEAN_LEFT"
    CENTER = "CENTER"
    LEAN_RIGHT = "LEAN_RIGHT"
    RIGHT = "RIGHT"
    FAR_RIGHT = "FAR_RIGHT"


@strawberry.enum(description="The three sides that the seven points fold into.")
class Side(Enum):
    LEFT = "LEFT"
    CENTER = "CENTER"
    RIGHT = "RIGHT"


@strawberry.enum(description="Five-point record of factual reporting, worst to best.")
class Factuality(Enum):
    VERY_LOW = "VERY_LOW"
    LOW = "LOW"
    MIXED = "MIXED"
    HIGH = "HIGH"
    VERY_HIGH = "VERY_HIGH"


@strawberry.enum(description="Who owns an outlet.")
class OwnershipCategory(Enum):
    INDEPENDENT = "INDEPENDENT"
    MEDIA_CONGLOMERATE = "MEDIA_CONGLOMERATE"
    CORPORATION = "CORPORATION"
    PRIVATE_EQUITY = "PRIVATE_EQUITY"
    TELECOM = "TELECOM"
    BILLIONAIRE = "BILLIONAIRE"
    GOVERNMENT = "GOVERNMENT"
    OTHER = "OTHER"


@strawberry.enum(description="What kind of publisher an outlet is.")
class Medium(Enum):
    WEBSITE = "WEBSITE"
    NEWSPAPER = "NEWSPAPER"
    MAGAZINE = "MAGAZINE"
    TELEVISION = "TELEVISION"
    RADIO = "RADIO"
    NEWS_AGENCY = "NEWS_AGENCY"
    ORGANIZATION = "ORGANIZATION"
    JOURNAL = "JOURNAL"
    OTHER = "OTHER"


@strawberry.enum(description="Whether an article reports, argues or explains.")
class ArticleKind(Enum):
    NEWS = "NEWS"
    OPINION = "OPINION"
    ANALYSIS = "ANALYSIS"


@strawberry.enum(description="What a tier can include beyond the open data.")
class Feature(Enum):
    FACTUALITY = "FACTUALITY"
    OWNERSHIP = "OWNERSHIP"
    PERSPECTIVES = "PERSPECTIVES"
    HISTORY = "HISTORY"
    EXPORT = "EXPORT"


@strawberry.enum(
    description="How long the intervals of a timeline are. They start at whole UTC hours, days and Mondays."
)
class Interval(Enum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"


@strawberry.enum(description="Whether a count is exact or a lower bound at which counting stopped.")
class CountPrecision(Enum):
    EXACT = "EXACT"
    AT_LEAST = "AT_LEAST"
