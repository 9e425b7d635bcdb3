"""SQL as values: text, identifiers, literals, parameters, and how they join. No string is ever pasted in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Values = Mapping[str, Any]

_NAME = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True, eq=False, slots=True)
class Parameter:
    """A value that `read` takes from a call's variables, of the Postgres type `type`. One object is one `$n`."""

    type: str
    read: Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement."""

    parts: tuple[str | Parameter, ...] = ()

    def __add__(self, other: Sql) -> Sql:
        return Sql(self.parts + other.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)


def text(value: str) -> Sql:
    """Trusted text: the schema's own or the planner's, never a caller's."""
    return Sql((value,))


def parameter(type: str, read: Callable[[Values], Any]) -> Sql:
    """A new parameter."""
    return Sql((Parameter(type, read),))


def identifier(name: str) -> Sql:
    """A quoted name."""
    return text('"' + name.replace('"', '""') + '"')


def literal(value: str) -> Sql:
    """A quoted string."""
    if "\0" in value:
        raise ValueError("text with NUL has no literal")
    quoted = value.replace("'", "''")
    return text(f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in value else f"'{quoted}'")


def join(pieces: Iterable[Sql], separator: str = ", ") -> Sql:
    """The pieces with the separator between them."""
    parts: list[str | Parameter] = []
    for piece in pieces:
        if parts:
            parts.append(separator)
        parts.extend(piece.parts)
    return _together(parts)


def compose(template: str, resolve: Callable[[str], Sql] | None = None, /, **names: Sql) -> Sql:
    """The template with each `{name}` replaced, by `names` first, else by `resolve`."""
    parts: list[str | Parameter] = []
    for number, piece in enumerate(_pieces(template)):
        if number % 2 == 0:
            parts.append(piece)
        elif piece in names:
            parts.extend(names[piece].parts)
        elif resolve is not None:
            parts.extend(resolve(piece).parts)
        else:
            raise KeyError(piece)
    return _together(parts)


@lru_cache(maxsize=4_096)
def _pieces(template: str) -> tuple[str, ...]:
    """Text and names in turn, from text to text."""
    return tuple(_NAME.split(template))


def _together(parts: Iterable[str | Parameter]) -> Sql:
    """The parts with texts that stand beside each other made one: they are copied at each level of a plan."""
    found: list[str | Parameter] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        if texts:
            found.append("".join(texts))
            texts.clear()
        found.append(part)
    whole = "".join(texts)
    return Sql((*found, whole) if whole else tuple(found))


def render(sql: Sql) -> tuple[str, tuple[Parameter, ...]]:
    """The statement's text and its parameters in the order of their numbers."""
    parameters = _parameters(sql)
    return _text(sql, {each: f"${number}" for number, each in enumerate(parameters, 1)}), parameters


def render_together(sql: Sql) -> str | None:
    """The text of a statement that gives the row of each of many calls, in their order, of one that gives a row alone
    and has no `from`.

    It takes a list for each parameter. None where there are none, or where one is a list already.
    """
    parameters = _parameters(sql)
    if not parameters or any(each.type.endswith("[]") for each in parameters):
        return None
    names = {each: f"v{number}" for number, each in enumerate(parameters, 1)}
    lists = ", ".join(f"${number}::{each.type}[]" for number, each in enumerate(parameters, 1))
    columns = ", ".join((*names.values(), "number"))
    calls = f" from unnest({lists}) with ordinality calls ({columns}) order by calls.number"
    return _text(sql, {each: f"calls.{name}" for each, name in names.items()}) + calls


def _parameters(sql: Sql) -> tuple[Parameter, ...]:
    """Each once, in the order in which they come."""
    return tuple(dict.fromkeys(part for part in sql.parts if isinstance(part, Parameter)))


def _text(sql: Sql, names: Mapping[Parameter, str]) -> str:
    return "".join(part if isinstance(part, str) else f"{names[part]}::{part.type}" for part in sql.parts)
