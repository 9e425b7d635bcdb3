"""What is measured beside each other: programs that answer the same six queries, each in its own way of asking."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.queries import Query
from bench.servers import FLOOR, SERVICE, UNCACHED


@dataclass(frozen=True, slots=True)
class Target:
    """`path` and `operations`, a folder of one file for each query, are those of the service where nothing is said."""

    name: str
    command: tuple[str, ...]
    path: str = "/graphql"
    operations: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    def path_of(self, query: Query) -> str:
        """Where the query is sent to."""
        return self.path.format(query=query.name)

    def operation_of(self, query: Query) -> str:
        """The text that asks for the data of the query."""
        if self.operations is None:
            return query.operation
        return (self.operations / f"{query.name}.graphql").read_text(encoding="utf-8")


SERVED = Target("service", SERVICE, settings=UNCACHED)
BARE = Target("floor", FLOOR, path="/{query}")
PEERS = Path(__file__).parent / "peers"
STRAWBERRY = Target("strawberry", (sys.executable, "-m", "bench.peers.strawberry.app"), operations=PEERS / "operations")
