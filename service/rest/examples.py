"""Examples for the OpenAPI document: what was asked, and what was answered to it, of the demo world.

`make cases` writes the answers anew; a test asks all of them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import orjson

FOLDER = Path(str(files("service") / "rest" / "examples"))


class Example(NamedTuple):
    """The parameters of a request, and its answer: JSON, or the text of something else."""

    parameters: Mapping[str, Any]
    answer: Any


def example_of(operation_id: str) -> Example | None:
    """The example of an operation; none where nobody wrote one, as for a path of one's own."""
    file = FOLDER / f"{operation_id}.json"
    return Example(**orjson.loads(file.read_bytes())) if file.exists() else None
