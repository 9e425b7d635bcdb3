"""Where callers reach the service."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.errors import BadRequest
from service.http.public import base_url
from service.settings import Settings


def _scope(host: bytes | None) -> dict[str, object]:
    return {"scheme": "http", "headers": [] if host is None else [(b"host", host)]}


@pytest.mark.parametrize("host", [b"News.example", b"127.0.0.1:8000", b"[::1]:8000", b"a_b.example"])
def test_links_lead_to_the_host_that_was_asked(host: bytes) -> None:
    assert base_url(_scope(host), None) == f"http://{host.decode().lower()}"


@pytest.mark.parametrize(
    "host", [None, b"", b"a b", b"a/b", b'"><script>', b"x@y", b"a" * 300, "bücher".encode(), b"[::::]", b"[....]"]
)
def test_no_link_is_made_of_what_is_no_host(host: bytes | None) -> None:
    with pytest.raises(BadRequest):
        base_url(_scope(host), None)


def test_what_is_set_goes_before_what_the_request_names() -> None:
    assert base_url(_scope(b"evil.example"), "https://news.example") == "https://news.example"


@pytest.mark.parametrize("given", ["https://news.example/", "https://news.example"])
def test_a_public_url_ends_without_a_slash(given: str) -> None:
    assert Settings(public_url=given).public_url == "https://news.example"


@pytest.mark.parametrize("given", ["news.example", "ftp://news.example", "https://", "https://a b", "https://a/?q", ""])
def test_a_public_url_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=given)
