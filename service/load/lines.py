"""Reads a line of the load stream: right, in the form in which it is stored, or wrong, with field and reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from service.load import shapes
from service.load.slugs import story_slug

MAX_LINE = 1024 * 1024
MAX_NAME = 40
"""So many characters of the name of a field are told."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)

Fields = dict[str, Any]


class Line(NamedTuple):
    """A line that is right. `fields` is the JSON of what it says of `key`; what it does not mention is not in there."""

    type: str
    key: str
    fields: str


class LineError(Exception):
    """A line that is wrong: why, in which field, and of which type, as far as these can be told.

    `at` is the place of the character where it stops being JSON, from 0.
    """

    def __init__(
        self,
        reason: str,
        field: str | None = None,
        type: str | None = None,  # noqa: A002 - its name in the stream
        at: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.type = type
        self.at = at


def read_line(text: bytes, now: datetime) -> Line:
    """The line that `text` holds; raises LineError where it is wrong."""
    if len(text) > MAX_LINE:
        raise LineError("the line is over 1 MiB")
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Where it is not even UTF-8, orjson has no text to tell a place in.
        if not error.doc:
            raise LineError(f"not JSON: {error.msg}") from None
        raise LineError(f"not JSON: {error.msg}, at character {error.pos + 1:,}", at=error.pos) from None
    if not isinstance(given, dict):
        raise LineError("the line must be an object")
    kind = given.get("type")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in TYPES:
        raise LineError(f"must be one of {', '.join(TYPES)}", "type")
    shape, store = TYPES[kind]
    try:
        fields: Fields = shape.validate_python(given, strict=True)
        # JSON has no way to a NUL but this escape, so hardly any line needs a closer look.
        if b"\\u0000" in text:
            _refuse_nul(fields, "")
        key = store(fields, now)
    except ValidationError as error:
        raise _line_error(error.errors(include_url=False)[0], kind) from None
    except LineError as error:
        raise LineError(error.reason, error.field, kind) from None
    return Line(kind, key, orjson.dumps(fields).decode())


def _store_topic(fields: Fields, _now: datetime) -> str:
    return _named(fields, "slug")


def _store_outlet(fields: Fields, _now: datetime) -> str:
    _empty_for_null(fields, "owners")
    if fields.get("ratings"):
        # Within a list, too, the later of two ratings of one agency wins.
        fields["ratings"] = list({rating["agency"]: rating for rating in fields["ratings"]}.values())
    return _named(fields, "domain")


def _store_story(fields: Fields, _now: datetime) -> str:
    key: str = fields.pop("key")
    _empty_for_null(fields, "keyPoints", "topics", "places")
    for name in ("topics", "places"):
        if name in fields:
            fields[name] = list(dict.fromkeys(fields[name]))
    if "perspectives" in fields:
        given: Mapping[str, str | None] = fields["perspectives"] or {}
        fields["perspectives"] = {side: text for side, text in given.items() if text and not text.isspace()}
    fields["slug"] = story_slug(fields["title"], key)
    return key


def _store_article(fields: Fields, now: datetime) -> str:
    url: str = fields.pop("url")
    if not EARLIEST <= fields["publishedAt"] <= now + AHEAD:
        raise LineError("must not be before 1900 or over a day ahead", "publishedAt")
    _empty_for_null(fields, "authors")
    if "kind" in fields and fields["kind"] is None:
        fields["kind"] = "NEWS"
    if fields.get("story") is None:
        fields["slug"] = story_slug(fields["title"], f"url:{url}")
    return url


def _store_merge(fields: Fields, _now: datetime) -> str:
    return fields["from"]


def _store_remove(fields: Fields, _now: datetime) -> str:
    story, article = fields.get("story"), fields.get("article")
    if (story is None) == (article is None):
        raise LineError("must have one of story and article", "story")
    return story or article or ""


def _named(fields: Fields, key: str) -> str:
    """The key, which is the name, too, of what has no other."""
    value: str = fields.pop(key)
    if "name" in fields and fields["name"] is None:
        fields["name"] = value
    return value


def _empty_for_null(fields: Fields, *lists: str) -> None:
    for name in lists:
        if name in fields and fields[name] is None:
            fields[name] = []


def _refuse_nul(value: object, path: str) -> None:
    """Postgres holds no NUL in a text. Raises LineError for the first field that has one."""
    if isinstance(value, str) and "\0" in value:
        raise LineError("must not hold NUL", path)
    if isinstance(value, dict):
        for name, part in value.items():  # pyright: ignore[reportUnknownVariableType]
            _refuse_nul(part, f"{path}.{name}" if path else str(name))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list):
        for index, part in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            _refuse_nul(part, f"{path}[{index}]")  # pyright: ignore[reportUnknownArgumentType]


def _line_error(error: ErrorDetails, kind: str) -> LineError:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{_shortened(part)}" for part in error["loc"])
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "string_pattern_mismatch":
            reason = shapes.REASONS[context["pattern"]]
        case "missing":
            reason = "is required"
        case "extra_forbidden":
            reason = "is not a field there"
        case "string_too_long":
            reason = f"must have at most {context['max_length']:,} characters"
        case "too_long":
            reason = f"must have at most {context['max_length']} entries"
        case "literal_error":
            reason = f"must be one of {context['expected']}".replace("'", "")
        case "time" | "key":
            reason = error["msg"]
        case _:
            reason = "is required" if error["input"] is None else error["msg"].replace("Input should be", "must be")
    return LineError(reason, field.removeprefix("."), kind)


def _shortened(name: str) -> str:
    """The name of a field, which is the line's own where there is no such field."""
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


TYPES: Mapping[str, tuple[TypeAdapter[Any], Callable[[Fields, datetime], str]]] = {
    "topic": (TypeAdapter(shapes.Topic), _store_topic),
    "place": (TypeAdapter(shapes.Place), _store_topic),
    "outlet": (TypeAdapter(shapes.Outlet), _store_outlet),
    "story": (TypeAdapter(shapes.Story), _store_story),
    "article": (TypeAdapter(shapes.Article), _store_article),
    "merge": (TypeAdapter(shapes.Merge), _store_merge),
    "remove": (TypeAdapter(shapes.Remove), _store_remove),
}
