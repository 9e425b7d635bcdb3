"""`python -m bench.chaos`: has one fault after the other happen under load, and prints what callers saw of each."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

import click
import orjson

from bench.chaos import cache, clock, network, processes, resources
from bench.chaos.fault import Fault, Result, measured
from bench.chaos.load import Load
from bench.chaos.report import as_table
from bench.chaos.stage import staged
from bench.driving import Unusable

FAULTS = [each for group in (processes, network, resources, clock, cache) for each in group.faults()]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", multiple=True, help="Faults by name; * stands for any letters. May be given again.")
@click.option("--skip", multiple=True, help="Faults that need not run, in the same way.")
@click.option("--seconds", default=10.0, show_default=True, help="How long each fault lasts.")
@click.option("--processes", "number", default=3, show_default=True, help="Service processes.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write all as JSON to this file too.")
@click.option("--list", "listed", is_flag=True, help="Only tell which faults there are.")
def main(
    only: tuple[str, ...], skip: tuple[str, ...], seconds: float, number: int, output: Path | None, *, listed: bool
) -> None:
    """Kill, pause, stop, cut off and fill up each part under steady load, and count what callers see of it.

    Everything that is needed is started here: Postgres, Redis, service processes. Each answer is held against what was
    written and when. Ends with 1 where an answer was wrong, a change was missed, something was not well again within 5
    seconds after what failed was back, or a fault could not be had and was not skipped.
    """
    chosen = [fault for fault in FAULTS if _named(fault, only or ("*",)) and not _named(fault, skip)]
    if listed or not chosen:
        print("\n".join(f"{fault.name:24}{fault.what}" for fault in FAULTS))
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started and mounted goes
    # A line that is cut leaves asyncio with much to say.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    results: list[Result] = []
    try:
        asyncio.run(_measure(chosen, number, seconds, results))
    except Unusable as reason:
        sys.exit(str(reason))
    finally:  # also of a run that was ended
        print(as_table(results))
        if output:
            output.write_bytes(orjson.dumps([asdict(each) for each in results], option=orjson.OPT_INDENT_2) + b"\n")
    sys.exit(not all(result.is_well for result in results))


def _named(fault: Fault, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(fault.name, pattern) for pattern in patterns)


async def _measure(chosen: list[Fault], processes: int, seconds: float, results: list[Result]) -> None:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", file=sys.stderr, flush=True)

    tell("starting Postgres, Redis and the service")
    async with staged(processes) as stage:
        load = Load(stage.services, stage.postgres.dsn)
        async with load.running():
            for fault in chosen:
                tell(f"{fault.name}: {fault.what}")
                result = await measured(fault, stage, load, seconds)
                results.append(result)
                for outcome, reasons in result.reasons.items():
                    for reason in reasons:
                        tell(f"    {outcome}: {reason}")


if __name__ == "__main__":
    main()
