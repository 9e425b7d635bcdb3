"""Merges, removes, moves, and stories that articles make: what of them counts, and what leaves no trace."""

import random

import pytest

from tests.databases import MakeDatabase
from tests.integration.loading import (
    Line,
    article,
    changes,
    contents,
    findings,
    merge,
    outcome,
    outlet,
    put,
    put_twice,
    remove_article,
    remove_story,
    rows,
    shown,
    story,
    topic,
    url,
)


def own(name: str) -> str:
    """The key of the story that an article makes for itself."""
    return f"url:{url(name)}"


async def test_an_article_may_come_before_its_story(empty_database: str) -> None:
    summary = await put_twice(empty_database, article("1", story="k"), story("k"))
    assert (summary.created, summary.exit_code) == (2, 0)
    assert await shown(empty_database) == {"k": {"1"}}


async def test_an_article_whose_story_is_unknown_at_the_end_is_an_error_of_that_line(empty_database: str) -> None:
    summary = await put_twice(
        empty_database,
        article("1", story="nowhere", outlet="never.example"),
        article("2", story="k"),
        article("2", story="nowhere", title="Not this"),
        story("k"),
    )
    assert findings(summary) == [(1, "story"), (3, "story")]
    assert outcome(summary, "article") == (1, 0, 0, 2)
    assert await rows(empty_database, "select title, domain from articles a join outlets o on o.id = outlet_id") == [
        ("Article 2", "one.example")
    ]
    assert await rows(empty_database, "select count(*) from outlets") == [(1,)]


async def test_a_new_article_without_story_makes_a_story_of_its_own(empty_database: str) -> None:
    await put_twice(empty_database, article("1", title="As it was"), article("2", story=None, title="Too"))
    assert await shown(empty_database) == {own("1"): {"1"}, own("2"): {"2"}}
    await put_twice(empty_database, article("1", title="As it is now"))
    assert await rows(
        empty_database, "select s.title, a.title from stories s join articles a on a.story_id = s.id order by 1"
    ) == [
        ("As it was", "As it is now"),
        ("Too", "Too"),
    ]


async def test_a_stored_article_without_story_keeps_its_story(empty_database: str) -> None:
    await put(empty_database, story("k"), article("1", story="k"))
    await put_twice(empty_database, article("1", title="New"))
    assert await shown(empty_database) == {"k": {"1"}}


async def test_an_article_whose_story_is_set_null_makes_a_story_of_its_own(empty_database: str) -> None:
    await put(empty_database, story("k"), article("1", story="k"))
    await put_twice(empty_database, article("1", story=None))
    assert await shown(empty_database) == {own("1"): {"1"}}


async def test_of_two_lines_of_an_article_the_later_story_counts(empty_database: str) -> None:
    await put_twice(
        empty_database,
        story("a"),
        story("b"),
        article("1", story="a"),
        article("1", story="b"),
        article("2"),
        article("2", story="a"),
    )
    assert await shown(empty_database) == {"b": {"1"}, "a": {"2"}}
    assert await rows(empty_database, "select count(*) from stories") == [(2,)]


async def test_an_own_story_can_be_named_and_told_of(empty_database: str) -> None:
    await put_twice(
        empty_database,
        article("1"),
        article("2", story=own("1")),
        article("3"),
        story(own("3"), "Retitled", summary="s"),
    )
    assert await shown(empty_database) == {own("1"): {"1", "2"}, own("3"): {"3"}}
    assert await rows(empty_database, "select title from stories where summary = 's'") == [("Retitled",)]


async def test_an_article_that_moves_leaves_its_old_story(empty_database: str) -> None:
    await put(
        empty_database,
        story("a"),
        story("b"),
        article("1", story="a"),
        article("2", story="a"),
        article("3", story="b"),
    )
    await put_twice(empty_database, article("1", story="b"))
    assert await shown(empty_database) == {"a": {"2"}, "b": {"1", "3"}}


async def test_a_story_shows_once_it_has_an_article_and_no_longer_when_it_has_none(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), story("b"))
    assert await changes(dsn) == []
    await put(dsn, article("1", story="a"))
    await put(dsn, article("1", story="b"))
    assert await changes(dsn) == [("CREATED", "a"), ("REMOVED", "a"), ("CREATED", "b")]
    await put(dsn, story("a", "Still told of"))
    assert await rows(dsn, "select title, article_count from stories where key = 'a'") == [("Still told of", 0)]


