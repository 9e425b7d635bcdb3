"""Compares generated operations with the reference as long as wanted; shows the first disagreement made small."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time

import asyncpg

from service.db.migrations import migrate
from tests.conftest import server
from tests.databases import database
from tests.reference.comparison import Comparison, comparison
from tests.reference.minimise import minimise
from tests.reference.operations import Generator, Operation
from tests.reference.tiny_world import TinyWorld

A_ROUND = 100


async def fuzz(compared: Comparison, first: int, until: float) -> bool:
    """Whether all operations from seed `first` on were answered alike until that time (of the monotonic clock)."""
    generator = Generator(compared.reference.schema, compared.reference.world)
    seed = first
    while time.monotonic() < until:
        operation = generator.operation(seed)
        found = await compared.disagreement(operation)
        if found is not None:
            print(f"seed {seed}: {found}\n\nMaking it small …", flush=True)
            small = await minimise(operation, generator.schema, lambda candidate: _disagrees(compared, candidate))
            print(f"\n{await compared.disagreement(small)}")
            return False
        seed += 1
        if (seed - first) % A_ROUND == 0:
            print(f"{seed - first} operations from seed {first} on agree", flush=True)
    return True


async def _disagrees(compared: Comparison, operation: Operation) -> bool:
    return await compared.disagreement(operation) is not None


async def _fuzz_a_world(server: str, first: int, until: float) -> bool:
    async with database(server) as dsn:
        await migrate(dsn)
        conn = await asyncpg.connect(dsn)
        try:
            await TinyWorld(first).insert(conn)
        finally:
            await conn.close()
        async with comparison(dsn) as compared:
            return await fuzz(compared, first, until)


def main() -> None:
    """`python -m tests.reference.fuzz`: exits with 1 at the first disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**9), help="of the world and the first operation"
    )
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long; until stopped where not given")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    with server() as dsn:
        agreed = asyncio.run(_fuzz_a_world(dsn, wanted.seed, time.monotonic() + wanted.seconds))
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
