import gzip
import io
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from service.load.files import FileBroken, Unreadable, open_files, part_read, split_lines
from service.load.lines import MAX_LINE

TEXT = b"".join(b'{"line": %d, "text": "%s"}\n' % (n, b"ab" * (n % 97)) for n in range(5_000))
LINES = TEXT.splitlines()


def read(packed: bytes | Path) -> list[bytes]:
    return list(lines_of(packed))


def lines_of(packed: bytes | Path) -> Iterator[bytes]:
    with open_files([io.BytesIO(packed) if isinstance(packed, bytes) else packed]) as (file,):
        yield from split_lines(file)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_files_are_unpacked_by_what_is_in_them(pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(TEXT)) == LINES
    assert read(pack(TEXT[:1_000]) + pack(TEXT[1_000:])) == LINES
    assert read(pack(b"")) == []


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_file_that_is_not_what_its_name_says_is_broken(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"news{suffix}"
    file.write_bytes(TEXT)
    with pytest.raises(FileBroken):
        read(file)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("cut", [1, 5, 200])
def test_whole_lines_before_a_bad_tail_are_read(pack: Callable[[bytes], bytes], cut: int) -> None:
    lines: list[bytes] = []
    with pytest.raises(FileBroken):
        lines.extend(lines_of(pack(TEXT)[:-cut]))
    assert lines == LINES[: len(lines)]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_garbage_behind_the_end_is_told(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(FileBroken):
        read(pack(TEXT) + b"garbage")


def test_ends_of_lines_and_a_byte_order_mark_are_no_part_of_them() -> None:
    assert read(b"\xef\xbb\xbfa\r\nb\n\n\r\nc") == [b"a", b"b", b"", b"", b"c"]


def test_a_line_of_50_mb_is_cut_off_in_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        left = 50_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray | memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
            size = min(len(buffer), self.left)
            buffer[:size] = b"x" * size
            self.left -= size
            return size

    tracemalloc.start()
    try:
        with open_files([io.BufferedReader(Endless())]) as (file,):
            (line,) = split_lines(file)
        assert len(line) == MAX_LINE + 2
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_line_after_one_that_is_too_long_is_whole() -> None:
    assert [len(line) for line in read(b"a\n" + b"x" * 5_000_000 + b"\nbc\n" + b"y" * MAX_LINE + b"\r\n")] == [
        1,
        MAX_LINE + 2,
        2,
        MAX_LINE,
    ]


def test_a_load_is_of_all_its_files_or_of_none(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(TEXT)
    with (
        pytest.raises(Unreadable, match="missing"),
        open_files([tmp_path / "there", str(tmp_path / "missing")]),
    ):
        pass


def test_a_bomb_is_unpacked_in_bounded_memory() -> None:
    packed = zstandard.compress(b"\n" * 60_000_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in lines_of(packed[: len(packed) // 20])) > 0
    except FileBroken:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_what_part_has_been_read_is_known_of_files(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    for file in files:
        file.write_bytes(pack(TEXT * 40))
    with open_files(files) as (first, second):
        parts: list[float | None] = []
        for file in (first, second):
            parts.extend(part_read([first, second]) for _ in split_lines(file))
        parts.append(part_read([first, second]))
    told = [part for part in parts if part is not None]
    assert len(told) == len(parts)
    assert told == sorted(told)
    assert (told[0] < 0.5, told[len(told) // 2], told[-1]) == (True, pytest.approx(0.5, abs=0.2), 1)


def test_of_a_pipe_nobody_knows_what_part_has_been_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(TEXT)
    reading, writing = os.pipe()
    os.write(writing, b"{}\n")
    os.close(writing)
    with open(reading, "rb") as pipe, open_files([file, pipe]) as files:  # noqa: PTH123 - a pipe has no path
        assert [list(split_lines(each)) for each in files] == [LINES, [b"{}"]]
        assert part_read(files) is None
    with open_files([io.BytesIO(TEXT)]) as files:
        assert part_read(files) is None
    file.write_bytes(b"")
    with open_files([file]) as files:
        assert part_read(files) is None
