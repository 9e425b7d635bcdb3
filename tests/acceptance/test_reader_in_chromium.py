"""The reader as people meet it: in Chromium, in both themes, wide and narrow, with and without a script."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import asyncpg
import pytest

from service.access.keys import new_key
from service.load import load_lines
from tests.acceptance.browser import Browser
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key, add_tier
from tests.acceptance.reader import places_of
from tests.access_keys import PEPPER
from tests.databases import settled

pytestmark = pytest.mark.any_engine

MOST_SCRIPT = 50_000
ALL = ["FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY"]


async def test_every_page_is_sound_in_both_themes_wide_and_narrow(
    serve: Serve, demo_database: str, browser: Browser
) -> None:
    async with serve(demo_database, allowances="off") as client:
        places = await places_of(client)
        seen = await browser.sees(client, "look", [*places.pages, *places.errors])
        base = str(client.base_url)
    assert len({each["paper"] for each in seen}) == 2
    assert min(each["passes"] for each in seen) > 20
    assert len(seen) == 2 * len([*places.pages, *places.errors])
    for each in seen:
        told = f"{each['path']} {each['theme']} {each['width']}"
        expected = places.errors.get(each["path"], 200)
        assert each["status"] == expected, told
        assert each["violations"] == [], told
        assert each["overflow"] <= 0, told
        assert 0 < each["scriptBytes"] < MOST_SCRIPT, told
        # A browser tells of every answer that is an error, and of nothing else here.
        assert [error for error in each["errors"] if f"status of {expected}" not in error] == [], told
        assert [sent for sent in each["requests"] if not sent["url"].startswith(base)] == [], told


async def test_with_all_features_every_page_is_sound(serve: Serve, demo_database: str, browser: Browser) -> None:
    async with serve(demo_database, allowances="off", granted_features=",".join(ALL)) as client:
        places = await places_of(client)
        pages = [places.story, places.outlet, f"{places.topic}/coverage?days=365"]
        seen = await browser.sees(client, "look", pages)
    for each in seen:
        told = f"{each['path']} {each['theme']} {each['width']}"
        assert (each["violations"], each["errors"]) == ([], []), told
        assert each["overflow"] <= 0, told


async def test_long_words_and_lone_articles_have_sound_pages(serve: Serve, own_demo: str, browser: Browser) -> None:
    now = datetime.now(UTC).isoformat()
    word, domain = "Llanfairpwllgwyngyll" * 12, f"{'a' * 60}.{'b' * 60}.example"
    story = {"summary": word, "keyPoints": [word, "قمة المناخ"], "perspectives": {"LEFT": word}, "topics": ["long"]}
    article = {"type": "article", "outlet": domain, "publishedAt": now, "excerpt": word, "title": word}
    lines = [
        {"type": "topic", "slug": "long", "name": word},
        {
            "type": "outlet", "domain": domain, "name": word, "ratings": [{"agency": word, "bias": "FAR_LEFT"}],
            "owners": [{"name": word, "category": "BILLIONAIRE"}],
        },
        {"type": "story", "key": "odd", "title": f"{'A long title ' * 50}{word}", **story},
        {"type": "story", "key": "lone", "title": "قمة المناخ تنتهي باتفاق جديد"},
        {**article, "url": "https://odd.example/1", "story": "odd", "language": "ar", "kind": "OPINION"},
        {**article, "url": "https://odd.example/2", "story": "lone", "language": "de", "paywalled": True},
    ]  # fmt: skip
    await load_lines(own_demo, lines, strict=True)
    async with serve(own_demo, allowances="off", granted_features=",".join(ALL), cache_bytes=0) as client:
        query = f'{{outlet(by: {{domain: "{domain}"}}) {{slug articles(first: 2) {{nodes {{story {{slug}}}}}}}}}}'
        outlet = (await client.post("/graphql", json={"query": query})).json()["data"]["outlet"]
        pages = [f"/stories/{each['story']['slug']}" for each in outlet["articles"]["nodes"]]
        pages += [f"/outlets/{outlet['slug']}", f"/compare?outlets={domain}", "/topics/long", "/topics/long/coverage"]
        pages += ["/search", "/search?q=Llanfairpwllgwyngyll", "/?sort=newest", "/outlets?prefix=Llan"]
        seen = await browser.sees(client, "look", pages)
    assert len(seen) == 2 * len(pages) == 20
    for each in seen:
        told = f"{each['path']} {each['theme']} {each['width']}"
        assert (each["status"], each["violations"], each["errors"]) == (200, [], []), told
        assert each["overflow"] <= 0, told


async def test_the_page_that_tells_that_the_database_is_away_is_sound(serve: Serve, browser: Browser) -> None:
    async with serve("postgresql://postgres@127.0.0.1:1/nothing") as client:
        seen = await browser.sees(client, "look", ["/"])
    assert len(seen) == 2
    for each in seen:
        told = f"{each['theme']} {each['width']}"
        assert (each["status"], each["violations"]) == (503, []), told
        assert each["overflow"] <= 0, told


async def test_an_empty_world_has_sound_pages(serve: Serve, newsless: str, browser: Browser) -> None:
    async with serve(newsless) as client:
        pages = ["/", "/blindspots", "/outlets", "/search", "/search?q=x", "/compare"]
        seen = await browser.sees(client, "look", pages)
    for each in seen:
        assert (each["status"], each["violations"], each["errors"]) == (200, [], []), each["path"]


async def test_everything_can_be_read_without_a_script(serve: Serve, demo_database: str, browser: Browser) -> None:
    async with serve(demo_database, allowances="off") as client:
        places = await places_of(client)
        seen = {each["path"]: each for each in await browser.sees(client, "read", [*places.pages])}
    for path, each in seen.items():
        assert (each["status"], each["errors"]) == (200, []), path
        assert each["scriptBytes"] == 0, path
        assert "Use a key" not in each["text"], path
    story = seen[places.story]["text"]
    assert "24 articles" in story
    assert "40% of the sources lean left" in story
    assert "upgrade to premium" in story
    assert " UTC" in story


async def test_an_open_story_shows_what_changes_and_leaves_the_focus_where_it_is(
    serve: Serve, own_demo: str, browser: Browser
) -> None:
    conn = await asyncpg.connect(own_demo)
    await settled(conn)
    async with serve(own_demo) as client:
        places = await places_of(client)
        slug = places.story.removeprefix("/stories/")
        async with browser.doing(client, "follow", places.story) as printed:
            assert json.loads(await printed.readline()) == {"watching": True}
            title = await conn.fetchval("select title from stories where slug = $1", slug)
            change = "update stories set title = $1, key_points = $2 where slug = $3"
            await conn.execute(change, "<b>Another</b> title", ["One"], slug)
            seen = json.loads(await printed.readline())
            await conn.execute(change, title, ["One"], slug)
    await conn.close()
    assert seen["news"] == "This story has just been updated."
    assert seen["title"] == "<b>Another</b> title"
    assert seen["points"] == ["One"]
    assert seen["keptFocus"]
    assert seen["errors"] == []


async def test_a_key_shows_what_its_tier_has_and_stands_in_no_address_and_no_cookie(
    serve: Serve, own_demo: str, browser: Browser
) -> None:
    conn = await asyncpg.connect(own_demo)
    await add_tier(conn, "everything", ALL)
    key = await add_key(conn, "everything")
    await conn.close()
    async with serve(own_demo, key_pepper=PEPPER) as client:
        places = await places_of(client)
        task = {"wrong": new_key(), "good": key, "paths": [places.story, places.outlet, f"{places.topic}/coverage"]}
        (seen,) = await browser.sees(client, "key", task)
    assert seen["mistyped"].startswith("A key is plx_")
    assert seen["refused"] == "This key is not accepted."
    assert seen["upgradesBefore"] == 3
    assert "Very high" in seen["factuality"]
    assert seen["upgradesAfter"] == [0, 0]
    assert seen["away"] == [["The service cannot answer at the moment.", 1]] * 2  # what was there is still there
    assert seen["cookies"] == seen["forgotten"] == 0
    assert [sent for sent in seen["requests"] if "plx_" in sent["url"]] == []
    assert seen["errors"] == []
