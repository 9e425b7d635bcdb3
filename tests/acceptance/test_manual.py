"""The documentation as it is served."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from service import errors
from service.errors import ApiError
from service.manual.contents import CONTENTS, REFERENCE
from tests.acceptance.conftest import Serve
from tests.documentation import DOCS

pytestmark = pytest.mark.any_engine

PAGES = [entry.name for group in CONTENTS for entry in group.entries]
ELSEWHERE = {"/v1/openapi.json"}
"""What a service of its own answers."""


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if href := given.get("href"):
            self.links.append(href)
        if id_ := given.get("id"):
            self.ids.append(id_)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        assert "style" not in given
        assert not [name for name in given if name.startswith("on")]


@pytest.fixture(scope="module")
async def pages(client: httpx.AsyncClient) -> dict[str, Page]:
    """Every page by its path."""
    found: dict[str, Page] = {}
    for path in ["/docs", *(f"/docs/{name}" for name in PAGES)]:
        response = await client.get(path)
        assert response.status_code == 200, path
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        found[path] = Page(response.text)
    return found


async def test_every_link_leads_somewhere(client: httpx.AsyncClient, pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        for link in set(page.links):
            target, _, anchor = link.partition("#")
            if target.startswith(("http", "data:")) or target in ELSEWHERE:
                continue
            if target in pages or not target:
                assert not anchor or anchor in pages[target or path].ids, f"{path}: {link}"
            else:
                answer = await client.get(target, headers={"accept": "text/html,*/*;q=0.1"})
                assert answer.status_code == 200, f"{path}: {link}"


def test_every_page_leads_to_every_other(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert {f"/docs/{name}" for name in PAGES} <= set(page.links), path


def test_ids_are_unique_and_headings_leave_no_level_out(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        assert page.headings[0] == 1
        assert page.headings.count(1) == 1
        for above, below in zip(page.headings, page.headings[1:], strict=False):
            assert below <= above + 1, path


@pytest.mark.parametrize("path", ["/docs", "/docs/reference", "/docs/manual.css", "/docs/", "/docs/errors/"])
@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd", "identity"])
async def test_a_page_comes_in_any_coding_and_not_again_where_it_is_known(
    client: httpx.AsyncClient, path: str, coding: str
) -> None:
    response = await client.get(path, headers={"accept-encoding": coding})
    assert response.headers.get("content-encoding", "identity") == (coding or "identity")
    assert "parallax" in response.text.lower() or "color" in response.text
    assert response.headers["cache-control"] == "public, max-age=60"
    headers = {"accept-encoding": coding, "if-none-match": f'"other", W/{response.headers["etag"]}'}
    again = await client.get(path, headers=headers)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", response.headers["etag"])
    head = await client.head(path, headers={"accept-encoding": coding})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == response.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/docs/nothing",
        "/docs/../app",
        "/docs/%2e%2e%2fpyproject",
        "/docs/Errors",
        "/docs/errors.md",
        "/docs/a%00b",
        "/docs/errors/x",
    ],
)
async def test_a_page_that_is_not_there_is_told_as_a_page(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    if path != "/docs/../app":  # of which a client makes /app
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "/docs/quickstart" in response.text
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.status_code == 404
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/docs/errors", "/docs/manual.css"])
async def test_what_is_only_read_refuses_other_methods(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert "only read" in response.text


async def test_no_page_may_run_a_script_or_be_framed(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/docs/errors"):
        response = await client.get(path)
        policy = response.headers["content-security-policy"]
        assert "script-src" not in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["x-frame-options"] == "DENY"
        assert "<script" not in response.text


async def test_without_introspection_there_is_no_reference(serve: Serve, newsless: str) -> None:
    async with serve(newsless, introspection=False, graphiql=False) as client:
        assert (await client.get("/docs/reference")).status_code == 404
        for path in ("/docs", "/docs/errors"):
            page = (await client.get(path)).text
            assert "/docs/reference" not in page
            assert 'href="/schema.graphql"' not in page
            assert 'href="/graphql"' not in page.split("<main", 1)[0]


def test_every_code_is_explained() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ApiError)]
    codes = {kind.code for kind in kinds}
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([A-Z_]+)` \| (\d+)( \*)? \|", text, re.MULTILINE)
    assert sorted(code for code, _, _ in told) == sorted(codes)
    statuses = {kind.code: (str(kind.status), "" if kind.always_status else " *") for kind in kinds}
    assert {code: (status, mark) for code, status, mark in told} == statuses | {"INTERNAL": ("500", "")}


def test_the_reference_is_no_file() -> None:
    assert not (DOCS / f"{REFERENCE}.md").exists()