async def test_only_the_articles_move_in_a_merge(empty_database: str) -> None:
    dsn = empty_database
    await put(
        dsn,
        story("a", "From", summary="s", topics=["t"]),
        story("b", "Into"),
        article("1", story="a"),
        article("2", story="b"),
    )
    summary = await put_twice(dsn, merge("a", "b"))
    assert outcome(summary, "merge") == (0, 1, 0, 0)
    assert await shown(dsn) == {"b": {"1", "2"}}
    assert await rows(dsn, "select title, summary from stories where key = 'b'") == [("Into", None)]
    assert await changes(dsn) == [("CREATED", "a"), ("CREATED", "b"), ("MERGED", "a"), ("UPDATED", "b")]
    assert await rows(dsn, "select s.key from changes c join stories s on s.id = c.merged_into_id") == [("b",)]


async def test_later_lines_of_a_merged_key(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), story("b"), article("1", story="a"), merge("a", "b"))
    summary = await put_twice(dsn, article("2", story="a"), story("a", "Unheard"))
    assert outcome(summary, "story") == (0, 0, 1, 0)
    assert await shown(dsn) == {"b": {"1", "2"}}
    assert await rows(dsn, "select title from stories where key = 'a'") == [("A story",)]


@pytest.mark.parametrize(
    ("fates", "into"),
    [
        ([("a", "b"), ("b", "c")], "c"),
        ([("b", "c"), ("a", "b")], "c"),
        ([("a", "b"), ("a", "c")], "c"),
        ([("a", "b"), ("b", "a"), ("c", "a")], "b"),
        ([("a", "a"), ("a", "b"), ("b", "a"), ("c", "a"), ("c", "b")], "b"),
    ],
)
async def test_both_ends_of_a_merge_stand_for_what_they_were_merged_into(
    empty_database: str, fates: list[tuple[str, str]], into: str
) -> None:
    made = [story(key) for key in "abc"] + [article(key, story=key) for key in "abc"]
    summary = await put_twice(empty_database, *made, *(merge(one, other) for one, other in fates))
    assert summary.refused == 0
    assert await shown(empty_database) == {into: {"a", "b", "c"}}
    # One load or one after another: the same comes of it.
    await put_twice(empty_database, *made)
    assert await shown(empty_database) == {into: {"a", "b", "c"}}


async def test_merges_into_itself_and_in_a_circle_are_no_error(empty_database: str) -> None:
    lines = [story("a"), story("b"), article("1", story="a"), merge("a", "a"), merge("a", "b"), merge("b", "a")]
    summary = await put_twice(empty_database, *lines)
    assert outcome(summary, "merge") == (0, 1, 2, 0)
    assert await shown(empty_database) == {"b": {"1"}}


async def test_a_merge_naming_a_key_never_loaded_is_an_error_of_that_line(empty_database: str) -> None:
    summary = await put_twice(
        empty_database, story("a"), article("1", story="a"), merge("a", "x"), merge("x", "a"), merge("x", "x")
    )
    assert findings(summary) == [(3, "into"), (4, "from"), (5, "from")]
    assert await shown(empty_database) == {"a": {"1"}}


async def test_a_merge_into_or_from_a_removed_story_is_an_error_of_that_line(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, *(story(key) for key in "abc"), *(article(key, story=key) for key in "abc"), remove_story("c"))
    summary = await put_twice(
        dsn, merge("a", "c"), merge("c", "a"), remove_story("b"), merge("a", "b"), merge("b", "a")
    )
    assert findings(summary) == [(1, "into"), (2, "from"), (4, "into"), (5, "from")]
    assert await shown(dsn) == {"a": {"a"}}


async def test_merges_into_a_story_that_does_not_show_still_count(empty_database: str) -> None:
    dsn = empty_database
    await put_twice(dsn, story("a"), story("b"), merge("a", "b"))
    await put_twice(dsn, article("1", story="a"))
    assert await shown(dsn) == {"b": {"1"}}


