"""The data of the embedded Postgres on disk, and the postmaster over it. Knows nothing of who uses it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import psutil

from service.embedded.binaries import MAJOR, Account, account, programs, roots_place
from service.embedded.errors import EmbeddedError
from service.parent import end_with_parent

OPTIONS: dict[str, str] = {
    "listen_addresses": "",
    "logging_collector": "off",
    "max_connections": "200",
}


class Cluster:
    """The Postgres of one data folder. Only the process that holds the folder's lock may have one."""

    def __init__(self, data_dir: Path, options: Mapping[str, str]) -> None:
        self._options = {**OPTIONS, **options}
        self._account = account()
        self._programs = programs(self._account)
        self._data = _place(data_dir, self._account)
        self._log = data_dir / "postgres.log"
        self._postmaster: subprocess.Popen[bytes] | None = None

    def start(self, socket_dir: Path) -> None:
        """Start the postmaster, with its socket in `socket_dir`; returns when it answers, recovered where need be."""
        _end_forgotten(self._data)
        if not (self._data / "PG_VERSION").exists():
            self._create()
        self._account.take(socket_dir)
        self._postmaster = self._launch(socket_dir)
        while not self._answers():
            if not self.alive:
                raise EmbeddedError(f"Postgres did not start. The end of {self._log}:\n{self._last_words()}")
            time.sleep(0.01)

    @property
    def alive(self) -> bool:
        return self._postmaster is not None and self._postmaster.poll() is None

    def stop(self) -> None:
        """End the postmaster with all its processes, cleanly if that is done within half a minute."""
        if self._postmaster is None:
            return
        for ending, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
            self._postmaster.send_signal(ending)
            try:
                self._postmaster.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue

    def _create(self) -> None:
        # Made beside and then renamed: what was left half made is never taken for a cluster.
        unfinished = self._data.with_name(self._data.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._account.take(unfinished)
        command = [self._programs / "initdb", "--pgdata", unfinished, "--username=postgres", "--auth=trust"]
        # The built-in locale sorts and folds the same on every machine, whatever locales it has.
        command += ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._options.get("fsync") == "off":
            command.append("--no-sync")
        failed, told = self._account.run(command)
        if failed:
            raise EmbeddedError(f"Postgres could not make its files in {self._data.parent}:\n{told}")
        unfinished.rename(self._data)

    def _launch(self, socket_dir: Path) -> subprocess.Popen[bytes]:
        options = {**self._options, "unix_socket_directories": str(socket_dir)}
        command = [self._programs / "postgres", "-D", self._data]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.old"))
        with self._log.open("wb") as log:
            # This process has one thread so far, which is what makes preexec_fn safe.
            return self._account.popen(
                command, stdout=log, stderr=log, preexec_fn=partial(end_with_parent, signal.SIGQUIT)
            )

    def _answers(self) -> bool:
        # The eighth line is the postmaster's state; pg_ctl waits for it in the same way.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])


def _place(data_dir: Path, user: Account) -> Path:
    """Where the cluster lies: in `data_dir`, or, where `user` cannot get there, elsewhere with a link in `data_dir`."""
    inside = data_dir / f"postgres-{MAJOR}"
    if not user.other or user.reaches(data_dir):
        return inside.resolve()
    elsewhere = roots_place() / hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
    if not inside.is_symlink() or inside.readlink() != elsewhere:
        # Without the link, what lies there belongs to a folder that is gone: deleting DATA_DIR deletes the data.
        shutil.rmtree(elsewhere, ignore_errors=True)
        inside.unlink(missing_ok=True)
        inside.symlink_to(elsewhere)
    return elsewhere


def _end_forgotten(data: Path) -> None:
    """End what is left of a postmaster that nobody minds any more, and its notice that it runs."""
    notice = data / "postmaster.pid"
    if not notice.exists():
        return
    forgotten = [process for process in psutil.process_iter() if _works_in(process, data)]
    for process in forgotten:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(forgotten, timeout=10)
    notice.unlink(missing_ok=True)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == str(data)
    except psutil.Error:
        return False
