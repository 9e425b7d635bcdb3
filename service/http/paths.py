"""Where things are answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

T = TypeVar("T")

_OF_UPSTREAM = re.compile(r"(topics|places|outlets)/\{slug\}")


class _OwnSlug(PathConvertor):
    """A slug that upstream chose, or made of a domain that it chose: slashes in it come to us as those of a path do."""

    regex = "[^/](?:.*[^/])?"


register_url_convertor("own_slug", _OwnSlug())


def route(path: str, endpoint: Any, methods: Collection[str] | None = None) -> Route:
    """A route, where slugs of topics, places and outlets are taken whole: see `deepest_first`."""
    return Route(_OF_UPSTREAM.sub(r"\1/{slug:own_slug}", path), endpoint, methods=methods)


def deepest_first(of: Iterable[T], path: Callable[[T], str]) -> list[T]:
    """Whatever has paths, in the order for routes of these: `/topics/a/coverage` is not the topic `a/coverage`."""
    return sorted(of, key=lambda each: -path(each).count("/"))


def at(path: str, endpoint: Any, methods: Collection[str] | None = None) -> list[BaseRoute]:
    """The same endpoint with and without a trailing slash."""
    return [route(each, endpoint, methods) for each in (path, f"{path}/")]


def below(path: str, app: ASGIApp) -> BaseRoute:
    """What answers all that is below a path, whatever characters it is of: a Mount alone knows no line breaks."""
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
