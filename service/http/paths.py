"""Where things are answered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from starlette.routing import BaseRoute, Route


def at(path: str, endpoint: Any, methods: Collection[str] | None = None) -> list[BaseRoute]:
    """The same endpoint with and without a trailing slash."""
    return [Route(each, endpoint, methods=methods) for each in (path, f"{path}/")]
