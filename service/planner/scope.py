"""What the names in a template stand for, at one place of a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.binding import Key
from service.planner.plan import Term
from service.planner.sql import Sql, compose, text


@dataclass(frozen=True, slots=True)
class Scope:
    """A row's names: those it was given, else its columns under `alias`, else those of the row it is the same as."""

    alias: str = ""
    names: dict[str, Sql] = field(default_factory=dict[str, Sql])
    same: Scope | None = None
    outer: Scope | None = None

    def resolve(self, name: str) -> Sql:
        """What a name of a template stands for."""
        if name.startswith("outer."):
            assert self.outer is not None
            return self.outer.resolve(name.removeprefix("outer."))
        if name in self.names:
            return self.names[name]
        if self.same is not None:
            return self.same.resolve(name)
        return text(f"{self.alias}.{name}")

    def term(self, term: Term) -> Sql:
        """The term with its names and values in place."""
        return compose(term.template, lambda name: term.values[name] if name in term.values else self.resolve(name))

    def resolve_key(self, key: Key, values: Mapping[str, Sql]) -> Sql:
        """A key of an order, of this row."""
        return self.term(Term(key.sql, values))
