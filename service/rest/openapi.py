"""The OpenAPI 3.1 document of all routes. Knows nothing of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from graphql import FragmentDefinitionNode, GraphQLInt, GraphQLNonNull, is_enum_type

from service.documents import BrokenDocuments, Registered
from service.planner.inputs import MOST_ITEMS
from service.rest.examples import Example, example_of
from service.rest.json_schemas import JsonSchema, Schemas
from service.rest.parameters import Parameter, Parameters
from service.rest.selections import Answered, Selecting

DESCRIPTION = """\
News stories, the articles about them, the outlets that wrote those, and coverage: who reports a story, how these
outlets divide by bias, factuality, ownership and country, and which side is missing.

Each path is answered by a registered GraphQL document, which has the name of the operation where it is JSON of its own
shape. What GraphQL has beyond these paths is at `/graphql`. Lists are separated by commas; a parameter that is not
known, or given twice, is refused where there are any. Errors are problems (RFC 9457) with a stable `code`.

Examples are what is answered of the demo world, to a caller whose tier has every feature: others find `UpgradeRequired`
in the place of what theirs lacks.\
"""
GIVEN: dict[str, JsonSchema] = {
    "Int": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "LanguageTag": {"type": "string", "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"},
}
"""What may be given of scalars of which what is answered needs no such bounds."""

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
HEADERS: dict[str, tuple[str, JsonSchema]] = {
    "ETag": ("What `If-None-Match` takes. Absent from what nobody may keep.", _TEXT),
    "Cache-Control": ("For how long, and by whom, the answer may be kept.", _TEXT),
    "Age": ("Seconds since the answer was made.", _COUNT),
    "Cache-Status": ("Where the answer came from (RFC 9211).", _TEXT),
    "Content-Disposition": ("The name to save it under.", _TEXT),
    "Link": ('The next page, as `rel="next"` (RFC 8288); absent from the last one.', _TEXT),
    "Request-Cost": ("What the request cost of the allowance.", _COUNT),
    "RateLimit-Policy": ("What the allowance holds. Absent from what caches may give to others.", _TEXT),
    "RateLimit": ("What is left of the allowance, and when it is full. Absent as `RateLimit-Policy`.", _TEXT),
    "X-Request-Id": ("The id of the request: the one that was sent, or a new one.", _TEXT),
    "Retry-After": ("Seconds after which to come again.", _COUNT),
    "Allow": ("The methods that there are.", _TEXT),
    "WWW-Authenticate": ("How to send a key.", _TEXT),
}
PROBLEM: JsonSchema = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Some have members beside, such as the `parameter` that it is about.",
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong, for people to read."},
        "code": {"type": "string", "description": "What is wrong, for programs: it stays the same."},
        "requestId": {"type": "string"},
        "parameter": {"type": "string", "description": "The parameter that cannot be used."},
    },
    "required": ["type", "title", "status", "detail", "code", "requestId"],
}


class Told(NamedTuple):
    """What is told of a status: the response's name, what it says, its usual code, and headers of its own."""

    name: str
    description: str
    code: str
    headers: tuple[str, ...] = ()


PROBLEMS = {
    "400": Told("BadInput", "A parameter cannot be used.", "BAD_USER_INPUT"),
    "401": Told("Unauthenticated", "The key is none that is good now.", "UNAUTHENTICATED", ("WWW-Authenticate",)),
    "403": Told("UpgradeRequired", "What is asked for needs a feature that the tier lacks.", "UPGRADE_REQUIRED"),
    "404": Told("NotFound", "There is nothing by this name.", "NOT_FOUND"),
    "405": Told("MethodNotAllowed", "This is only read.", "METHOD_NOT_ALLOWED", ("Allow",)),
    "406": Told("NotAcceptable", "The Accept header does not allow JSON.", "NOT_ACCEPTABLE"),
    "413": Told("TooLarge", "The query string is too long.", "REQUEST_TOO_LARGE"),
    "429": Told("RateLimited", "The allowance is spent.", "RATE_LIMITED", ("Retry-After",)),
    "500": Told("Failed", "Something went wrong on our side.", "INTERNAL"),
    "503": Told("Unavailable", "The service cannot answer at the moment.", "UNAVAILABLE", ("Retry-After",)),
    "504": Told("TimedOut", "The answer took longer than one may.", "TIMEOUT"),
}
_TAKEN = ("Problem",)
ALLOWANCE = ("RateLimit-Policy", "RateLimit")


KEPT = ("ETag", "Cache-Control", "Age", "Cache-Status")


class Beside(NamedTuple):
    """A path that is answered of a registered document beside those that carry routes, with all that is told of it.

    `choices` are parameters of the path that are one of a few words, and `contents` makes its media types. `refusals`
    are statuses of PROBLEMS.
    """

    path: str
    id: str
    about: str
    contents: Callable[[Schemas], Mapping[str, Any]]
    headers: tuple[str, ...]
    refusals: tuple[str, ...]
    parameters: Sequence[Parameter] = ()
    choices: Mapping[str, tuple[str, Sequence[str]]] = {}


class Described(NamedTuple):
    """A route with all that is told of it."""

    path: str
    document: Registered
    parameters: Parameters
    answered: Answered
    selecting: Selecting


