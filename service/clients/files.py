"""Serves what `make sdl` has written for clients, for those who have no copy of the project."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from starlette.routing import BaseRoute, Route

from service.http.kept import READING
from service.http.pages import text_file

FOLDER = Path(str(files("schema") / "clients"))

_MEDIA_TYPES = {".js": b"text/javascript; charset=utf-8", ".ts": b"text/plain; charset=utf-8"}


def client_routes() -> Iterator[BaseRoute]:
    """A route for each file, under /clients."""
    return (_route(file) for file in sorted(FOLDER.iterdir()) if file.suffix in _MEDIA_TYPES)


def _route(file: Path) -> Route:
    return Route(f"/clients/{file.name}", text_file(file.read_bytes, _MEDIA_TYPES[file.suffix]), methods=READING)
