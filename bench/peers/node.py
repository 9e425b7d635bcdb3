"""The peers that run on Node.js: installs them at first use, from the lock file, and tells how they are started."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.targets import PEERS, Target

SOURCES = PEERS / "nodejs"
FOLDER = Path(".parallax", "bench", "peers")
LOCK = "package-lock.json"
PRODUCTION = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
INSTALLS_WITHIN = 600.0
MISSING = "PostGraphile and Mercurius are not measured: Node.js with npm is not here (Debian: apt install npm)"


def node_peers(tell: Callable[[str], None], folder: Path = FOLDER) -> list[Target]:
    """PostGraphile and Mercurius; none, and why is told, where they cannot be installed."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        tell(MISSING)
        return []
    try:
        _install(tell, folder)
    except (OSError, subprocess.SubprocessError) as reason:
        tell(f"PostGraphile and Mercurius are not measured: they could not be installed ({reason})")
        return []
    node = str((folder / "node_modules" / ".bin" / "node").absolute())
    return [
        Target(
            name,
            (node, str((folder / f"{name}.js").absolute())),
            operations=operations,
            settings=PRODUCTION,
        )
        for name, operations in (("postgraphile", SOURCES / "postgraphile"), ("mercurius", PEERS / "operations"))
    ]


def _install(tell: Callable[[str], None], folder: Path) -> None:
    """Programs lie beside what they import, as Node.js wants it; what is locked is installed once."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in (*SOURCES.glob("*.js"), SOURCES / "package.json"):
        shutil.copy(source, folder)
    lock, installed = SOURCES / LOCK, folder / LOCK
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    tell("installing PostGraphile and Mercurius")
    shutil.copy(lock, installed)
    try:
        # npm warns that the Node.js that runs it is old for some packages; they run on the one that it installs.
        command = ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run(command, cwd=folder, check=True, timeout=INSTALLS_WITHIN)
    except BaseException:
        installed.unlink()  # so that the next run begins anew
        raise
