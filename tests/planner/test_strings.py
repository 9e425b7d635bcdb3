"""Text that means something to SQL, to LIKE, to text search, or to nobody: every argument takes it as text."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

import schema
from service.db.pool import Database
from service.load import load
from service.planner import Planner
from service.settings import Settings
from tests.planner import small_world
from tests.planner.asking import Asking

SQL = [
    "' or 1=1 --",
    "'; drop table stories; --",
    "\\'; select pg_sleep(10); --",
    '" or ""="',
    "$1",
    "$$; select 1; $$",
    "{value}",
    "{id}",
    "{outer.id}",
    "%s",
    "%(value)s",
    "/* */",
    "a\\",
    "E'\\x27'",
    "\x1b",
    "a\nb",
    "\u2028",
    "\ufffe",
    "\U0010ffff",
    "'" * 1_000,
    "\\" * 1_000,
]
UNSTORABLE = ["\0", "a\0b", "\ud800", "a\udfff", "\ud83d"]
TEXTS = {"String", "ID", "URL"}
WINDOW = {"after": (datetime.now(UTC) - timedelta(days=1)).isoformat()}


class Slot(NamedTuple):
    """A place where a query takes text: the query takes it as `$v`, of `type`."""

    name: str
    query: str
    type: str
    path: tuple[str, ...]

    def variables(self, text: str) -> dict[str, Any]:
        value: Any = text
        for member in reversed(self.path):
            value = [value] if member == "[]" else {member: value}
        return {"v": {**value, "published": WINDOW} if self.type == "CoverageFilter!" else value}


PARENTS = {
    "Query": "{0}",
    "Story": "stories {{ nodes {{ {0} }} }}",
    "Outlet": "outlets {{ nodes {{ {0} }} }}",
    "Topic": "topics {{ nodes {{ {0} }} }}",
    "Place": "places {{ nodes {{ {0} }} }}",
}


def slots() -> Iterator[Slot]:
    """Every String, ID and URL that an argument of the schema takes, itself, in a list, or in an input object."""
    types = Planner(schema.schema).schema.type_map
    for parent in PARENTS:
        type_ = types[parent]
        assert isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items():
            for argument, definition in field.args.items():
                for path in _paths(definition):
                    query = _query(parent, name, field, argument)
                    yield Slot(f"{parent}.{name}({argument}{'.'.join(('', *path))})", query, str(definition.type), path)


def _paths(definition: GraphQLArgument | GraphQLInputField) -> Iterator[tuple[str, ...]]:
    nullable, named = get_nullable_type(definition.type), get_named_type(definition.type)
    listed = ("[]",) if is_list_type(nullable) else ()
    if named.name in TEXTS:
        yield listed
    elif isinstance(named, GraphQLInputObjectType):
        for name, member in named.fields.items():
            for path in _paths(member):
                yield (*listed, name, *path)


def _query(parent: str, name: str, field: GraphQLField, argument: str) -> str:
    others = [
        f'{a}: {{after: "{WINDOW["after"]}"}}' if a == "published" else f"{a}: []"
        for a, d in field.args.items()
        if a != argument and is_non_null_type(d.type) and not _defaults(d)
    ]
    paged = "nodes" in get_object(field).fields
    selection = "{ __typename nodes { __typename } }" if paged else "{ __typename }"
    return PARENTS[parent].format(f"{name}({', '.join([f'{argument}: $v', *others])}) {selection}")


def get_object(field: GraphQLField) -> GraphQLObjectType | GraphQLInterfaceType:
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    return type_


def _defaults(definition: GraphQLArgument) -> bool:
    return definition.default_value is not Undefined


SLOTS = [pytest.param(slot, id=slot.name) for slot in slots()]


def test_slots_are_found_at_every_depth() -> None:
    names = {slot.name for slot in slots()}
    assert {
        *("Query.node(id)", "Query.nodes(ids.[])", "Query.story(by.articleUrl)", "Query.stories(filter.topics.[])"),
        *("Query.stories(filter.search)", "Query.articles(after)", "Query.outlets(filter.prefix)"),
        *("Outlet.articles(filter.search)", "Story.articles(filter.outlets.[])", "Place.stories(before)"),
    } <= names
    assert len(names) > 50


@pytest.mark.parametrize("slot", SLOTS)
async def test_sql_in_a_string_is_text(ask: Asking, slot: Slot) -> None:
    document = ask.planner.document(f"query ($v: {slot.type}) {{ {slot.query} }}")
    for text in SQL:
        for given in (text, f"https://x.example/{text}"):
            assert await ask.unless_refused(document, slot.variables(given)) != {}
    assert len((await ask("{ stories { nodes { id } } }"))["stories"]["nodes"]) == 12


@pytest.mark.parametrize("slot", SLOTS)
async def test_what_postgres_cannot_store_is_refused_or_found_nowhere(ask: Asking, slot: Slot) -> None:
    document = ask.planner.document(f"query ($v: {slot.type}) {{ {slot.query} }}")
    nothing = ({"node": None}, {"nodes": [None]}, {slot.name.partition("(")[0].removeprefix("Query."): None})
    for text in UNSTORABLE:
        for given in (text, f"https://x.example/{text}"):
            answer = await ask.unless_refused(document, slot.variables(given))
            assert answer is None or answer in nothing


@pytest.mark.parametrize("text", [text for text in SQL if "\n" not in text and text != "$1"])
async def test_sql_in_a_literal_is_text(ask: Asking, text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    for query in (
        f'{{ stories(filter: {{ search: "{written}" }}) {{ nodes {{ id }} }} }}',
        f'{{ stories(filter: {{ topics: ["{written}"] }}) {{ nodes {{ id }} }} }}',
        f'{{ outlets(filter: {{ prefix: "{written}" }}) {{ nodes {{ id }} }} }}',
        f'{{ node(id: "{written}") {{ id }} }}',
        f'{{ story(by: {{ slug: """{text.replace(chr(92), "").rstrip(chr(34))}""" }}) {{ id }} }}',
    ):
        answer = await ask(query)
        assert next(iter(answer.values())) in (None, {"nodes": []})


PREFIXED = "query ($p: String!) { outlets(filter: { prefix: $p }, sort: MOST_ARTICLES) { nodes { name } } }"


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("100%", ["100% News"]),
        ("100", ["100% News", "1000 News"]),
        ("a_b", ["A_B Weekly"]),
        ("A", ["A_B Weekly", "AXB Weekly"]),
        ("_", []),
        ("%", []),
        ("%news", []),
        ("o'neill\\", ["O'Neill\\Post"]),
        ("o'neill\\%", []),
        ('THE "', ['The "Quoted"']),
        ("صحيفة", ["صحيفة الشرق"]),
        ("outlet1", ["1000 News"]),
        ("OUTLET", list(small_world.NAMES)),
        ("", list(small_world.NAMES)),
        ("outlet_", []),
        ("outlet1.example.", []),
        ("x" * 100_000, []),
    ],
)
async def test_percent_and_underscore_are_themselves_in_a_prefix(ask: Asking, prefix: str, names: list[str]) -> None:
    answer = await ask(PREFIXED, {"p": prefix})
    assert sorted(node["name"] for node in answer["outlets"]["nodes"]) == sorted(names)


SEARCHED = """query ($s: String!) {
  stories(filter: { search: $s }) { nodes { id } totalCount { value } }
  best: stories(filter: { search: $s }, sort: RELEVANCE) { nodes { id } edges { cursor } }
  articles(filter: { search: $s }) { nodes { id } totalCount { value } }
}"""


@pytest.mark.parametrize(
    "search",
    [
        *(
            "",
            " ",
            "\t\n",
            "-",
            "- -",
            "--",
            "OR",
            "or or",
            "OR OR OR",
            '"',
            '""',
            '"""',
            '"' * 999,
            "' '",
            "'",
            "-" * 999,
        ),
        *(
            "!",
            "&",
            "|",
            "<->",
            ":*",
            "a:*",
            "!a",
            "(a",
            "a)",
            "((((",
            "a & b",
            "\\",
            "\\'",
            ":",
            "*",
            "a<2>b",
            "%",
            "_",
        ),
        *('-"', '"-', '-""', 'OR -"', "\u202e", "\u0301", "\u200b", "🙈", "-!" * 300, "- " * 400, "-(|&" * 200),
    ],
)
async def test_a_search_of_operators_or_quotes_alone_finds_nothing(ask: Asking, search: str) -> None:
    answer = await ask(SEARCHED, {"s": search})
    assert answer["stories"] == {"nodes": [], "totalCount": {"value": 0}}
    assert answer["best"]["nodes"] == []
    assert answer["articles"] == {"nodes": [], "totalCount": {"value": 0}}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("council", 12),
        ("COUNCIL", 12),
        ('"river council"', 12),
        ('"council river"', 0),
        ("council -river", 0),
        ("-council", 0),
        ("budget 3", 1),
        ('"budget 3" OR "budget 5"', 2),
        ("council -3 -5", 10),
        ("council or nothing", 12),
        ("council nothing", 0),
        ('"river', 12),
        ("river) | (council", 12),
        ("river & council", 12),
        ("too", 0),
    ],
)
async def test_search_speaks_the_web_s_syntax(ask: Asking, search: str, found: int) -> None:
    answer = await ask(SEARCHED, {"s": search})
    assert answer["stories"]["totalCount"]["value"] == found
    assert len(answer["best"]["nodes"]) == found


