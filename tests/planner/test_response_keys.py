"""Response keys that Postgres could not have as names of columns."""

from __future__ import annotations

from typing import Any, cast

import pytest

from service.planner import Limits
from tests.planner.asking import Asking

ROOMY = Limits(max_tokens=100_000, max_fields=100_000, max_aliases=10_000, max_merges=100_000)
LONG = "a" * 63


async def titles(ask: Asking) -> list[str]:
    answer = await ask("{ stories { nodes { title } } }")
    return [node["title"] for node in answer["stories"]["nodes"]]


async def test_keys_over_63_characters_that_agree_in_63_stay_apart(ask: Asking) -> None:
    answer = await ask(f"{{ stories {{ nodes {{ {LONG}a: title {LONG}b: slug {LONG}: id }} }} }}")
    plain = await ask("{ stories { nodes { title slug id } } }")
    assert [list(node) for node in answer["stories"]["nodes"]] == [[f"{LONG}a", f"{LONG}b", LONG]] * 12
    assert [list(node.values()) for node in answer["stories"]["nodes"]] == [
        list(node.values()) for node in plain["stories"]["nodes"]
    ]


@pytest.mark.parametrize("length", [62, 63, 64, 65, 2_000])
async def test_a_key_of_any_length_is_whole_wherever_it_stands(ask: Asking, length: int) -> None:
    key = "k" * length
    query = f"""{{
      {key}: stories(first: 1) {{
        {key}: nodes {{ {key}: topics {{ {key}: slug }} }}
        {key}2: edges {{ {key}: cursor {key}2: node {{ {key}: coverage {{ {key}: bias {{ {key}: mean }} }} }} }}
        {key}3: pageInfo {{ {key}: hasNextPage {key}2: endCursor }}
        {key}4: totalCount {{ {key}: value {key}2: precision }}
      }}
    }}"""
    plain = await ask("""{
      k: stories(first: 1) {
        k: nodes { k: topics { k: slug } }
        k2: edges { k: cursor k2: node { k: coverage { k: bias { k: mean } } } }
        k3: pageInfo { k: hasNextPage k2: endCursor }
        k4: totalCount { k: value k2: precision }
      }
    }""")
    assert _renamed(await ask(query), key) == plain


def _renamed(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name.replace(key, "k"): _renamed(member, key) for name, member in members.items()}
    return [_renamed(item, key) for item in cast("list[Any]", value)] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "key",
    [
        *("select", "from", "order", "where", "user", "null", "true", "table", "limit", "array", "row", "end", "case"),
        *("SELECT", "Title", "TITLE", "TiTlE", "articleCount", "article_count", "ARTICLE_COUNT", "id", "ID", "oid"),
        *(
            "r1",
            "s1",
            "a1",
            "x",
            "f",
            "c",
            "n",
            "e",
            "w",
            "h",
            "page1",
            "page_row",
            "value",
            "number",
            "tag",
            "key",
            "i",
        ),
        *("stories", "story_id", "ctid", "xmin", "tableoid", "_", "__", "_1", "json", "to_json", "outer", "arg"),
    ],
)
async def test_keys_are_no_words_of_sql(ask: Asking, key: str) -> None:
    query = f"""{{
      {key}: stories(sort: NEWEST) {{
        {key}: nodes {{ {key}: title topics {{ {key}: slug }} }}
        edges {{ {key}: cursor node {{ {key}: slug }} }}
        pageInfo {{ {key}: hasNextPage }}
        totalCount {{ {key}: value }}
      }}
    }}"""
    answer = (await ask(query))[key]
    newest = await ask("{ stories(sort: NEWEST) { nodes { title slug } edges { cursor } } }")
    assert [node[key] for node in answer[key]] == [node["title"] for node in newest["stories"]["nodes"]]
    assert [edge["node"][key] for edge in answer["edges"]] == [node["slug"] for node in newest["stories"]["nodes"]]
    assert [edge[key] for edge in answer["edges"]] == [edge["cursor"] for edge in newest["stories"]["edges"]]
    assert answer["totalCount"] == {key: 12}


async def test_an_alias_may_have_the_name_of_another_field(ask: Asking) -> None:
    query = "{ stories(first: 1) { nodes { title: slug slug: title id: updatedAt articleCount: __typename } } }"
    (swapped,) = (await ask(query))["stories"]["nodes"]
    (plain,) = (await ask("{ stories(first: 1) { nodes { title slug updatedAt __typename } } }"))["stories"]["nodes"]
    assert swapped == {
        "title": plain["slug"],
        "slug": plain["title"],
        "id": plain["updatedAt"],
        "articleCount": "Story",
    }


@pytest.mark.parametrize("number", [1_599, 1_600, 1_601, 1_664, 1_700, 3_000])
async def test_an_object_may_have_more_fields_than_a_row_has_columns(ask: Asking, number: int) -> None:
    wide = ask.with_limits(ROOMY)
    keys = [f"a{n}" for n in range(number)]
    answer = await wide("{ stories { nodes {" + " ".join(f"{key}: title" for key in keys) + "} } }")
    assert [list(node) for node in answer["stories"]["nodes"]] == [keys] * 12
    assert [set(node.values()) for node in answer["stories"]["nodes"]] == [{title} for title in await titles(ask)]


async def test_wide_objects_may_hold_wide_objects(ask: Asking) -> None:
    wide = ask.with_limits(ROOMY)
    inner = " ".join(f"b{n}: articleCount" for n in range(1_650))
    outer = " ".join(f"a{n}: id" for n in range(1_650))
    answer = await wide(
        f"{{ stories(first: 2) {{ nodes {{ {outer} coverage {{ {inner} }} topics {{ {outer} }} }} }} }}"
    )
    for node in answer["stories"]["nodes"]:
        assert len(node) == 1_652
        assert len(node["coverage"]) == 1_650
        assert len(set(node["coverage"].values())) == 1
        assert len(node["topics"][0]) == 1_650


async def test_many_roots_are_answered_in_order(ask: Asking) -> None:
    wide = ask.with_limits(Limits(max_tokens=100_000, max_aliases=10_000, max_root_fields=2_000))
    roots = [f"r{n}" for n in range(200)]
    answer = await wide("{" + " ".join(f"{root}: story(by: {{ id: 1 }}) {{ id }}" for root in roots) + "}")
    assert answer == dict.fromkeys(roots)
