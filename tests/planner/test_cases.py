"""Golden cases: an operation, its statement and its answer about the tiny world, side by side in a folder for each.

`python -m tests.planner.test_cases` (`make cases`) writes statements and answers anew, to be read in the diff.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from service.db.migrations import migrate
from service.planner import Allowed
from tests.conftest import server
from tests.databases import database
from tests.reference.comparison import Comparison, comparison
from tests.reference.operations import FEATURES, Operation
from tests.reference.tiny_world import TinyWorld

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("name", sorted(case.name for case in CASES.iterdir()))
async def test_the_statement_and_the_answer_are_as_written_down(tiny: Comparison, name: str) -> None:
    statement, answer = await _made(tiny, CASES / name)
    assert statement == (CASES / name / "statement.sql").read_text()
    assert answer == (CASES / name / "answer.json").read_text()


async def _made(compared: Comparison, case: Path) -> tuple[str, str]:
    operation = Operation((case / "query.graphql").read_text(), features=frozenset(FEATURES))
    planned = compared.planner.document(operation.text).operation()
    call = compared.planner.plan(planned, {}, Allowed(operation.features))
    answered = await compared.by_service(operation)
    assert answered.refusal is None, answered.refusal
    return f"{call.statement}\n", json.dumps(answered.data, ensure_ascii=False, indent=2) + "\n"


async def _write(server_dsn: str) -> None:
    async with database(server_dsn) as dsn:
        await migrate(dsn)
        conn = await asyncpg.connect(dsn)
        try:
            await TinyWorld().insert(conn)
        finally:
            await conn.close()
        async with comparison(dsn) as compared:
            for case in sorted(CASES.iterdir()):
                statement, answer = await _made(compared, case)
                (case / "statement.sql").write_text(statement)
                (case / "answer.json").write_text(answer)


def main() -> None:
    """Writes every case's statement and answer as they are now."""
    with server() as dsn:
        asyncio.run(_write(dsn))


if __name__ == "__main__":
    main()
