from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.loading import (
    article,
    findings,
    outcome,
    outlet,
    place,
    put,
    put_twice,
    rows,
    story,
    topic,
    url,
)

FULL_OUTLET = outlet(
    "One.Example",
    name="One",
    homepageUrl="https://one.example/",
    country="GB",
    place="leeds",
    language="en-GB",
    medium="RADIO",
    owners=[{"name": "A", "category": "TELECOM"}, {"name": "B", "category": "OTHER"}],
    ratings=[
        {"agency": "X", "bias": "LEFT", "factuality": "HIGH", "ratedAt": "2020-01-01T00:00:00+01:00", "url": "http://x"}
    ],
)
FULL_STORY = story(
    "k",
    "A title",
    summary="What happened",
    keyPoints=["one", "two"],
    perspectives={"LEFT": "l", "RIGHT": "r", "CENTER": None},
    topics=["b", "a", "b"],
    places=["leeds"],
    imageUrl="https://img.example/1",
)
FULL_ARTICLE = article(
    "1",
    story="k",
    excerpt="It began",
    authors=["Ann", "Bob"],
    kind="OPINION",
    language="de",
    imageUrl="https://img.example/2",
    paywalled=True,
)
NOTHING = {
    "outlet": {"name", "homepageUrl", "country", "place", "language", "medium", "owners", "ratings"},
    "story": {"summary", "keyPoints", "perspectives", "topics", "places", "imageUrl"},
    "article": {"excerpt", "authors", "kind", "language", "imageUrl", "paywalled"},
}

OUTLET = (
    "select domain, o.slug, o.name, homepage_url, o.country, p.slug, language, medium::text "
    "from outlets o left join places p on p.id = place_id"
)
STORY = "select title, summary, key_points, image_url from stories"
ARTICLE = "select url, title, excerpt, authors, kind::text, language, image_url, paywalled, published_at from articles"
OWNERS = "select name, category::text from owners order by position"
RATINGS = "select agency, bias::text, factuality::text, rated_at, url from ratings order by agency"
TOPICS = "select t.slug from story_topics s join topics t on t.id = s.topic_id order by s.position"
PERSPECTIVES = "select side::text, summary from perspectives order by side"


async def test_every_field_of_every_type_is_stored(empty_database: str) -> None:
    dsn = empty_database
    await put_twice(
        dsn,
        FULL_ARTICLE,
        FULL_STORY,
        FULL_OUTLET,
        place("leeds", name="Leeds", country="GB"),
        topic("a", name="A", parent="b"),
    )
    assert await rows(dsn, OUTLET) == [
        ("one.example", "one-example", "One", "https://one.example/", "GB", "leeds", "en-GB", "RADIO")
    ]
    assert await rows(dsn, OWNERS) == [("A", "TELECOM"), ("B", "OTHER")]
    assert await rows(dsn, RATINGS) == [("X", "LEFT", "HIGH", datetime(2019, 12, 31, 23, tzinfo=UTC), "http://x")]
    assert await rows(dsn, STORY) == [("A title", "What happened", ["one", "two"], "https://img.example/1")]
    assert await rows(dsn, TOPICS) == [("b",), ("a",)]
    assert await rows(dsn, PERSPECTIVES) == [("LEFT", "l"), ("RIGHT", "r")]
    assert await rows(dsn, ARTICLE) == [
        (
            url("1"),
            "Article 1",
            "It began",
            ["Ann", "Bob"],
            "OPINION",
            "de",
            "https://img.example/2",
            True,
            datetime(2026, 3, 1, 12, tzinfo=UTC),
        )
    ]
    assert await rows(
        dsn, "select t.slug, t.name, p.slug from topics t left join topics p on p.id = t.parent_id order by 1"
    ) == [
        ("a", "A", "b"),
        ("b", "b", None),
    ]
    assert await rows(dsn, "select slug, name, country from places") == [("leeds", "Leeds", "GB")]