async def test_a_removed_story_takes_its_articles_along(empty_database: str) -> None:
    dsn = empty_database
    await put(
        dsn,
        story("a", topics=["t"], summary="s"),
        story("b"),
        article("1", story="a"),
        article("2", story="b"),
        merge("b", "a"),
    )
    summary = await put_twice(dsn, remove_story("a"))
    assert outcome(summary, "remove") == (0, 1, 0, 0)
    assert await rows(dsn, "select count(*) from articles") == [(0,)]
    assert (await changes(dsn))[-1] == ("REMOVED", "a")
    assert findings(await put(dsn, article("3", story="a"), article("4", story="b"))) == [(1, "story"), (2, "story")]


async def test_a_removed_story_loaded_again_has_its_old_id_and_slug(empty_database: str) -> None:
    dsn = empty_database
    await put(
        dsn,
        story(
            "a",
            "First",
            summary="s",
            keyPoints=["p"],
            topics=["t"],
            places=["p"],
            perspectives={"LEFT": "l"},
            imageUrl="http://i",
        ),
    )
    await put(dsn, article("1", story="a"))
    before = await rows(dsn, "select id, slug from stories")
    await put(dsn, remove_story("a"))
    await put_twice(dsn, story("a", "Second"), article("1", story="a"))
    assert await rows(dsn, "select id, slug from stories") == before
    assert await rows(dsn, "select title, summary, key_points, image_url, removed from stories") == [
        ("Second", None, [], None, False)
    ]
    for table in ("story_topics", "story_places", "perspectives"):
        assert await rows(dsn, f"select count(*) from {table}") == [(0,)]
    assert [kind for kind, _ in await changes(dsn)] == ["CREATED", "REMOVED", "CREATED"]


async def test_an_own_story_that_was_removed_comes_back_with_its_article(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, article("1", title="Once"))
    await put(dsn, remove_story(own("1")))
    assert await shown(dsn) == {}
    await put_twice(dsn, article("1", title="Again"))
    assert await shown(dsn) == {own("1"): {"1"}}
    assert await rows(dsn, "select title, removed from stories") == [("Again", False)]


async def test_removing_an_article(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), article("1", story="a"), article("2", story="a"))
    summary = await put_twice(dsn, remove_article("1"), remove_article("1"))
    assert outcome(summary, "remove") == (0, 1, 1, 0)
    assert await shown(dsn) == {"a": {"2"}}
    await put(dsn, remove_article("2"))
    assert (await changes(dsn))[-1] == ("REMOVED", "a")


async def test_removing_what_is_not_there_is_unchanged(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), story("b"), article("1", story="b"), merge("a", "b"))
    before = await contents(dsn)
    summary = await put(dsn, remove_story("never"), remove_article("never"), remove_story("a"))
    assert outcome(summary, "remove") == (0, 0, 3, 0)
    assert await contents(dsn) == before


UNDONE = {
    "a new story that is removed": [
        story("n", topics=["new"]), article("n", story="n", outlet="new.example"), remove_story("n"),
    ],
    "a new article that is removed": [article("n", outlet="new.example"), remove_article("n")],
    "a story that is removed after what it was merged into": [
        story("n"), story("m"), article("n", story="n"), merge("n", "m"), remove_story("m"),
    ],
    "an own story that was merged, and its article removed": [article("n"), merge(own("n"), "a"), remove_article("n")],
    "a title that a later line sets back": [story("a", "Another"), story("a")],
    "a move that a later line takes back": [article("1", story="b"), article("1", story="a")],
    "a removed story that comes back and is removed": [story("gone"), article("n", story="gone"), remove_story("gone")],
    "a merge of what is merged": [merge("merged", "a"), story("merged", "Unheard")],
    "an article that goes to a story which is merged back": [article("1", story="n"), story("n"), merge("n", "a")],
}  # fmt: skip


@pytest.mark.parametrize("lines", UNDONE.values(), ids=UNDONE.keys())
async def test_a_line_that_a_later_line_undoes_leaves_no_trace(empty_database: str, lines: list[Line]) -> None:
    dsn = empty_database
    await put(dsn, story("a"), story("b"), story("gone"), story("merged"), merge("merged", "a"), remove_story("gone"))
    await put(dsn, article("1", story="a"), article("2", story="b"))
    before = await contents(dsn)
    await put(dsn, *lines)
    after = await contents(dsn)
    if "n" in {key for (key,) in await rows(dsn, "select key from stories")}:
        # A key that was merged is remembered: later articles go where it went.
        assert (await rows(dsn, "select article_count, merged_into is not null from stories where key = 'n'")) == [
            (0, True)
        ]
        after["stories"] = [row for row in after["stories"] if row[1] != "n"]
    assert after == before
    await put(dsn, *lines)
    assert (await contents(dsn))["changes"] == before["changes"]


