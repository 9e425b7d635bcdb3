"""Opens what is to be loaded, unpacks it, and cuts it into lines in bounded memory. Knows nothing of their meaning."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from service.load.lines import MAX_LINE

Source = str | Path | BinaryIO
"""A file's name, `-` for standard input, or an open file."""

GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BUFFER = 1024 * 1024
MAX_WINDOW = 128 * 1024 * 1024
BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class File:
    """A file that is open: its name as the user gave it, and its unpacked bytes.

    `packed` is what these are unpacked from, and `size` how many bytes that holds, where it is a file that has an end.
    """

    name: str
    bytes: BinaryIO
    packed: BinaryIO | None = None
    size: int | None = None


class FileBroken(Exception):
    """A file that cannot be read any further."""


class Unreadable(Exception):
    """A file that cannot be read at all; its message says which and why."""


@contextmanager
def open_files(sources: Sequence[Source]) -> Generator[list[File]]:
    """All of them, open. Raises Unreadable for the first that is not there: a load is of all its files or of none."""
    with ExitStack() as opened:
        yield [_open_file(source, opened) for source in sources]


def part_read(files: Sequence[File]) -> float | None:
    """What part of the files has been read, 0 to 1; None where that of one is not known."""
    read = size = 0
    for file in files:
        if file.size is None or file.packed is None:
            return None
        read += min(file.packed.tell(), file.size)
        size += file.size
    return read / size if size else None


def in_memory(name: str, lines: Iterable[bytes]) -> File:
    """Lines that come from a program, as they are asked for."""
    return File(name, io.BufferedReader(_Stream(line + b"\n" for line in lines), BUFFER))


def split_lines(file: File) -> Iterator[bytes]:
    """Its lines, without their ends. One over the limit is cut off behind it, so that it is known to be too long.

    Raises FileBroken where the file cannot be unpacked or read to its end; the whole lines before have been yielded.
    """
    try:
        first = True
        while line := file.bytes.readline(MAX_LINE + 2):
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                _skip_line(file.bytes)
            yield line.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n") if first else line.rstrip(b"\r\n")
            first = False
    except BROKEN as error:
        raise FileBroken(str(error) or type(error).__name__) from error


def _skip_line(file: BinaryIO) -> None:
    while (part := file.readline(BUFFER)) and not part.endswith(b"\n"):
        pass


def _open_file(source: Source, opened: ExitStack) -> File:
    if source == "-":
        return _file("standard input", sys.stdin.buffer, "")
    if not isinstance(source, str | Path):
        name = str(getattr(source, "name", "stream"))
        return _file(name, source, name)
    try:
        return _file(str(source), opened.enter_context(Path(source).open("rb", BUFFER)), str(source))
    except OSError as error:
        raise Unreadable(f"{source}: {error.strerror}") from error


def _file(name: str, packed: BinaryIO, ending: str) -> File:
    return File(name, _unpacked(packed, ending), packed, _size(packed))


def _size(file: BinaryIO) -> int | None:
    """How many bytes the file holds; None of a pipe, a terminal, and what is no file of the system."""
    try:
        told = os.fstat(file.fileno())
    except OSError:
        return None
    return told.st_size if stat.S_ISREG(told.st_mode) else None


def _unpacked(packed: BinaryIO, name: str) -> BinaryIO:
    """What is in the file: unpacked where its first bytes or else its name say that it is packed."""
    buffered = cast("io.BufferedReader", packed) if hasattr(packed, "peek") else io.BufferedReader(_raw(packed), BUFFER)
    start = buffered.peek(4)
    if start.startswith(GZIP) or name.endswith(".gz"):
        unpacked = gzip.GzipFile(fileobj=buffered)
        return io.BufferedReader(_Stream(iter(lambda: unpacked.read1(BUFFER), b"")), BUFFER)
    if start.startswith(ZSTANDARD) or name.endswith(".zst"):
        return io.BufferedReader(_Stream(_zstandard_frames(cast("BinaryIO", buffered))), BUFFER)
    return buffered


def _raw(file: BinaryIO) -> io.RawIOBase:
    """What a reader asks of an unbuffered file any binary file has."""
    return cast("io.RawIOBase", file)


def _zstandard_frames(packed: BinaryIO) -> Iterator[bytes]:
    """The unpacked bytes of one frame after another. Unlike the library's own reader it tells a frame that is cut off.

    A few packed bytes are unpacked at a time: 512 hold at most 128 blocks of 128 KiB, so a bomb fills 16 MiB at most.
    """
    frames = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    frame = None
    while part := packed.read(512):
        while part:
            frame = frame or frames.decompressobj()
            yield frame.decompress(part)
            part = frame.unused_data
            frame = None if frame.eof else frame
    if frame:
        raise EOFError("the zstandard frame is cut off")


class _Stream(io.RawIOBase):
    """Parts, one after another, as the bytes of a file. What was read before a part fails is not lost."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        while not self._ready:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._ready = memoryview(part)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
