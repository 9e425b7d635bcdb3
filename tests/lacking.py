"""What a test needs that this machine does not have: in CI that is a failure, elsewhere the test is skipped."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Ends the test: it cannot run without that."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
