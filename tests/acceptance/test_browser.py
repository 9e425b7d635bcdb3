"""The documentation and GraphiQL in a browser: what axe finds, what the console says, what is sent."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from service.manual.contents import CONTENTS
from tests.acceptance.browser import Browser
from tests.acceptance.conftest import Serve
from tests.access_keys import PEPPER, made_key

pytestmark = pytest.mark.any_engine

READY: dict[str, str] = {"until": "document.querySelector('.graphiql-execute-button')"}
RUN: dict[str, str] = {"click": ".graphiql-execute-button"}
ANSWERED = "document.querySelector('.result-window').innerText"
COST = "document.getElementById('cost').textContent"


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of the demo world, and a key for it."""
    async with serve(demo_database, key_pepper=PEPPER) as client:
        yield client, await made_key(demo_database, "premium")


async def test_the_pages_can_be_read_by_everybody_in_both_themes_on_any_screen(
    browser: Browser, demo: tuple[httpx.AsyncClient, str]
) -> None:
    paths = ["/docs", "/docs/nothing", *(f"/docs/{entry.name}" for group in CONTENTS for entry in group.entries)]
    looked = await browser.sees(demo[0], "skim", paths)  # they are all made of one template
    audited = [seen for seen in looked if "violations" in seen]
    views = set(itertools.product((390, 1440), ("light", "dark")))
    assert {(seen["width"], seen["theme"]) for seen in audited} == views
    assert (len(looked), [seen["path"] for seen in audited]) == (2 * len(paths), paths)
    for seen in audited:
        assert seen["passes"] > 20, seen["path"]
        assert seen["violations"] == [], (seen["path"], seen["width"], seen["theme"])
    for seen in looked:
        where = (seen["path"], seen["width"], seen["theme"])
        assert seen["overflow"] <= 0, where
        assert [each for each in seen["errors"] if "404" not in each] == [], where
        assert len(seen["requests"]) == 2, "a page and its stylesheet"


async def test_graphiql_sends_the_key_of_its_field_and_tells_what_a_query_cost(
    browser: Browser, demo: tuple[httpx.AsyncClient, str]
) -> None:
    client, key = demo
    asked = {"path": "/graphql", "width": 1440, "theme": "dark", "within": "header"}
    told = {"until": COST, "evaluate": f"[{COST}, {ANSWERED}, location.href, JSON.stringify(localStorage)]"}
    keyed = [READY, {"into": "#key", "type": key}, {**RUN, **told}]
    kept = {"evaluate": "[sessionStorage.getItem('parallax-key'), document.getElementById('key').value]"}
    without, with_key = await browser.sees(
        client,
        "act",
        [
            {**asked, "steps": [READY, {**RUN, **told}, kept]},
            {**asked, "width": 390, "theme": "light", "steps": [*keyed, kept]},
        ],
    )
    for seen, limit in ((without, "50,000"), (with_key, "500,000")):
        cost, answer, address, remembered = next(each for each in seen["answers"] if each)
        assert cost.startswith("Cost 80 · ")
        assert cost.endswith(f"of {limit} left")
        assert '"stories"' in answer.replace("\xa0", " ")
        assert seen["errors"] == []
        assert seen["violations"] == []
        assert seen["overflow"] <= 0
        assert key not in address + remembered
        assert all(key not in request["url"] for request in seen["requests"])
    assert without["answers"][-1] == [None, ""]
    assert with_key["answers"][-1] == [key, key]
    sent = [each["headers"].get("authorization") for each in with_key["requests"] if each["method"] == "POST"]
    assert sent == [None, f"Bearer {key}"], "the schema is asked for without"
    assert not any("authorization" in each["headers"] for each in without["requests"])


async def test_graphiql_shows_the_query_of_its_address_beside_the_tabs_of_an_earlier_visit(
    browser: Browser, demo: tuple[httpx.AsyncClient, str]
) -> None:
    kept = {"until": "localStorage.getItem('graphiql:tabState')"}
    visit = {"evaluate": "location.assign('/graphql?query={viewer{tier{name}}}'); null"}
    shown = {
        "until": "document.querySelector('.graphiql-query-editor')?.innerText.includes('viewer')",
        "evaluate": "document.querySelectorAll('.graphiql-tab-button').length",
    }
    page = {"path": "/graphql", "width": 390, "theme": "dark", "within": "header"}
    (seen,) = await browser.sees(demo[0], "act", [{**page, "steps": [READY, kept, visit, shown]}])
    assert seen["answers"][-1] == 7, "the examples, and the query"
    assert seen["overflow"] <= 0


async def test_graphiql_tells_that_a_key_is_wrong_and_keeps_the_schema(
    browser: Browser, demo: tuple[httpx.AsyncClient, str]
) -> None:
    wrong = {"into": "#key", "type": "no kéy, at all"}
    answered = {**RUN, "until": f"{ANSWERED}.includes('UNAUTHENTICATED')"}
    invalid = {"evaluate": f"[document.getElementById('key').getAttribute('aria-invalid'), {COST}]"}
    page = {"path": "/graphql", "width": 1440, "theme": "light", "within": "header"}
    (seen,) = await browser.sees(demo[0], "act", [{**page, "steps": [READY, wrong, answered, invalid]}])
    assert seen["answers"][-1] == ["true", "This key is not accepted"]
    assert [each for each in seen["errors"] if "401" not in each] == []


async def test_the_example_of_a_subscription_follows_changes_with_the_key(
    browser: Browser, demo: tuple[httpx.AsyncClient, str]
) -> None:
    client, key = demo
    last = {"evaluate": "[...document.querySelectorAll('.graphiql-tab-button')].at(-1).click()"}
    settled = {"evaluate": "new Promise((done) => setTimeout(done, 1000))"}  # GraphiQL reads a tab after a while
    sockets = {
        "evaluate": "window.sent = []; const send = WebSocket.prototype.send;"
        " WebSocket.prototype.send = function (text) { window.sent.push(text); send.call(this, text); }; null"
    }
    subscribed = {**RUN, "until": "window.sent.length === 2", "evaluate": "window.sent"}
    page = {"path": "/graphql", "width": 1440, "theme": "light", "within": "header"}
    steps = [READY, sockets, {"into": "#key", "type": key}, last, settled, subscribed]
    (seen,) = await browser.sees(client, "act", [{**page, "steps": steps}])
    greeting, subscribing = map(json.loads, seen["answers"][-1])
    assert greeting["payload"]["authorization"] == f"Bearer {key}"
    assert "storyChanged" in subscribing["payload"]["query"]
    assert seen["errors"] == []
