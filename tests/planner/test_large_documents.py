"""Documents that are larger than they look, or larger than may be: refused before anything costly looks at them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg
import pytest

from schema import schema
from service.db.pool import Database
from service.errors import ApiError, ParseFailed, ValidationFailed
from service.planner import Planner
from service.settings import Settings
from tests.databases import database
from tests.planner.asking import Asking, told_internals

pytestmark = pytest.mark.any_engine


class Large(NamedTuple):
    text: str
    error: type[ApiError]
    said: str


def chain(type_: str, link: str, end: str, length: int = 25) -> str:
    """Fragments of which each spreads the next as `link` says, down to `end`."""
    links = [f"fragment f{n} on {type_} {{ {link.replace('NEXT', f'...f{n + 1}')} }}" for n in range(length)]
    return " ".join([*links, f"fragment f{length} on {type_} {{ {end} }}"])


def nested(depth: int, times: int) -> str:
    return "id" if depth == 0 else f"related {{ {nested(depth - 1, times)} }} " * times


LARGE = {
    "fragments that spread the next twice": Large(
        "{ ...f0 } " + chain("Query", "NEXT NEXT", "__typename"),
        ValidationFailed,
        "root fields: 33,554,432, at most 10",
    ),
    "fragments that spread the next twice under fields": Large(
        "{ stories { nodes { ...f0 } } } " + chain("Story", "id NEXT NEXT", "id"),
        ValidationFailed,
        "fields: 67,108,865, at most 5,000",
    ),
    "fragments that go deep twice": Large(
        "{ stories { nodes { ...f0 } } } " + chain("Story", "a: related { NEXT } b: related { NEXT }", "id"),
        ValidationFailed,
        "depth: 28, at most 12",
    ),
    "1,000 repeats of a field": Large("{" + "topics{nodes{id}}" * 1_000 + "}", ParseFailed, "more than 1000 tokens"),
    "a string of 90,000 characters": Large(
        '{ outlet(by: {slug: "' + "x" * 90_000 + '"}) { name } }',
        ParseFailed,
        "more than 10,000 characters of strings: send them as variables",
    ),
    "many strings": Large(
        "{" + " ".join(f'a{n}: outlet(by: {{slug: "{"x" * 4_000}"}}) {{ name }}' for n in range(9)) + "}",
        ParseFailed,
        "more than 10,000 characters of strings",
    ),
    "1,000 conflicting arguments": Large(
        "{" + " ".join(f"topics(first:{n}){{nodes{{id}}}}" for n in range(1_000)) + "}",
        ParseFailed,
        "more than 1000 tokens",
    ),
    "120 repeats of a field with a selection": Large(
        "{ stories { nodes {" + "related{id}" * 120 + "} } }",
        ValidationFailed,
        "pairs of fields under one response key: 14,280, at most 3,000",
    ),
    "repeats within repeats": Large(
        "{ stories { nodes {" + nested(7, 2) + "} } }", ValidationFailed, "pairs of fields under one response key"
    ),
    "repeats by fragments": Large(
        "{ stories { nodes {"
        + "".join(f"...f{n} " for n in range(60))
        + "} } }"
        + "".join(f"fragment f{n} on Story {{ id title }}" for n in range(60)),
        ValidationFailed,
        "pairs of fields under one response key: 3,540, at most 3,000",
    ),
    "100 aliases": Large(
        "{" + " ".join(f"a{n}:__typename" for n in range(100)) + "}", ValidationFailed, "aliases: 100"
    ),
    "31 aliases": Large(
        "{ stories { nodes {" + " ".join(f"a{n}:id" for n in range(31)) + "} } }",
        ValidationFailed,
        "aliases: 31, at most 30",
    ),
    "100 aliases in fragments": Large(
        "{ stories { nodes { ...f related { ...f } } } } fragment f on Story {"
        + " ".join(f"a{n}: id" for n in range(50))
        + "}",
        ValidationFailed,
        "aliases: 100, at most 30",
    ),
    "500 operations": Large(
        " ".join(f"query q{n}{{__typename}}" for n in range(500)), ParseFailed, "more than 1000 tokens"
    ),
    "11 operations": Large(
        " ".join(f"query q{n}{{__typename}}" for n in range(11)), ValidationFailed, "root fields: 11, at most 10"
    ),
    "a flood of directives": Large(
        "{ __typename " + "@include(if:true)" * 160 + "}", ParseFailed, "more than 1000 tokens"
    ),
    "directives that may not repeat": Large(
        "{ __typename " + "@include(if:true)" * 100 + "}", ValidationFailed, "can only be used once"
    ),
    "unknown directives": Large("{ __typename " + "@a" * 480 + "}", ValidationFailed, "Unknown directive '@a'"),
    "a flood of unknown fields": Large(
        "{" + " ".join(f"x{n}" for n in range(5_000)) + "}", ParseFailed, "more than 1000 tokens"
    ),
    "900 unknown fields": Large(
        "{ stories { nodes {" + " ".join(f"x{n}" for n in range(900)) + "} } }", ValidationFailed, "Cannot query field"
    ),
    "200,000 comments": Large("#\n" * 200_000 + "{ __typename }", ParseFailed, "more than 1000 comments"),
    "only fragments": Large("fragment f on Query { __typename }", ValidationFailed, "no operation"),
    "a circle of fragments": Large(
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        ValidationFailed,
        "Cannot spread fragment 'a' within itself",
    ),
    "a fragment of itself that nobody spreads": Large(
        "{ __typename } fragment a on Query { ...a }", ValidationFailed, "Cannot spread fragment 'a' within itself"
    ),
    "a circle of 100 fragments": Large(
        "{ ...f0 }" + "".join(f"fragment f{n} on Query {{ ...f{(n + 1) % 100} }}" for n in range(100)),
        ValidationFailed,
        "Cannot spread fragment 'f0' within itself",
    ),
    "an unknown fragment": Large("{ ...nope }", ValidationFailed, "Unknown fragment 'nope'."),
    "brackets without an end": Large("{" * 5_000, ParseFailed, "Syntax Error"),
    "lists in lists": Large("{ nodes(ids: " + "[" * 450 + "]" * 450 + ") { id } }", ParseFailed, "Syntax Error"),
    "nothing": Large("", ParseFailed, "Syntax Error"),
    "NUL": Large("{ __typename \0 }", ParseFailed, "Syntax Error"),
    "half a surrogate pair": Large("{ __typename \ud800 }", ParseFailed, "Syntax Error"),
    "depth 13": Large(
        "{ stories { nodes {" + "related {" * 10 + "id" + "}" * 10 + "} } }", ValidationFailed, "depth: 13, at most 12"
    ),
    "introspection without an end": Large(
        "{ __schema { types { " + "fields { type { " * 9 + "name" + "} }" * 9 + "} } }",
        ValidationFailed,
        "introspection depth",
    ),
}


@pytest.mark.parametrize("large", [pytest.param(large, id=name) for name, large in LARGE.items()])
def test_what_is_larger_than_the_limits_is_refused_by_name(large: Large) -> None:
    with pytest.raises(large.error) as refused:
        Planner(schema).document(large.text)
    assert large.said in refused.value.message
    assert len(refused.value.message) < 300
    assert not told_internals(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "{ stories { nodes {" + "related {" * 9 + "id" + "}" * 9 + "} } }",
        "{ stories { nodes {" + " ".join(f"a{n}:id" for n in range(30)) + "} } }",
        " ".join(f"query q{n}{{__typename}}" for n in range(10)),
        "{ stories { nodes {" + "id " * 70 + "} } }",
        "{ stories { nodes { ...f0 } } } " + chain("Story", "NEXT NEXT", "id", 11),
    ],
)
def test_what_is_as_large_as_the_limits_is_answered(text: str) -> None:
    Planner(schema).document(text)


HUNDREDS = {
    "articles and their stories": "{ stories(first: 100) { nodes { articles(first: 100) { nodes { story {"
    " articles(first: 100) { nodes { story { articles(first: 100) { nodes { id } } } } } } } } } } }",
    "outlets, stories and reports": "{ outlets(first: 100) { nodes { stories(first: 100) { nodes {"
    " reports(first: 100) { nodes { outlet { stories(first: 100) { nodes { id } } } } } } } } } }",
    "related": "{ stories(first: 100) { nodes {" + "related(first: 50) {" * 9 + "id" + "}" * 9 + "} } }",
}


@pytest.fixture(scope="module")
async def crowded(server_dsn: str, template: str) -> AsyncIterator[str]:
    """The DSN of a database with 100 outlets that each have an article in each of 100 stories."""
    async with database(server_dsn, template) as dsn:
        conn = await asyncpg.connect(dsn)
        await conn.execute("insert into outlets (domain, slug, name) select n, n, n from generate_series(1, 100) n")
        await conn.execute("insert into stories (key, slug, title) select n, n, 'A' from generate_series(1, 100) n")
        await conn.execute(
            "insert into articles (outlet_id, story_id, published_at, url, title)"
            " select o.id, s.id, now(), o.id || '/' || s.id, 'A title' from outlets o, stories s"
        )
        await conn.close()
        yield dsn


@pytest.mark.parametrize("query", [pytest.param(query, id=name) for name, query in HUNDREDS.items()])
async def test_legal_depth_with_a_hundred_at_every_level_ends_in_time(crowded: str, query: str) -> None:
    async with Database(crowded, Settings(operation_timeout=0.5, pool_size=1)) as hurried:
        error = await Asking(hurried).refusal(query)
    assert error.code == "TIMEOUT"
