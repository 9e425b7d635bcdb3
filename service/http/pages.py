"""Pages and files that are the same for everyone: GraphiQL, the SDL. Knows nothing of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files
from pathlib import Path

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from schema import sdl
from service.http.fixed import Fixed, FixedEndpoint
from service.http.media import ContentType, MediaType
from service.http.responses import reply
from service.http.shortcuts import Header, lines_of

FOLDER = Path(str(files("service.http") / "graphiql"))

# CodeMirror and GraphiQL put styles into elements; scripts come from files of our own and nowhere else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS: tuple[Header, ...] = (
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

GRAPHIQL = (FOLDER / "page.html").read_bytes()
"""The page for browsers, whose files come from `graphiql_files`."""


def page_lines(policy: str) -> bytes:
    """The headers that every page for browsers has, as lines, with its Content-Security-Policy."""
    return lines_of((b"content-security-policy", policy.encode()), *_PAGE_HEADERS)


def registered_page(documents: Iterable[tuple[str, str]]) -> bytes:
    """The page in GraphiQL's place where only these are answered, each a name and an id."""
    page = (FOLDER / "registered.html").read_text(encoding="utf-8")
    items = (f"<dt>{escape(name)}</dt><dd><code>sha256:{escape(id_)}</code></dd>" for name, id_ in documents)
    return page.replace("<!-- documents -->", "\n      ".join(items)).encode()


async def send_page(send: Send, page: bytes) -> None:
    """Sends one of the pages for browsers."""
    await send(reply(200, MediaType.HTML, page, page_lines(POLICY)))


def graphiql_files() -> ASGIApp:
    """The scripts and styles of the GraphiQL page, each as a whole.

    Starlette answers a Range that cannot be read in plain text, where it should pass over it.
    """
    static = StaticFiles(directory=FOLDER / "files")

    async def send_file(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await static({**scope, "headers": headers}, receive, send)

    return send_file


def schema_file() -> ASGIApp:
    """The SDL."""
    return text_file(lambda: sdl().encode(), b"text/plain; charset=utf-8")


def text_file(read: Callable[[], bytes], content_type: bytes) -> ASGIApp:
    """A text that is the same for all."""
    kind, lines = ContentType(content_type), lines_of((b"cache-control", b"public, max-age=60"))
    return FixedEndpoint(lambda: Fixed(kind, read()), lines)
