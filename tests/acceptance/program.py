"""The program `parallax` as a user starts it: a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.access_keys import PEPPER

COMMAND = [sys.executable, "-m", "service"]


def run(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with settings such as `PORT="1"`."""
    return subprocess.run(
        [*COMMAND, *arguments], env=_environment(settings), input=stdin, capture_output=True, text=True, check=False
    )


@dataclass
class Serving:
    """A `parallax serve` that answers at `url`."""

    process: subprocess.Popen[str]
    url: str
    welcome: str


@contextmanager
def serving(**settings: str) -> Generator[Serving]:
    """Serve on a free port; where the test has not ended the process, it is told to stop."""
    process = subprocess.Popen(
        [*COMMAND, "serve"], env=_environment({"PORT": "0", **settings}), stdout=subprocess.PIPE, text=True
    )
    try:
        welcome = _read_welcome(process)
        found = re.search(r"http://\S+(?=/graphql)", welcome)
        assert found, f"it did not start; it said {welcome!r}"
        yield Serving(process, found[0], welcome)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()


def _read_welcome(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    settings = {"KEY_PEPPER": PEPPER, **settings} if "DATABASE_URL" in settings else settings
    return os.environ | {f"PARALLAX_{name}": value for name, value in settings.items()}