def check_names(routes: Iterable[Described]) -> None:
    """Raises BrokenDocuments where two schemas of the document would have one name.

    It looks at fragments as they are written, since the schemas are only made when the document is asked for.
    """
    first: dict[str, FragmentDefinitionNode] = {}
    for each in routes:
        for name, fragment in each.selecting.fragments.items():
            if name in _TAKEN or is_enum_type(each.selecting.schema.get_type(name)):
                raise BrokenDocuments(f"{each.document.name}: a fragment {name} would have the name of another schema")
            if first.setdefault(name, fragment) != fragment:
                raise BrokenDocuments(f"two documents with routes have fragments {name} that are not alike")


def openapi(
    routes: Iterable[Described], public_url: str | None, max_page_size: int, beside: Iterable[Beside] = ()
) -> dict[str, Any]:
    """The document, of the most items that a page can have; `check_names` has looked at the routes."""
    schemas = Schemas()
    schemas.components["Problem"] = PROBLEM
    paths = {each.path: {"get": _operation(each, schemas, max_page_size)} for each in routes}
    paths |= {each.path: {"get": _beside(each, schemas, max_page_size)} for each in beside}
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "Parallax",
            "version": version("parallax"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url or "/"}],
        "security": [{}, {"bearer": []}, {"apiKey": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(path) for path in paths)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "headers": {name: {"description": told, "schema": kind} for name, (told, kind) in HEADERS.items()},
            "responses": {each.name: _problem(each) for each in PROBLEMS.values()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key: `plx_…`."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
            },
        },
    }


def _operation(described: Described, schemas: Schemas, max_page_size: int) -> dict[str, Any]:
    document, answered = described.document, described.answered
    id_ = document.name[0].lower() + document.name[1:]
    example = example_of(id_)
    given = [_parameter(each, schemas, max_page_size, example) for each in described.parameters.listed]
    schema = schemas.selected(described.selecting, GraphQLNonNull(answered.type), answered.sets)
    return {
        "operationId": id_,
        **_about(document.about, described.path),
        **({"parameters": given} if given else {}),
        "responses": _responses(
            answered.type.description or document.about,
            _exemplified({"application/json": {"schema": schema}}, example),
            (*KEPT, *ALLOWANCE, "Request-Cost", "X-Request-Id", *(("Link",) if answered.paging else ())),
            [status for status in PROBLEMS if status != "404" or answered.nullable],
        ),
    }


def _beside(beside: Beside, schemas: Schemas, max_page_size: int) -> dict[str, Any]:
    example = example_of(beside.id)
    given = [_parameter(each, schemas, max_page_size, example) for each in beside.parameters]
    chosen = [
        {"name": name, "in": "path", "required": True, "description": told, "schema": {**_TEXT, "enum": list(words)}}
        for name, (told, words) in beside.choices.items()
    ]
    contents = _exemplified(beside.contents(schemas), example)
    return {
        "operationId": beside.id,
        **_about(beside.about, beside.path),
        **({"parameters": [*given, *chosen]} if given or chosen else {}),
        "responses": _responses(beside.about, contents, beside.headers, beside.refusals),
    }


def _exemplified(contents: Mapping[str, Any], example: Example | None) -> Mapping[str, Any]:
    """The media types of an answer, the first of them with the example."""
    first = next(iter(contents))
    return {**contents, first: {**contents[first], "example": example.answer}} if example else contents


def _about(told: str, path: str) -> dict[str, Any]:
    return {"summary": _first_sentence(told), "description": told, "tags": [_tag(path)]}


def _responses(
    about: str, contents: Mapping[str, Any], headers: Sequence[str], refusals: Iterable[str]
) -> dict[str, Any]:
    known = {
        "304": {
            "description": "What `If-None-Match` names is still true.",
            "headers": _headers("ETag", "Cache-Control", "Age", "X-Request-Id"),
        }
    }
    return {
        "200": {"description": about, "headers": _headers(*headers), "content": contents},
        **(known if "ETag" in headers else {}),
        **{status: {"$ref": f"#/components/responses/{PROBLEMS[status].name}"} for status in refusals},
    }


def _parameter(parameter: Parameter, schemas: Schemas, max_page_size: int, example: Example | None) -> dict[str, Any]:
    leaf: JsonSchema = GIVEN.get(parameter.leaf.name) or schemas.leaf(parameter.leaf)
    if parameter.paged and parameter.leaf is GraphQLInt:
        leaf = {**leaf, "minimum": 0, "maximum": max_page_size}
    elif leaf == {"type": "string"}:
        leaf = {**leaf, "minLength": 1}
    schema = {"type": "array", "items": leaf, "minItems": 1, "maxItems": MOST_ITEMS} if parameter.listed else leaf
    if parameter.default is not None:
        schema = {**schema, "default": parameter.default}
    needs = f"Needs the feature {parameter.feature}." if parameter.feature else ""
    told = {
        "name": parameter.name,
        "in": "path" if parameter.in_path else "query",
        "required": parameter.required,
        "description": f"{parameter.description} {needs}".strip(),
        "schema": schema,
    }
    if example and parameter.name in example.parameters:
        told["example"] = example.parameters[parameter.name]
    return {**told, "style": "form", "explode": False} if parameter.listed else told


def _problem(told: Told) -> dict[str, Any]:
    return {
        "description": f"{told.description} `code` is mostly `{told.code}`.",
        "headers": _headers(*told.headers, *ALLOWANCE, "X-Request-Id"),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _tag(path: str) -> str:
    """The kind of thing that a path is about: its first word, or the first after its version."""
    first, *others = path.strip("/").split("/")
    return others[0] if first == "v1" else first


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")