async def test_a_missing_field_keeps_its_value(empty_database: str) -> None:
    dsn = empty_database
    await put(
        dsn,
        FULL_ARTICLE,
        FULL_STORY,
        FULL_OUTLET,
        place("leeds", name="Leeds", country="GB"),
        topic("a", name="A", parent="b"),
    )
    queries = (
        OUTLET,
        OWNERS,
        RATINGS,
        STORY,
        TOPICS,
        PERSPECTIVES,
        ARTICLE,
        "select * from topics",
        "select * from places",
    )
    before = [await rows(dsn, query) for query in queries]
    summary = await put(dsn, article("1"), story("k", "A title"), outlet("one.example"), place("leeds"), topic("a"))
    assert [await rows(dsn, query) for query in queries] == before
    assert summary.unchanged == 5


async def test_null_clears_a_field_and_what_is_clear_has_its_default(empty_database: str) -> None:
    dsn = empty_database
    await put(
        dsn,
        FULL_ARTICLE,
        FULL_STORY,
        FULL_OUTLET,
        place("leeds", name="Leeds", country="GB"),
        topic("a", name="A", parent="b"),
    )
    await put_twice(
        dsn,
        article("1", **dict.fromkeys(NOTHING["article"])),
        story("k", "A title", **dict.fromkeys(NOTHING["story"])),
        outlet("one.example", **dict.fromkeys(NOTHING["outlet"])),
        place("leeds", name=None, country=None),
        topic("a", name=None, parent=None),
    )
    assert await rows(dsn, OUTLET) == [("one.example", "one-example", "one.example", None, None, None, None, None)]
    assert (
        await rows(dsn, OWNERS)
        == await rows(dsn, RATINGS)
        == await rows(dsn, TOPICS)
        == await rows(dsn, PERSPECTIVES)
        == []
    )
    assert await rows(dsn, STORY) == [("A title", None, [], None)]
    assert (await rows(dsn, ARTICLE))[0][2:8] == (None, [], "NEWS", None, None, None)
    assert await rows(dsn, "select name, parent_id from topics where slug = 'a'") == [("a", None)]
    assert await rows(dsn, "select name, country from places") == [("leeds", None)]


async def test_of_two_lines_with_one_key_the_later_wins_field_by_field(empty_database: str) -> None:
    dsn = empty_database
    summary = await put_twice(
        dsn,
        story("k", "First", summary="s", keyPoints=["a"], topics=["x"]),
        article("1", story="k", excerpt="e", authors=["Ann"], kind="ANALYSIS", paywalled=False),
        outlet("one.example", name="One", country="GB", owners=[{"name": "A", "category": "OTHER"}]),
        topic("x", name="X", parent="y"),
        place("p", name="P", country="FR"),
        story("k", "Second", summary=None, imageUrl="http://i"),
        article("1", title="New", authors=["Bob", "Cid"], kind=None),
        outlet("ONE.example", country=None, language="en"),
        topic("x", parent="z"),
        place("p", country="DE"),
    )
    assert await rows(dsn, STORY) == [("Second", None, ["a"], "http://i")]
    assert await rows(dsn, TOPICS) == [("x",)]
    assert (await rows(dsn, ARTICLE))[0][1:8] == ("New", "e", ["Bob", "Cid"], "NEWS", None, None, False)
    assert (await rows(dsn, OUTLET))[0][2:] == ("One", None, None, None, "en", None)
    assert await rows(dsn, "select t.name, p.slug from topics t join topics p on p.id = t.parent_id") == [("X", "z")]
    assert await rows(dsn, "select name, country from places") == [("P", "DE")]
    assert [outcome(summary, kind) for kind in ("story", "article", "outlet", "topic", "place")] == [(1, 0, 1, 0)] * 5


async def test_lists_and_perspectives_are_replaced_whole(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, FULL_STORY, FULL_ARTICLE, FULL_OUTLET)
    await put_twice(
        dsn,
        story(
            "k",
            "A title",
            keyPoints=["three"],
            topics=["a", "c"],
            places=["york"],
            perspectives={"RIGHT": "R", "CENTER": "c"},
        ),
        article("1", authors=[]),
        outlet("one.example", owners=[{"name": "C", "category": "OTHER"}]),
    )
    assert await rows(dsn, "select key_points from stories") == [(["three"],)]
    assert await rows(dsn, TOPICS) == [("a",), ("c",)]
    assert await rows(dsn, "select p.slug from story_places s join places p on p.id = s.place_id") == [("york",)]
    assert await rows(dsn, PERSPECTIVES) == [("CENTER", "c"), ("RIGHT", "R")]
    assert await rows(dsn, "select authors from articles") == [([],)]
    assert await rows(dsn, OWNERS) == [("C", "OTHER")]


