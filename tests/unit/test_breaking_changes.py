"""What would break clients of the last release needs a word in the changelog."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "breaking"

RELEASED = """# As released with 1.2.0.
directive @hint(of: String, by: Int) on FIELD
type Query { story(id: ID!, by: String): Story stories(first: Int = 5): [Story] }
interface Named { name: String }
type Story implements Named { name: String size: Int kind: Kind of: Any }
type Draft { name: String }
enum Kind { NEWS OPINION }
union Any = Story | Draft
input Filter { kind: Kind }
"""
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- `Story.size`, at last.

{unreleased}
## [1.2.0] - 2026-01-01

### Removed

- `Story.size`, `Query.story(by:)` and all that.

## [1.1.0] - 2025-01-01
"""


def examine(
    tmp_path: Path, served: str, unreleased: str = "", changelog: str = CHANGELOG
) -> subprocess.CompletedProcess[str]:
    files = {"released": RELEASED, "served": served, "changelog": changelog.format(unreleased=unreleased)}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    given = [word for name in files for word in (f"--{name}", str(tmp_path / name))]
    return subprocess.run([sys.executable, SCRIPT, *given], capture_output=True, text=True, check=False)


def test_the_sdl_breaks_nobody_without_a_word() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_as_it_was_or_added_passes(tmp_path: Path) -> None:
    assert examine(tmp_path, RELEASED).returncode == 0
    done = examine(tmp_path, RELEASED.replace("size: Int", "size: Int width: Int"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("was", "is_now", "coordinate"),
    [
        (" size: Int", "", "Story.size"),
        ("size: Int", "size: String", "Story.size"),
        ("name: String size", "name: Int size", "Story.name"),
        (", by: String", "", "Query.story(by:)"),
        (", by: String", ", by: String!", "Query.story(by:)"),
        (", by: String", ", by: String, at: Int!", "Query.story(at:)"),
        (" OPINION", "", "Kind.OPINION"),
        (" | Draft", "", "Any"),
        ("type Draft { name: String }", "interface Draft { name: String }", "Draft"),
        (" implements Named", "", "Story"),
        ("kind: Kind }", "kind: Kind! }", "Filter.kind"),
        ("kind: Kind }", "kind: Kind more: Int! }", "Filter.more"),
        (", by: Int)", ")", "@hint(by:)"),
        ("directive @hint(of: String, by: Int) on FIELD", "", "@hint"),
        ("on FIELD", "on QUERY", "@hint"),
    ],
)
def test_what_breaks_clients_is_named_with_what_to_write(
    tmp_path: Path, was: str, is_now: str, coordinate: str
) -> None:
    done = examine(tmp_path, RELEASED.replace(was, is_now))
    assert done.returncode == 1
    assert (
        f"CHANGELOG.md has to say so under [Unreleased], ### Changed or ### Removed, in a line with `{coordinate}`"
        in (done.stderr)
    )


@pytest.mark.parametrize("part", ["Changed", "Removed"])
def test_a_word_in_the_changelog_is_enough(tmp_path: Path, part: str) -> None:
    served = RELEASED.replace(" size: Int", "")
    done = examine(tmp_path, served, f"### {part}\n\n- `Story.size`: ask for its width.\n")
    assert (done.returncode, done.stdout) == (0, "breaking: Field Story.size was removed.\n")


@pytest.mark.parametrize("unreleased", ["", "### Added\n\n- `Story.size`\n", "### Removed\n\n- `Story.sizes`, size\n"])
def test_a_word_elsewhere_is_not(tmp_path: Path, unreleased: str) -> None:
    assert examine(tmp_path, RELEASED.replace(" size: Int", ""), unreleased).returncode == 1


def test_what_may_surprise_clients_is_told_and_passes(tmp_path: Path) -> None:
    done = examine(tmp_path, RELEASED.replace("first: Int = 5", "first: Int = 10").replace("OPINION", "OPINION REVIEW"))
    assert done.returncode == 0
    assert "dangerous: Enum value Kind.REVIEW was added." in done.stdout
    assert "dangerous: Query.stories(first:) has changed defaultValue from 5 to 10." in done.stdout


def test_a_release_takes_its_sdl_along(tmp_path: Path) -> None:
    newer = CHANGELOG.replace("## [1.2.0]", "## [1.3.0] - 2026-02-01\n\n## [1.2.0]")
    served = RELEASED.partition("\n")[2].replace(" size: Int", "")
    done = examine(tmp_path, served, changelog=newer)
    assert done.returncode == 1
    assert "'# As released with 1.3.0.': run `.ci/breaking --release`" in done.stderr

    given = [word for name in ("released", "served", "changelog") for word in (f"--{name}", str(tmp_path / name))]
    subprocess.run([sys.executable, SCRIPT, "--release", *given], check=True)
    assert (tmp_path / "released").read_text(encoding="utf-8") == f"# As released with 1.3.0.\n{served}"
    assert subprocess.run([sys.executable, SCRIPT, *given], check=False).returncode == 0