async def test_a_search_of_10_000_words_is_refused(ask: Asking) -> None:
    for search in ("word " * 10_000, "x" * 1_001, '"a" OR ' * 5_000, "-a " * 334):
        error = await ask.refusal(SEARCHED, {"s": search})
        assert error.code == "BAD_USER_INPUT"
        assert error.message == "A search has at most 1,000 characters."


async def test_a_search_of_1_000_characters_is_answered(ask: Asking) -> None:
    for search, found in (
        ("a " * 500, 0),
        ("x" * 1_000, 0),
        ('"a" OR ' * 142, 0),
        ("-a " * 333, 12),
        ('"' + "a " * 499, 0),
        ("council OR " * 90, 12),
        ("council -nothing " * 58, 12),
        ("council " + "-" * 990, 12),
        ("-" * 992 + "council", 12),
        ("council --river", 12),
    ):
        answer = await ask(SEARCHED, {"s": search})
        assert answer["stories"]["totalCount"]["value"] == found, search


RIGHT_TO_LEFT = "مرحبا بالعالم"
COMBINING = "e\u0301" * 50


async def test_text_of_any_script_comes_back_as_it_went_in(empty_database: str) -> None:
    titles = [
        RIGHT_TO_LEFT,
        COMBINING,
        "\u202ereversed\u202c",
        "👩‍👩‍👧‍👦 family",
        "a\u0000"[:1] + "\ufeff",
        'tab\tquote"back\\slash</script>',
    ]
    lines: list[dict[str, Any]] = [
        {
            "type": "article",
            "url": f"https://news.example/{number}/{title if number < 2 else ''}",
            "outlet": "news.example",
            "title": title,
            "publishedAt": f"2026-03-01T00:00:0{number}Z",
        }
        for number, title in enumerate(titles)
    ]
    await load(empty_database, [io.BytesIO(b"\n".join(orjson.dumps(line) for line in lines))], strict=True)
    async with Database(empty_database, Settings(pool_size=1)) as database:
        ask = Asking(database)
        nodes = (await ask("{ articles(sort: OLDEST) { nodes { title url } } }"))["articles"]["nodes"]
        assert [(node["title"], node["url"]) for node in nodes] == [(line["title"], line["url"]) for line in lines]
        for line in lines:
            answer = await ask("query ($u: URL!) { article(by: { url: $u }) { title } }", {"u": line["url"]})
            assert answer == {"article": {"title": line["title"]}}
        for word in ("بالعالم", "e\u0301" * 50, "family", "tab"):
            answer = await ask(SEARCHED, {"s": word})
            assert len(answer["stories"]["nodes"]) == len(answer["articles"]["nodes"]) == 1, word
        assert (await ask(SEARCHED, {"s": "é" * 50}))["stories"]["nodes"] == []


