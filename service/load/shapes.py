"""What a line of the load stream may hold, type by type. Knows no JSON, no file and no database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

MAX_KEY = 300
MAX_URL = 2_048

_CONTROL = r"\x00-\x1f\x7f-\x9f"
_NAMED = r"\S"
_COUNTRY = r"^[A-Z]{2}$"
_LANGUAGE = r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"
_URL = (
    rf"^https?://([^/?#\\{_CONTROL}]*@)?"  # who asks, where the address names one
    rf"[^/?#\\@:\s{_CONTROL}][^/?#\\@{_CONTROL}]*"
    rf"([/?#\\][^{_CONTROL}]*)?$"
)
_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)

REASONS = {
    _NAMED: "is required and must not be blank",
    _COUNTRY: "must be a country of ISO 3166-1: two capital letters",
    _LANGUAGE: "must be a language tag of BCP 47",
    _URL: "must be an http:// or https:// URL with a host, and without control characters",
    _TIME: "must be an RFC 3339 time with an offset, and at most six digits of a fraction",
}
"""What is wrong with a text that does not fit a pattern."""


def _utc(text: str) -> datetime:
    """The time in UTC; the pattern is known to hold, so what can be wrong is a value out of its range."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "must be a time that exists") from None


def _story_key(text: str) -> str:
    """A key of at most 300 characters, but for that of a story made for an article: it holds the article's URL."""
    if len(text) > MAX_KEY and not text.startswith(("url:http://", "url:https://")):
        raise PydanticCustomError("key", "must have at most {limit} characters", {"limit": MAX_KEY})
    return text


Key = Annotated[str, StringConstraints(pattern=_NAMED, max_length=MAX_KEY)]
StoryKey = Annotated[
    str, StringConstraints(pattern=_NAMED, max_length=len("url:") + MAX_URL), AfterValidator(_story_key)
]
Domain = Annotated[str, StringConstraints(pattern=_NAMED, max_length=MAX_KEY, to_lower=True)]
Name = Annotated[str, StringConstraints(max_length=MAX_KEY)]
Title = Annotated[str, StringConstraints(pattern=_NAMED, max_length=1_000)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Url = Annotated[str, StringConstraints(pattern=_URL, max_length=MAX_URL)]
Time = Annotated[str, StringConstraints(pattern=_TIME), AfterValidator(_utc)]
Country = Annotated[str, StringConstraints(pattern=_COUNTRY)]
Language = Annotated[str, StringConstraints(pattern=_LANGUAGE, max_length=35)]
AtMost100 = Field(max_length=100)

Bias = Literal["FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT"]
Factuality = Literal["VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH"]
Category = Literal[
    "INDEPENDENT",
    "MEDIA_CONGLOMERATE",
    "CORPORATION",
    "PRIVATE_EQUITY",
    "TELECOM",
    "BILLIONAIRE",
    "GOVERNMENT",
    "OTHER",
]
Medium = Literal[
    "WEBSITE", "NEWSPAPER", "MAGAZINE", "TELEVISION", "RADIO", "NEWS_AGENCY", "ORGANIZATION", "JOURNAL", "OTHER"
]
Kind = Literal["NEWS", "OPINION", "ANALYSIS"]


class Topic(TypedDict):
    """Its key is `slug`."""

    slug: Key
    name: NotRequired[Name | None]
    parent: NotRequired[Key | None]


class Place(TypedDict):
    """Its key is `slug`."""

    slug: Key
    name: NotRequired[Name | None]
    country: NotRequired[Country | None]


class Owner(TypedDict):
    """One of an outlet's owners."""

    name: Key
    category: Category


class Rating(TypedDict):
    """What one agency says of an outlet. It stands for itself: what it does not give, the agency does not rate."""

    agency: Key
    bias: NotRequired[Bias | None]
    factuality: NotRequired[Factuality | None]
    ratedAt: NotRequired[Time | None]
    url: NotRequired[Url | None]


class Outlet(TypedDict):
    """Its key is `domain`."""

    domain: Domain
    name: NotRequired[Name | None]
    homepageUrl: NotRequired[Url | None]
    country: NotRequired[Country | None]
    place: NotRequired[Key | None]
    language: NotRequired[Language | None]
    medium: NotRequired[Medium | None]
    owners: NotRequired[Annotated[list[Owner], AtMost100] | None]
    ratings: NotRequired[Annotated[list[Rating], AtMost100] | None]


@with_config(ConfigDict(extra="forbid"))
class Perspectives(TypedDict):
    """How each side told a story. A side that is not one of the three is no field that others may need."""

    LEFT: NotRequired[Text | None]
    CENTER: NotRequired[Text | None]
    RIGHT: NotRequired[Text | None]


class Story(TypedDict):
    """Its key is `key`."""

    key: StoryKey
    title: Title
    summary: NotRequired[Text | None]
    keyPoints: NotRequired[Annotated[list[str], AtMost100] | None]
    perspectives: NotRequired[Perspectives | None]
    topics: NotRequired[Annotated[list[Key], AtMost100] | None]
    places: NotRequired[Annotated[list[Key], AtMost100] | None]
    imageUrl: NotRequired[Url | None]


class Article(TypedDict):
    """Its key is `url`."""

    url: Url
    outlet: Domain
    title: Title
    publishedAt: Time
    story: NotRequired[StoryKey | None]
    excerpt: NotRequired[Text | None]
    authors: NotRequired[Annotated[list[Name], AtMost100] | None]
    kind: NotRequired[Kind | None]
    language: NotRequired[Language | None]
    imageUrl: NotRequired[Url | None]
    paywalled: NotRequired[bool | None]


Merge = TypedDict("Merge", {"from": StoryKey, "into": StoryKey})
"""Two stories that are one."""


class Remove(TypedDict):
    """What is to go: one of the two."""

    story: NotRequired[StoryKey | None]
    article: NotRequired[Url | None]