async def test_an_update_of_a_story_that_is_then_merged_or_removed_leaves_no_trace(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, *(story(key) for key in "abc"), *(article(key, story=key) for key in "abc"))
    told = len(await changes(dsn))
    await put_twice(
        dsn,
        story("a", "Lost"),
        story("c", "Lost"),
        article("a", story="a", title="Kept"),
        merge("a", "b"),
        remove_story("c"),
        topic("t"),
    )
    assert sorted((await changes(dsn))[told:])[:2] == [("MERGED", "a"), ("REMOVED", "c")]
    assert {kind for kind, key in (await changes(dsn))[told:] if key in "ac"} == {"MERGED", "REMOVED"}
    assert await rows(dsn, "select title from articles where url = $1", url("a")) == [("Kept",)]


async def test_the_whole_stream_again_with_a_merge_is_told_as_a_merge(empty_database: str) -> None:
    dsn = empty_database
    stream = [*(story(key) for key in "ab"), *(article(f"{key}{n}", story=key) for key in "ab" for n in range(3))]
    await put(dsn, *stream)
    await put_twice(dsn, *stream, merge("a", "b"))
    assert await changes(dsn) == [("CREATED", "a"), ("CREATED", "b"), ("MERGED", "a"), ("UPDATED", "b")]
    assert await rows(
        dsn, "select count(distinct a.id) from articles a join stories s on s.id = story_id where key = 'b'"
    ) == [(6,)]


async def test_articles_leave_a_story_before_it_is_removed(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), story("b"), article("1", story="a"), article("2", story="a"), article("3", story="a"))
    ids = dict(await rows(dsn, "select url, id from articles"))
    await put_twice(dsn, article("1", story="b"), article("2", story=None), remove_story("a"))
    assert await shown(dsn) == {"b": {"1"}, own("2"): {"2"}}
    assert dict(await rows(dsn, "select url, id from articles")) == {url(name): ids[url(name)] for name in "12"}
    assert [kind for kind, key in await changes(dsn) if key == "a"] == ["CREATED", "REMOVED"]


async def test_a_stored_story_can_be_merged_into_a_new_one_that_is_removed(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("a"), article("1", story="a"))
    await put_twice(dsn, story("n"), merge("a", "n"), remove_story("n"))
    assert await shown(dsn) == {}
    await put(dsn, story("n", "Back"))
    await put_twice(dsn, article("2", story="a"))
    assert await shown(dsn) == {"n": {"2"}}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.any_engine) for seed in (1, 2))])
async def test_any_load_comes_to_the_same_as_its_lines_one_by_one(make_database: MakeDatabase, seed: int) -> None:
    """Against a slow second way: upserts one after another, then merges and removes, each as a load of its own."""
    chosen = random.Random(seed)
    one, other = await make_database(), await make_database()
    for _ in range(3):
        lines = [_any_line(chosen) for _ in range(12)]
        lines = [story(line["story"]) for line in lines if line["type"] == "article" and line.get("story")] + lines
        await put(one, *lines)
        upserts = [line for line in lines if line["type"] not in {"merge", "remove"}]
        for line in [*upserts, *(line for line in lines if line["type"] in {"merge", "remove"})]:
            await put(other, line)
        assert await shown(one) == await shown(other)
        query = "select s.key, s.title from stories s where article_count > 0"
        assert sorted(await rows(one, query)) == sorted(await rows(other, query))


def _any_line(chosen: random.Random) -> Line:
    key, name = chosen.choice("abcde"), chosen.choice("12345678")
    match chosen.randrange(10):
        case 0:
            return story(key, f"Title {chosen.randrange(3)}")
        case 1:
            return merge(key, chosen.choice("abcde"))
        case 2:
            return chosen.choice([remove_story(key), remove_article(name)])
        case 3:
            return article(name)
        case 4:
            return outlet("one.example", ratings=[{"agency": "X", "bias": chosen.choice(["LEFT", "RIGHT", None])}])
        case 5:
            return article(name, story=None)
        case _:
            return article(name, story=key, outlet=chosen.choice(["one.example", "two.example"]))
