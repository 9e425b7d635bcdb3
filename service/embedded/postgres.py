"""The embedded Postgres as its users see it: start it or join it, use its DSN, leave it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.embedded.errors import EmbeddedError
from service.embedded.supervisor import ADDRESS, LOCK

PATIENCE = 60
"""Seconds to wait for another process that is starting or ending the same Postgres."""


class EmbeddedPostgres:
    """A Postgres of our own in `data_dir`, shared by all processes that name the same folder.

    It runs as long as one of them does: it ends with the last, also where that one is killed. `options` are settings of
    Postgres; they hold where this process is the one that starts it.
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir.expanduser().resolve()
        self._options = dict(options or {})
        self._connection: socket.socket | None = None

    def start(self) -> str:
        """Start Postgres, or join the one that runs, and return its DSN; raises EmbeddedError where it cannot run."""
        try:
            self._data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._connection, dsn = self._join()
        except OSError as error:
            raise EmbeddedError(
                f"The folder {self._data_dir} cannot be used ({error.strerror or error}): "
                "set PARALLAX_DATA_DIR to a folder of your own, or PARALLAX_DATABASE_URL to a Postgres of yours."
            ) from error
        return dsn

    def stop(self) -> None:
        """Leave: returns when Postgres has ended, or at once where others still use it."""
        if self._connection is not None:
            with self._connection as connection:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            self._connection = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _join(self) -> tuple[socket.socket, str]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            connection = self._knock() or self._launch()
            answer = _first_line(connection)
            if "dsn" in answer:
                return connection, answer["dsn"]
            connection.close()
            if "error" in answer:
                raise EmbeddedError(answer["error"])
            time.sleep(0.2)
        raise EmbeddedError(
            f"Another process holds {self._data_dir / LOCK} and does not answer: end it and start again."
        )

    def _knock(self) -> socket.socket | None:
        """A connection to the supervisor that runs, if one does."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect((self._data_dir / ADDRESS).read_text())
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        return connection

    def _launch(self) -> socket.socket:
        """A connection to a supervisor of our own, which ends at once where another one is busy."""
        ours, theirs = socket.socketpair()
        arguments = [str(self._data_dir), str(theirs.fileno()), json.dumps(self._options)]
        with theirs:
            subprocess.run(
                # -P keeps a folder that happens to be the current one from being searched for modules
                [sys.executable, "-P", "-m", "service.embedded.supervisor", *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                check=False,
                start_new_session=True,  # a Ctrl-C is for those who use Postgres; they end it when they are done
            )
        return ours


def _first_line(connection: socket.socket) -> dict[str, Any]:
    """What the supervisor says; nothing where it is about to end."""
    try:
        line = connection.makefile("rb").readline()
    except ConnectionError:
        line = b""
    return json.loads(line) if line else {}
