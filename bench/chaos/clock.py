"""The clock of one service process jumps, and jumps back: the time of day, as where a clock is set; no other."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.chaos.fault import Around, Fault, NotRun
from bench.chaos.stage import Stage

LIBRARY = Path(__file__).with_name("clock.c")
SET_BY = "CHAOS_CLOCK"


def faults() -> Generator[Fault]:
    """An hour in either direction, and a little, which nobody would notice."""
    for name, jump, shown in (
        ("clock-ahead", 3_600, "one service process' clock jumps an hour ahead, then back"),
        ("clock-back", -3_600, "one service process' clock jumps an hour back, then ahead"),
        ("clock-little", -20, "one service process' clock jumps 20 s back, then ahead"),
    ):
        yield Fault(name, shown, _jumps(jump), _settable)


@asynccontextmanager
async def _settable(stage: Stage) -> AsyncGenerator[None]:
    """One process is started again with a library that shows it the true time at first."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotRun("there is no C compiler to make the library by which a process' clock can be set")
    service = stage.services[0]
    with tempfile.TemporaryDirectory(prefix="parallax-chaos-clock-") as folder:
        library, offset = Path(folder, "clock.so"), Path(folder, "offset")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, LIBRARY], check=True)
        offset.write_bytes(struct.pack("l", 0))
        await service.stop()
        service.environment = {"LD_PRELOAD": str(library), SET_BY: str(offset)}
        try:
            await service.start()
            yield
        finally:
            await service.stop()
            service.environment = {}
            await service.start()


def _jumps(seconds: int) -> Around:
    @asynccontextmanager
    async def happens(stage: Stage) -> AsyncGenerator[None]:
        _set(stage, seconds)
        yield
        _set(stage, 0)

    return happens


def _set(stage: Stage, seconds: int) -> None:
    with Path(stage.services[0].environment[SET_BY]).open("r+b") as offset:
        offset.write(struct.pack("l", seconds))
