"""How long documents take that were never seen before: to parse, to validate, and to plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import click
import graphql

from bench.costs import REGISTERED
from bench.queries import QUERIES
from bench.windows import FEATURES
from schema import schema
from service.errors import ApiError
from service.planner import Allowed, Limits, Planner
from service.planner.document import read

VARIABLES = {"slug": "x", "id": "story_1", "domain": "x"}
WORST: Mapping[str, str] = {
    "900 unknown fields": "{ " + " ".join(f"unknown{number}" for number in range(900)) + " }",
    "120 fields, each with a selection": "{ " + " ".join(f"f{n}: stories {{ totalCount }}" for n in range(120)) + " }",
    "10,000 characters of strings": '{ story(by: {slug: "' + "x" * 9_990 + '"}) { title } }',
}
"""What the limits just let through, or refuse late."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=25, show_default=True, help="How often each is read; the least counts.")
def main(rounds: int) -> None:
    """Measure what a new document takes in this process: milliseconds, without a server and a database."""
    planner = Planner(schema, Limits())
    registered = {file.stem: file.read_text(encoding="utf-8") for file in sorted(REGISTERED.glob("*.graphql"))}
    queries = {f"{query.name.upper()}, {query.title}": query.operation for query in QUERIES}
    print(f"{'document':36} bytes  parsed  checked  planned   whole  graphql-core's validate")
    for name, text in (*queries.items(), *registered.items(), *WORST.items()):
        document = graphql.parse(text)
        parsed = _least(rounds, partial(graphql.parse, text))
        checked = _least(rounds, partial(read, text, planner.schema, planner.limits))
        whole = _least(rounds, partial(_plan, planner, text))
        core = _least(rounds, partial(graphql.validate, planner.schema, document, max_errors=10))
        times = f"{parsed:7.2f} {checked - parsed:8.2f} {whole - checked:8.2f} {whole:7.2f} {core:24.2f}"
        print(f"{name:36} {len(text):5} {times}")


def _plan(planner: Planner, text: str) -> None:
    operation = read(text, planner.schema, planner.limits).operation()
    planner.plan(operation, VARIABLES, Allowed(FEATURES))


def _least(rounds: int, work: Callable[[], object]) -> float:
    """Milliseconds; a refusal is an end of the work too."""
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        with suppress(ApiError):
            work()
        taken.append(time.perf_counter() - began)
    return min(taken) * 1_000


if __name__ == "__main__":
    main()