async def test_ratings_merge_by_agency(empty_database: str) -> None:
    dsn = empty_database
    x, y = {"agency": "X", "bias": "LEFT", "factuality": "LOW"}, {"agency": "Y", "bias": "RIGHT"}
    await put_twice(dsn, outlet("o.example", ratings=[x]), outlet("o.example", ratings=[y]))
    assert await rows(dsn, RATINGS) == [("X", "LEFT", "LOW", None, None), ("Y", "RIGHT", None, None, None)]
    await put_twice(dsn, outlet("o.example", ratings=[{"agency": "X", "bias": "CENTER"}]))
    assert await rows(dsn, RATINGS) == [("X", "CENTER", None, None, None), ("Y", "RIGHT", None, None, None)]
    await put_twice(dsn, outlet("o.example", ratings=[]))
    assert len(await rows(dsn, RATINGS)) == 2


async def test_null_clears_all_ratings_but_for_those_that_follow(empty_database: str) -> None:
    dsn = empty_database
    x, y, z = ({"agency": agency, "bias": "LEFT"} for agency in "XYZ")
    await put(dsn, outlet("o.example", ratings=[x]))
    await put_twice(
        dsn, outlet("o.example", ratings=[y]), outlet("o.example", ratings=None), outlet("o.example", ratings=[z])
    )
    assert [agency for agency, *_ in await rows(dsn, RATINGS)] == ["Z"]
    await put_twice(dsn, outlet("o.example", ratings=None))
    assert await rows(dsn, RATINGS) == []


async def test_a_new_rating_changes_the_figures_of_the_stories_it_touches(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("k"), article("1", story="k"))
    before = await rows(dsn, "select count(*) from changes")
    await put_twice(dsn, outlet("one.example", ratings=[{"agency": "X", "bias": "RIGHT"}]))
    assert await rows(dsn, "select right_count, rated_count from stories") == [(1, 1)]
    assert await rows(dsn, "select count(*) from changes") == [(before[0][0] + 1,)]


async def test_domains_are_lower_cased_and_otherwise_taken_as_given(empty_database: str) -> None:
    await put_twice(
        empty_database,
        outlet("WWW.Straße.Example"),
        article("1", outlet="News.EXAMPLE"),
        outlet("news.example", name="News"),
    )
    assert await rows(empty_database, "select domain, name from outlets order by 1") == [
        ("news.example", "News"),
        ("www.straße.example", "www.straße.example"),
    ]


async def test_urls_are_kept_byte_for_byte(empty_database: str) -> None:
    odd = "http://Ünï.example\\a b/%7E~?q=\u202e\"'#☃"
    await put_twice(empty_database, article("1", url=odd), article("2", url=odd + "/"))
    assert await rows(empty_database, "select url from articles order by length(url)") == [(odd,), (odd + "/",)]


async def test_a_url_of_the_greatest_length_has_a_story_of_its_own(empty_database: str) -> None:
    longest = "https://one.example/" + "".join(chr(0x10000 + (i * 7919) % 60_000) for i in range(2_028))
    assert len(longest) == 2_048
    await put_twice(
        empty_database, article("1", url=longest), story("k"), {"type": "merge", "from": f"url:{longest}", "into": "k"}
    )
    assert await rows(empty_database, "select s.key from articles a join stories s on s.id = a.story_id") == [("k",)]
    assert findings(await put(empty_database, article("1", url=longest + "x"))) == [(1, "url")]


async def test_published_over_a_day_ahead_or_before_1900_is_wrong(empty_database: str) -> None:
    now = datetime.now(UTC)
    times = (
        "1900-01-01T00:00:00Z",
        "1899-12-31T23:59:59.999999Z",
        "1900-01-01T00:00:00+00:01",
        (now + timedelta(hours=23)).isoformat(),
        (now + timedelta(hours=25)).isoformat(),
        "9999-12-31T23:59:59-12:00",
        "0000-01-01T00:00:00Z",
    )
    summary = await put(empty_database, *(article(str(n), publishedAt=time) for n, time in enumerate(times)))
    assert findings(summary) == [(line, "publishedAt") for line in (2, 3, 5, 6, 7)]


