"""The process between the embedded Postgres and those who use it: Postgres runs while at least one of them lives.

Each user holds a connection to it, which the kernel closes however the user ends. Only postgres.py beside it runs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from service.embedded.cluster import Cluster
from service.embedded.errors import EmbeddedError

LOCK = "lock"
ADDRESS = "address"

LONGEST_SOCKET_PATH = 103
"""Of macOS; Linux allows four bytes more."""


class Supervisor:
    """Keeps a cluster running for every process that connects at `address`, until the last has gone."""

    def __init__(self, cluster: Cluster, address: Path) -> None:
        self._cluster = cluster
        self._welcome = _line(dsn=f"postgresql://postgres@/postgres?host={quote(str(address.parent), safe='')}")
        self._users: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(address))
        self._door.listen()
        self._selector.register(self._door, selectors.EVENT_READ)

    def run(self, first: socket.socket) -> socket.socket:
        """Serve `first` and whoever comes, until they have all gone or Postgres has; the last one's connection."""
        self._let_in(first)
        while self._users and self._cluster.alive:
            for key, _ in self._selector.select(timeout=1):
                if key.fileobj is self._door:
                    self._let_in(self._door.accept()[0])
                else:
                    self._hear(key.data)
        self._door.close()
        return self._last

    def _let_in(self, user: socket.socket) -> None:
        self._users.add(user)
        self._last = user
        self._selector.register(user, selectors.EVENT_READ, user)
        _tell(user, self._welcome)

    def _hear(self, user: socket.socket) -> None:
        # Users say nothing, so there is something to read only when one has gone.
        self._selector.unregister(user)
        self._users.discard(user)
        if self._users:
            user.close()
        else:
            self._last = user


def main(data_dir: Path, first: socket.socket, options: dict[str, str]) -> socket.socket:
    """Run the Postgres of `data_dir` for `first` and all who join it; answers `busy` where another process does so.

    Returns the connection of the last of them, who waits for the end of it.
    """
    with (data_dir / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell(first, _line(busy=True))
            return first
        _clear(data_dir / ADDRESS)
        return _serve(data_dir, first, options)


def _serve(data_dir: Path, first: socket.socket, options: dict[str, str]) -> socket.socket:
    sockets = _short_folder()
    cluster = None
    try:
        cluster = Cluster(data_dir, options)
        cluster.start(sockets)
        supervisor = Supervisor(cluster, sockets / "supervisor")
        (data_dir / ADDRESS).write_text(str(sockets / "supervisor"))
        return supervisor.run(first)
    except EmbeddedError as error:
        _tell(first, _line(error=str(error)))
    except Exception as error:  # noqa: BLE001 - nobody sees what this process writes: the one who started it must be told
        _tell(first, _line(error=f"{type(error).__name__}: {error}"))
    finally:
        if cluster:
            cluster.stop()
        _clear(data_dir / ADDRESS)
        shutil.rmtree(sockets, ignore_errors=True)
    return first


def _short_folder() -> Path:
    """A new private folder in which the paths of sockets stay short enough; whatever the length of DATA_DIR."""
    folder = Path(tempfile.mkdtemp(prefix="parallax-"))
    if len(os.fsencode(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="parallax-", dir="/tmp"))  # nosec B108


def _clear(address: Path) -> None:
    """Remove the address and the sockets of a supervisor that has ended."""
    if address.exists():
        shutil.rmtree(Path(address.read_text()).parent, ignore_errors=True)
        address.unlink()


def _line(**answer: object) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _tell(user: socket.socket, line: bytes) -> None:
    with contextlib.suppress(OSError):  # it has gone, which shows when it is heard
        user.sendall(line)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # It belongs to all its users, not to the one that started it.
    os.umask(0o077)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that `finally` is reached
    last = main(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), json.loads(sys.argv[3]))
    os._exit(0)  # and not before, `last` is closed
