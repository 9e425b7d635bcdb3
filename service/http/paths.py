"""Where things are answered."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp


def at(path: str, endpoint: Any, methods: Collection[str] | None = None) -> list[BaseRoute]:
    """The same endpoint with and without a trailing slash."""
    return [Route(each, endpoint, methods=methods) for each in (path, f"{path}/")]


def below(path: str, app: ASGIApp) -> BaseRoute:
    """What answers all that is below a path, whatever characters it is of: a Mount alone knows no line breaks."""
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
