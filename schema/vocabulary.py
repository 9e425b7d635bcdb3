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
    FAR_LEFT = strawberry.enum_value("FAR_LEFT", description="Counts as -3 in `biasScore` and `mean`.")
    LEFT = strawberry.enum_value("LEFT", description="Counts as -2 in `biasScore` and `mean`.")
    LEAN_LEFT = strawberry.enum_value("LEAN_LEFT", description="Counts as -1 in `biasScore` and `mean`.")
    CENTER = strawberry.enum_value("CENTER", description="Counts as 0 in `biasScore` and `mean`.")
    LEAN_RIGHT = strawberry.enum_value("LEAN_RIGHT", description="Counts as 1 in `biasScore` and `mean`.")
    RIGHT = strawberry.enum_value("RIGHT", description="Counts as 2 in `biasScore` and `mean`.")
    FAR_RIGHT = strawberry.enum_value("FAR_RIGHT", description="Counts as 3 in `biasScore` and `mean`.")


@strawberry.enum(description="The three sides that the seven points fold into.")
class Side(Enum):
    LEFT = strawberry.enum_value("LEFT", description="FAR_LEFT, LEFT and LEAN_LEFT.")
    CENTER = strawberry.enum_value("CENTER", description="CENTER alone.")
    RIGHT = strawberry.enum_value("RIGHT", description="LEAN_RIGHT, RIGHT and FAR_RIGHT.")


@strawberry.enum(description="Five-point record of factual reporting, worst to best.")
class Factuality(Enum):
    VERY_LOW = strawberry.enum_value("VERY_LOW", description="Counts as 1 in `score`.")
    LOW = strawberry.enum_value("LOW", description="Counts as 2 in `score`.")
    MIXED = strawberry.enum_value("MIXED", description="Counts as 3 in `score`.")
    HIGH = strawberry.enum_value("HIGH", description="Counts as 4 in `score`.")
    VERY_HIGH = strawberry.enum_value("VERY_HIGH", description="Counts as 5 in `score`.")


@strawberry.enum(description="Who owns an outlet.")
class OwnershipCategory(Enum):
    INDEPENDENT = strawberry.enum_value("INDEPENDENT", description="Belongs to no larger group.")
    MEDIA_CONGLOMERATE = strawberry.enum_value("MEDIA_CONGLOMERATE", description="A group whose business is media.")
    CORPORATION = strawberry.enum_value("CORPORATION", description="A company whose business is something else.")
    PRIVATE_EQUITY = strawberry.enum_value("PRIVATE_EQUITY", description="An investment fund.")
    TELECOM = strawberry.enum_value("TELECOM", description="A telecommunications company.")
    BILLIONAIRE = strawberry.enum_value("BILLIONAIRE", description="One very rich person or family.")
    GOVERNMENT = strawberry.enum_value("GOVERNMENT", description="A state, or a body that it pays for.")
    OTHER = strawberry.enum_value("OTHER", description="Known, and none of these.")


@strawberry.enum(description="What kind of publisher an outlet is.")
class Medium(Enum):
    WEBSITE = strawberry.enum_value("WEBSITE", description="Publishes on the web alone.")
    NEWSPAPER = strawberry.enum_value("NEWSPAPER", description="Has a printed newspaper.")
    MAGAZINE = strawberry.enum_value("MAGAZINE", description="Has a magazine.")
    TELEVISION = strawberry.enum_value("TELEVISION", description="Broadcasts pictures.")
    RADIO = strawberry.enum_value("RADIO", description="Broadcasts sound.")
    NEWS_AGENCY = strawberry.enum_value("NEWS_AGENCY", description="Sells news to other outlets.")
    ORGANIZATION = strawberry.enum_value(
        "ORGANIZATION", description="Something other than a publisher that publishes, for example a society."
    )
    JOURNAL = strawberry.enum_value("JOURNAL", description="A journal of a science or profession.")
    OTHER = strawberry.enum_value("OTHER", description="Known, and none of these.")


@strawberry.enum(description="Whether an article reports, argues or explains.")
class ArticleKind(Enum):
    NEWS = strawberry.enum_value("NEWS", description="It reports.")
    OPINION = strawberry.enum_value("OPINION", description="It argues.")
    ANALYSIS = strawberry.enum_value("ANALYSIS", description="It explains.")


@strawberry.enum(description="What a tier can include beyond the open data.")
class Feature(Enum):
    FACTUALITY = strawberry.enum_value(
        "FACTUALITY", description="Records of factual reporting, of outlets and in coverage."
    )
    OWNERSHIP = strawberry.enum_value("OWNERSHIP", description="Who owns outlets, also in coverage.")
    PERSPECTIVES = strawberry.enum_value("PERSPECTIVES", description="How each side told a story.")
    HISTORY = strawberry.enum_value(
        "HISTORY", description="Windows that begin long ago: more than 90 days, unless the service is set otherwise."
    )
    EXPORT = strawberry.enum_value("EXPORT", description="All that a filter chooses as one file, at `/v1/export`.")


@strawberry.enum(
    description="How long the intervals of a timeline are. They start at whole UTC hours, days and Mondays."
)
class Interval(Enum):
    HOUR = strawberry.enum_value("HOUR", description="From a whole hour.")
    DAY = strawberry.enum_value("DAY", description="From midnight.")
    WEEK = strawberry.enum_value("WEEK", description="From midnight on a Monday.")


@strawberry.enum(description="Whether a count is exact or a lower bound at which counting stopped.")
class CountPrecision(Enum):
    EXACT = strawberry.enum_value("EXACT", description="There are just as many.")
    AT_LEAST = strawberry.enum_value("AT_LEAST", description="There are as many or more.")
