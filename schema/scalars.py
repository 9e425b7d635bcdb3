"""The custom scalars: what they look like, and what is refused when a client gives one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<offset>[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_URL = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)


def parse_datetime(value: Any) -> datetime:
    """A point in time from RFC 3339 text with an offset and at most six digits of fraction."""
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError('A DateTime is RFC 3339 with an offset, for example "2026-03-01T12:00:00Z".')
    if len(match["fraction"] or "") > 7:
        raise GraphQLError("A DateTime has at most six digits of fraction.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("There is no such date and time.") from None


def parse_date(value: Any) -> date:
    """A calendar day from YYYY-MM-DD."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise GraphQLError('A Date is YYYY-MM-DD, for example "2026-03-01".')
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("There is no such day.") from None


def _text(pattern: re.Pattern[str], message: str, *, whole: bool = True) -> Any:
    """A parser of text that must match."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not (pattern.fullmatch(value) if whole else pattern.match(value)):
            raise GraphQLError(message)
        return value

    return parse


DateTime = NewType("DateTime", datetime)
Date = NewType("Date", date)
URL = NewType("URL", str)
CountryCode = NewType("CountryCode", str)
LanguageTag = NewType("LanguageTag", str)

SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A point in time, RFC 3339. In responses UTC, as +00:00, with no fraction or up to six digits; "
        "more than six in input is refused.",
        specified_by_url="https://scalars.graphql.org/chillicream/date-time.html",
        serialize=datetime.isoformat,
        parse_value=parse_datetime,
    ),
    Date: strawberry.scalar(
        name="Date",
        description="A calendar day in UTC, YYYY-MM-DD.",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    URL: strawberry.scalar(
        name="URL",
        description="An absolute http or https URL.",
        serialize=str,
        parse_value=_text(_URL, "A URL begins with http:// or https:// and has a host.", whole=False),
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country, ISO 3166-1 alpha-2.",
        serialize=str,
        parse_value=_text(_COUNTRY, 'A CountryCode is two capital letters, for example "US".'),
    ),
    LanguageTag: strawberry.scalar(
        name="LanguageTag",
        description="A language, BCP 47.",
        serialize=str,
        parse_value=_text(_LANGUAGE, 'A LanguageTag is BCP 47, for example "en" or "pt-BR".'),
    ),
}