IDS = [
    *("", "story", "story_", "story_0", "story_01", "story_-1", "story_1.0", "story_\u0661", "story_1 ", " story_1"),
    *("Story_1", "STORY_1", "coverage_1", "story_9223372036854775807", "story_9223372036854775808", "1", "story_1\n"),
    *("story_" + "9" * 5_000, "U3Rvcnk6MQ=="),
]


@pytest.mark.parametrize("id_", IDS)
async def test_an_id_that_is_malformed_or_names_nothing_is_null(ask: Asking, id_: str) -> None:
    assert await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": id_}) == {"node": None}
    assert await ask("query ($id: ID!) { nodes(ids: [$id, $id]) { id } }", {"id": id_}) == {"nodes": [None, None]}
    for name in ("story", "article", "outlet", "topic", "place"):
        answer = await ask(f"query ($id: ID!) {{ found: {name}(by: {{ id: $id }}) {{ id }} }}", {"id": id_})
        assert answer == {"found": None}


async def test_an_id_of_another_type_names_nothing(ask: Asking) -> None:
    answer = await ask(
        "{ stories(first: 1) { nodes { id coverage { id } firstArticle { id outlet { id } } topics { id } } }"
        " places { nodes { id } } }"
    )
    (story,) = answer["stories"]["nodes"]
    ids = {
        "story": story["id"],
        "article": story["firstArticle"]["id"],
        "outlet": story["firstArticle"]["outlet"]["id"],
        "topic": story["topics"][0]["id"],
        "place": answer["places"]["nodes"][0]["id"],
    }
    for name in ids:
        for other, id_ in ids.items():
            answer = await ask(f"query ($id: ID!) {{ found: {name}(by: {{ id: $id }}) {{ id }} }}", {"id": id_})
            assert answer == {"found": {"id": id_} if name == other else None}
    assert await ask("query ($id: ID!) { node(id: $id) { id } }", {"id": story["coverage"]["id"]}) == {"node": None}


async def test_a_merged_story_is_found_by_what_it_was(ask: Asking) -> None:
    query = "{ stories { nodes { id mergedFrom } } }"
    ((into, merged),) = [
        (node["id"], *node["mergedFrom"]) for node in (await ask(query))["stories"]["nodes"] if node["mergedFrom"]
    ]
    answer = await ask("query ($id: ID!) { node(id: $id) { id } story(by: { id: $id }) { id } }", {"id": merged})
    assert answer == {"node": {"id": into}, "story": {"id": into}}
