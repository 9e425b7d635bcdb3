"""How an export is written: lines of JSON, or a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from service.export.columns import Column, cell

Edge = Mapping[str, Any]
"""An item of a page: `node`, and the `cursor` after which others come."""


class Format(Protocol):
    """Writes the items of an export; what goes before them is written where there are none, too."""

    ending: str
    content_type: bytes

    def head(self) -> bytes:
        """What an export begins with."""
        ...

    def rows(self, edges: Iterable[Edge]) -> bytes:
        """The items of a page."""
        ...


class NdJson:
    """A JSON object on a line of its own for each item: the `cursor` first, then what the document selects of it."""

    ending = "ndjson"
    content_type = b"application/x-ndjson"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, edges: Iterable[Edge]) -> bytes:
        """A line for each."""
        return b"".join(orjson.dumps({"cursor": each["cursor"], **each["node"]}) + b"\n" for each in edges)


class Csv:
    """A table (RFC 4180) with the names of its columns in the first row; the cursor is the last column."""

    ending = "csv"
    content_type = b"text/csv; charset=utf-8; header=present"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def head(self) -> bytes:
        """The names of the columns."""
        return _table([[*(each.name for each in self._columns), "cursor"]])

    def rows(self, edges: Iterable[Edge]) -> bytes:
        """A row for each."""
        return _table(
            [*(column.cell(each["node"]) for column in self._columns), cell(each["cursor"])] for each in edges
        )


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()
