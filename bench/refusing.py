"""What documents take that are to be refused for their size or cost: processor time of the planner, all of it."""

from __future__ import annotations

import time

import schema
from service.errors import ApiError
from service.planner import Allowed, Planner

ROUNDS = 20


def _twice(levels: int) -> str:
    """Fragments that each spread the next twice."""
    spreads = "".join(f"fragment F{n} on Story {{ ...F{n + 1} ...F{n + 1} }} " for n in range(levels))
    return f"{{ stories {{ nodes {{ ...F0 }} }} }} {spreads}fragment F{levels} on Story {{ related {{ id }} }}"


def _deep(levels: int) -> str:
    """Pages of 100 within one another, as deep as is legal for four."""
    inner = "id"
    for _ in range(levels - 1):
        inner = f"articles(first: 100) {{ nodes {{ story {{ {inner} }} }} }}"
    return f"stories(first: 100) {{ nodes {{ {inner} }} }}"


DOCUMENTS = {
    "fragments that spread the next twice, 25 deep": _twice(25),
    "the same in fields of their own": "{ stories { nodes { ...F0 } } } "
    + "".join(
        f"fragment F{n} on Story {{ a: related {{ ...F{n + 1} }} b: related {{ ...F{n + 1} }} }} " for n in range(25)
    )
    + "fragment F25 on Story { id }",
    "1,000 repeats of a field": "{ " + "stories { nodes { id } } " * 1_000 + "}",
    "1,000 arguments that conflict": "{ "
    + " ".join(f"stories(first: {n}) {{ nodes {{ id }} }}" for n in range(1_000))
    + "}",
    "120 repeats of a field": "{ " + "stories { nodes { id } } " * 120 + "}",
    "100 aliases": "{ " + " ".join(f"a{n}: stories {{ nodes {{ id }} }}" for n in range(100)) + "}",
    "100 aliases within a fragment": "{ ...F } fragment F on Query { "
    + " ".join(f"a{n}: stories {{ nodes {{ id }} }}" for n in range(100))
    + "}",
    "500 operations": " ".join(f"query Q{n} {{ stories {{ nodes {{ id }} }} }}" for n in range(500)),
    "a flood of directives": "{ __typename " + "@include(if: true) " * 300 + "}",
    "a flood of unknown fields": "{ " + " ".join(f"unknown{n}" for n in range(900)) + "}",
    "pages of 100 at every level": f"{{ {_deep(4)} }}",
    "that in ten root fields": "{ " + " ".join(f"a{n}: {_deep(4)}" for n in range(10)) + "}",
}


def main() -> None:
    """Print the least of some rounds, each with a planner that remembers nothing."""
    print("| document | ms | what comes of it |\n| --- | --- | --- |")
    for name, text in DOCUMENTS.items():
        taken: list[float] = []
        outcome = ""
        for _ in range(ROUNDS):
            planner = Planner(schema.schema)
            began = time.process_time()
            outcome = _outcome(planner, text)
            taken.append(time.process_time() - began)
        print(f"| {name} | {min(taken) * 1e3:.1f} | {outcome} |", flush=True)


def _outcome(planner: Planner, text: str) -> str:
    try:
        return f"costs {planner.plan(planner.document(text).operation(), {}, Allowed()).cost:,}"
    except ApiError as error:
        return str(next(iter(getattr(error, "errors", [error]))).message)


if __name__ == "__main__":
    main()
