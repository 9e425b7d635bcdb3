"""The reader's own files: one style sheet, one script, one picture. Each address holds the hash of what is there."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import orjson
from starlette.types import Receive, Scope, Send

from service.errors import NotFound
from service.http.encoding import ENCODERS, accepted_encoding
from service.http.forms import Form
from service.http.requests import headers_of
from service.http.responses import send_not_modified, send_reply
from service.http.shortcuts import lines_of

FOLDER = Path(str(files("service.reader") / "files"))
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml; charset=utf-8",
}
_FOREVER = b"public, max-age=31536000, immutable"
_SOON = b"public, max-age=0, must-revalidate"


class File(NamedTuple):
    """A file as it is sent: its type, its hash, and its bytes in every coding."""

    kind: Form
    digest: str
    codings: Mapping[str, bytes]


def _read(path: Path) -> File:
    body = path.read_bytes()
    codings = {"": body, **{name: encode(body) for name, encode in ENCODERS.items()}}
    kind = Form(path.name, _TYPES[path.suffix], orjson.dumps)
    return File(kind, sha256(body).hexdigest()[:16], codings)


FILES: Mapping[str, File] = {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES}


def path_of(name: str) -> str:
    """The path of a file as it is now; it is never anything else."""
    return f"/reader/{FILES[name].digest}/{name}"


class FileEndpoint:
    """Sends the file of a path. An older page's hash leads to the file of now, which is not kept under it."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        wanted: Mapping[str, str] = scope["path_params"]
        file = FILES.get(wanted["name"])
        if file is None:
            raise NotFound("There is no such file.")
        headers = headers_of(scope)
        accepts = headers.get(b"accept-encoding")
        encoding = accepted_encoding(accepts) if accepts else ""
        etag = f'"{file.digest}-{encoding}"'.encode()
        cache = _FOREVER if wanted["digest"] == file.digest else _SOON
        lines = lines_of((b"etag", etag), (b"cache-control", cache))
        if etag in headers.get(b"if-none-match", b""):
            await send_not_modified(send, lines)
            return
        if encoding:
            lines += lines_of((b"content-encoding", encoding.encode()))
        await send_reply(send, 200, file.kind, file.codings[encoding], lines)
