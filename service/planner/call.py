"""What comes of planning: a statement that serves every call of its shape, and one call of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

import orjson
from graphql import DocumentNode

from service.planner.cost import Cost
from service.planner.sql import Parameter, Values


class Answerer(Enum):
    """Who answers a root that the plan does not know already."""

    STATEMENT = "statement"
    EXECUTOR = "executor"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A rendered plan, and what its calls cost.

    `together` is a statement that answers many calls, where that can be. `roots` tells, in the response's order, who
    answers each response key. `selective` tells that the best way to run the statement depends on the values of its
    parameters; `open_ended`, that the answer may change without any of the stories that it is about; `momentary`, that
    it is true at its moment only.
    """

    statement: str | None
    together: str | None
    parameters: tuple[Parameter, ...]
    roots: tuple[tuple[str, Answerer | bytes], ...]
    local: DocumentNode | None
    selective: bool
    open_ended: bool
    momentary: bool
    cost: Cost
    digest: bytes

    @classmethod
    def of(
        cls,
        statement: str | None,
        parameters: tuple[Parameter, ...],
        roots: tuple[tuple[str, Answerer | bytes], ...],
        local: DocumentNode | None = None,
        *,
        together: str | None = None,
        cost: Cost,
        features: frozenset[str],
        selective: bool,
        open_ended: bool,
        momentary: bool = False,
    ) -> Self:
        """A plan with the digest of all that its calls have in common, the features of their callers too."""
        digest = sha256(repr((sorted(features), statement, roots)).encode()).digest()
        return cls(statement, together, parameters, roots, local, selective, open_ended, momentary, cost, digest)

    def call(self, variables: Values) -> Call:
        """One call, with its own values."""
        lengths = self.cost.lengths(variables)
        parameters = tuple([parameter.read(variables) for parameter in self.parameters])
        return Call(self, parameters, lengths, self.cost.of(lengths))


@dataclass(frozen=True)
class Call:
    """One call: a statement with its parameters, and what no SQL answers.

    `cost` is what it costs, whoever makes it: at least 1, and 0 where it is uncharged.
    """

    prepared: Prepared
    parameters: tuple[Any, ...]
    lengths: tuple[int, ...]
    cost: int

    @property
    def statement(self) -> str | None:
        """The statement, of one row with the JSON text of each root that SQL answers; None where there is none."""
        return self.prepared.statement

    @property
    def together(self) -> str | None:
        """A statement of such a row for each of many calls, which takes a list for each parameter."""
        return self.prepared.together

    @property
    def selective(self) -> bool:
        """Whether Postgres should plan the statement anew for the parameters of this call."""
        return self.prepared.selective

    @property
    def heaviest(self) -> str:
        """The path, by response keys, of the field that weighs most, apart from what is selected under it."""
        return self.prepared.cost.heaviest(self.lengths)

    @property
    def uncharged(self) -> bool:
        """Whether nothing is asked for but who is asking and what is answering."""
        return not self.prepared.cost.charged

    @cached_property
    def key(self) -> bytes:
        """What tells this answer from every other: equal keys are answered alike by one state of the database."""
        return sha256(self.prepared.digest + repr((self.cost, self.parameters)).encode()).digest()

    @property
    def local(self) -> DocumentNode | None:
        """A document of the roots that no SQL answers, for an executor; None where there are none."""
        return self.prepared.local

    def as_of(self, record: Sequence[Any]) -> int:
        """The transaction id below which the statement's row has seen every change."""
        return record[-2]

    def stories(self, record: Sequence[Any]) -> list[int] | None:
        """The keys of the stories with which alone the answer changes; None where it may change with anything."""
        keys: list[int | None] = record[-1]
        known = [key for key in keys if key is not None]
        return None if self.prepared.open_ended or not keys or len(known) < len(keys) else known

    def misses(self, record: Sequence[Any]) -> bool:
        """Whether something that is asked for by its key is not there."""
        return None in record[-1]

    def response(self, record: Sequence[Any] | None, local: Mapping[str, Any] | None) -> bytes:
        """The JSON of the whole response, which tells what the call cost."""
        return b'{"data":' + self.assemble(record, local) + self.extensions + b"}"

    @property
    def extensions(self) -> bytes:
        """The last member of a response's JSON."""
        return b',"extensions":{"cost":{"requested":%d}}' % self.cost

    def assemble(self, record: Sequence[Any] | None, local: Mapping[str, Any] | None) -> bytes:
        """The JSON of `data`, of the statement's row and the executor's answer."""
        values = iter(record or ())

        def value(key: str, answerer: Answerer | bytes) -> bytes:
            if answerer is Answerer.STATEMENT:
                return (next(values) or "null").encode()
            if answerer is Answerer.EXECUTOR:
                return orjson.dumps((local or {})[key])
            return answerer

        members = [b'"' + key.encode() + b'":' + value(key, answerer) for key, answerer in self.prepared.roots]
        return b"{" + b",".join(members) + b"}"


@dataclass(frozen=True)
class Subscription:
    """What a subscriber is told: its call, made again with one position after the other, gives the next changes."""

    call: Call

    @property
    def after(self) -> str | None:
        """The position to begin at; None begins with what comes from now on."""
        return self.call.parameters[0]

    @cached_property
    def key(self) -> bytes:
        """What subscribers who are told the same have in common."""
        call = self.call
        return sha256(call.prepared.digest + repr((call.cost, call.parameters[1:])).encode()).digest()

    def at(self, position: str) -> tuple[str, tuple[Any, ...]]:
        """The statement and the parameters that give the next changes after a position."""
        assert self.call.statement is not None
        return self.call.statement, (position, *self.call.parameters[1:])

    def told(self, record: Sequence[Any]) -> Told:
        """What the statement's row says."""
        position, has_more, cursors, objects = record
        [(key, _)] = self.call.prepared.roots
        start, end = b'{"data":{"' + key.encode() + b'":', b"}" + self.call.extensions + b"}"
        return Told(
            position,
            has_more,
            tuple((cursor, start + told.encode() + end) for cursor, told in zip(cursors, objects, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """The next changes: cursor and response of each, how far these go, and whether there is more already."""

    position: str
    has_more: bool
    changes: tuple[tuple[str, bytes], ...]