async def test_an_unknown_outlet_is_made_unrated(empty_database: str) -> None:
    await put_twice(empty_database, article("1", outlet="New.example"))
    assert await rows(empty_database, "select domain, slug, name, bias::text from outlets") == [
        ("new.example", "new-example", "new.example", None)
    ]


async def test_unknown_topics_parents_and_places_are_made(empty_database: str) -> None:
    await put_twice(
        empty_database,
        topic("child", parent="parent"),
        story("k", topics=["t"], places=["p"]),
        outlet("o.example", place="q"),
    )
    assert await rows(empty_database, "select slug, name from topics order by 1") == [
        ("child", "child"),
        ("parent", "parent"),
        ("t", "t"),
    ]
    assert await rows(empty_database, "select slug, name from places order by 1") == [("p", "p"), ("q", "q")]


CIRCLES: dict[str, tuple[list[tuple[str, str | None]], list[int]]] = {
    "of one": ([("a", "a")], [1]),
    "of two": ([("a", "b"), ("b", "a")], [2]),
    "of three, whatever the order": ([("c", "a"), ("a", "b"), ("b", "c")], [3]),
    "two of them": ([("a", "b"), ("x", "y"), ("b", "a"), ("y", "x")], [3, 4]),
    "that a later line opens": ([("a", "b"), ("b", "a"), ("a", None)], []),
    "that an earlier line closes when the later one is refused": ([("b", "a"), ("a", "b"), ("a", "a")], [3, 2]),
}


@pytest.mark.parametrize(("parents", "refused"), CIRCLES.values(), ids=CIRCLES.keys())
async def test_a_circle_of_parents_is_an_error_of_the_line_that_closes_it(
    empty_database: str, parents: list[tuple[str, str | None]], refused: list[int]
) -> None:
    summary = await put_twice(empty_database, *(topic(slug, parent=parent) for slug, parent in parents))
    assert findings(summary) == [(line, "parent") for line in refused]


async def test_a_circle_with_stored_parents_is_an_error(empty_database: str) -> None:
    await put(empty_database, topic("a", parent="b"), topic("b", parent="c"))
    summary = await put_twice(empty_database, topic("c", name="C", parent="a"), topic("d", parent="a"))
    assert findings(summary) == [(1, "parent")]
    assert await rows(empty_database, "select name from topics where slug = 'c'") == [("c",)]


async def test_topics_can_change_places(empty_database: str) -> None:
    await put(empty_database, topic("a", parent="b"), story("k", topics=["a"]), article("1", story="k"))
    summary = await put_twice(empty_database, topic("b", parent="a"), topic("a", parent=None))
    assert outcome(summary, "topic") == (0, 2, 0, 0)
    assert await rows(empty_database, "select slug, story_count from topics order by 1") == [("a", 1), ("b", 0)]


async def test_slugs_are_made_once_and_never_change(empty_database: str) -> None:
    dsn = empty_database
    await put(dsn, story("k", "Größe — it\u2019s Über 9000!"), outlet("a.b-c.example"), article("1", story="k"))
    (slug,) = (await rows(dsn, "select slug from stories"))[0]
    assert slug.startswith("grosse-its-uber-9000-")
    await put(dsn, story("k", "Another title"), outlet("a.b-c.example", name="Another name"))
    assert await rows(dsn, "select slug from stories") == [(slug,)]
    assert await rows(dsn, "select slug from outlets where domain like 'a%'") == [("a-b-c-example",)]


async def test_slugs_of_outlets_are_suffixed_on_collision(empty_database: str) -> None:
    dsn = empty_database
    await put_twice(dsn, outlet("a.b.example"), outlet("a-b.example"), article("1", outlet="a.b-example"))
    slugs = dict(await rows(dsn, "select domain, slug from outlets"))
    assert slugs["a.b.example"] == "a-b-example"
    assert len(set(slugs.values())) == 3
    assert all(slug.startswith("a-b-example") for slug in slugs.values())
    await put(dsn, outlet("a-b-example"))
    assert len(set(await rows(dsn, "select slug from outlets"))) == 4


async def test_stories_of_one_title_have_slugs_of_their_own(empty_database: str) -> None:
    await put_twice(empty_database, *(story(str(n), "Live") for n in range(50)))
    assert len(set(await rows(empty_database, "select slug from stories"))) == 50
