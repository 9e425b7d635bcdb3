"""Fixed statements by their names, from queries.sql."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def named_statements(text: str) -> Mapping[str, str]:
    """The statements of a file by their names: each from a line `-- name: …` to the semicolon that ends it."""
    _, *parts = _NAME.split(text)
    return MappingProxyType(
        {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}
    )


QUERIES = named_statements((files("service.db") / "queries.sql").read_text(encoding="utf-8"))
