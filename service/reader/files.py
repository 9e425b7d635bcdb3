"""The reader's own files: one style sheet, one script, one picture. Each address holds the hash of what is there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.types import Receive, Scope, Send

from service.errors import NotFound
from service.http.fixed import Fixed
from service.http.media import ContentType
from service.http.requests import headers_of
from service.http.shortcuts import lines_of

FOLDER = Path(str(files("service.reader") / "files"))
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml; charset=utf-8",
}
_FOREVER = b"public, max-age=31536000, immutable"
_SOON = b"public, max-age=0, must-revalidate"


FILES: Mapping[str, Fixed] = {
    path.name: Fixed(ContentType(_TYPES[path.suffix]), path.read_bytes())
    for path in sorted(FOLDER.iterdir())
    if path.suffix in _TYPES
}


def digest_of(name: str) -> str:
    """What tells a file from each that it was before."""
    return FILES[name].digest[:16]


def path_of(name: str) -> str:
    """The path of a file as it is now; it is never anything else."""
    return f"/reader/{digest_of(name)}/{name}"


class FileEndpoint:
    """Sends the file of a path. An older page's hash leads to the file of now, which is not kept under it."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        wanted: Mapping[str, str] = scope["path_params"]
        file = FILES.get(wanted["name"])
        if file is None:
            raise NotFound("There is no such file.")
        is_of_now = wanted["digest"] == digest_of(wanted["name"])
        await send(file.reply(headers_of(scope), lines_of((b"cache-control", _FOREVER if is_of_now else _SOON))))
