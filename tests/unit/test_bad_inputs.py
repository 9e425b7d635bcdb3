from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_bad_input_names_tests_that_are_there() -> None:
    text = (ROOT / "docs" / "bad-inputs.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("| | input", "| ---"))]
    for row in rows:
        named = re.findall(r"`([a-z_/]+\.py)`", row)
        assert named, row
        for name in named:
            assert (ROOT / "tests" / name).is_file(), name
    numbers = [int(number) for row in rows if (number := row.split("|")[1].strip())]
    assert numbers == list(range(1, 23))
