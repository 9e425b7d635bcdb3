"""How a field says where it lives: values that stand in a field's metadata, for the planner to read.

SQL here is a template over the names of a row: `{word_count}` is the row's column (or what the row was given under that
name), `{outer.id}` a name of the row around it, `{arg.interval}` an argument, `{value}` a condition's own value.
Knows nothing of how statements are made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, Signature
from typing import Annotated, Any, NoReturn

import strawberry

from schema.directives import PAGED
from schema.vocabulary import Feature

KEY = "binding"


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar, or a list of scalars, of the row. An empty template is the column of the field's own name."""

    sql: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object made of the same row, `names` added to the row's; null where `when` does not hold."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    when: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of `source` (a table, or a subselect in parentheses) that meet `where`: one object, or a list in `order`.

    `limited_by` names the argument that says how many, at most 50, or as many as a page may have where `paged`.
    `open_ended` is as of a Connection; what is `momentary` is true only at the moment, so that it is never kept.
    """

    source: str
    where: str = ""
    order: str = ""
    limited_by: str = ""
    paged: bool = False
    open_ended: bool = False
    momentary: bool = False


@dataclass(frozen=True, slots=True)
class Gated:
    """`included` for callers who have the feature, UpgradeRequired for the rest."""

    feature: Feature
    type_name: str
    included: Embedded


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an order. `type` is its type in Postgres, for cursors; nulls come last, whichever the direction."""

    sql: str
    type: str
    descending: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: its last key is unique.

    `steps` name the coarse keys by which `story_facets` follows the first keys, `step_function` makes the first one.
    `among` orders only that many rows, the first ones by `among_keys`; `needs` is the argument without which the order
    has no meaning.
    """

    keys: tuple[Key, ...]
    steps: tuple[str, ...] = ()
    step_function: str = ""
    among: int = 0
    among_keys: tuple[Key, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What an argument or a field of a filter asks of a row.

    `type` is the value's type in Postgres; `convert` makes the parameter of what was given, and may refuse it. What is
    `of_facets` too is a condition on columns that `story_facets` has from its story.
    """

    sql: str
    type: str = "text"
    convert: Callable[[Any], Any] | None = None
    of_facets: bool = False


@dataclass(frozen=True, slots=True)
class ByOutlet:
    """A condition on the outlet of a row that has an `outlet_id`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column that must be one of the values given; an index has it before the keys of every order."""

    column: str
    type: str


@dataclass(frozen=True, slots=True)
class Words:
    """Words to find, by `query`, in the row's `lexemes`. These hold its outlet too, and its `time` in blocks."""

    lexemes: str
    query: str
    time: str
    convert: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Steps:
    """How rows are found by a range of one key in the order of another: by coarse steps of the key.

    `step` is that of a row; `among` is an array of the steps that a range from `{least}` to `{below}` lies in, null
    where those are too many to be looked at one by one. An index has the step before the keys of every order but the
    key's own.
    """

    step: str
    among: str


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range that a key must lie in: of time, by `after` and `before`; else from the number given on.

    Each of its rows is in one of `steps`, where there are such.
    `kept` names the column of `story_facets`, and the function, by which that follows the key in steps of its own.
    """

    key: str
    type: str = "timestamptz"
    steps: tuple[Steps, ...] = ()
    kept: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """An argument, or a field of one, that is a window of time: not empty, not too long, and not for all too old."""


@dataclass(frozen=True, slots=True)
class Facet:
    """Stories found by `story_facets`: those that have any of `values`, a template of an array, under `facet`.

    `share` tells about which part of all stories those are, 0 to 1.
    """

    facet: str
    values: str
    share: str


@dataclass(frozen=True, slots=True)
class OfStory:
    """A condition on the story of a row that has a `story_id`: that it is in the facet."""

    facet: Facet


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of `table`'s rows that meet `where`, in the order that `sort` names or in `order`.

    `parent` tells this list from the same field's list of another parent; `by` is the column that holds the parent's id
    where rows have one, `within` restricts stories to one facet.
    An `open_ended` list changes with anything that may come into it; others only with what they hang on.
    """

    table: str
    where: str = ""
    parent: str = ""
    by: str = ""
    order: Order | None = None
    within: Facet | None = None
    open_ended: bool = True


@dataclass(frozen=True, slots=True)
class Lookup:
    """One object of `table` that meets `where`, found by the one field given of its `by` argument."""

    table: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Objects of any type by their ids: one for `id`, a list for `ids`."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Rows of `changes` as they come, from `after` on: of the story `id`, and of stories that meet `filter`."""


Binding = Value | Embedded | Rows | Gated | Connection | Lookup | Nodes | Feed


def part_of(table: str, count: str) -> str:
    """A template of the part that a count is of all rows of a table, as of its last analysis; null before the first."""
    rows = f"(select nullif(greatest(c.reltuples, 0), 0) from pg_class c where c.oid = '{table}'::regclass)"
    return f"coalesce({count}, 0) / {rows}"


def column(sql: str = "", *, description: str | None = None, directives: tuple[object, ...] = ()) -> Any:
    """A field that is a column of the row, or computed from it."""
    return strawberry.field(description=description, metadata={KEY: Value(sql)}, directives=directives)


def bound(binding: Binding, *, description: str | None = None, directives: tuple[object, ...] = ()) -> Any:
    """A field with a binding of any kind."""
    return strawberry.field(description=description, metadata={KEY: binding}, directives=directives)


def asks(
    binding: Condition | ByOutlet | OfStory | OneOf | Words | Range | Facet,
    *,
    description: str | None = None,
    directives: tuple[object, ...] = (),
) -> Any:
    """A field of an input type that asks something of a row; absent and null ask nothing."""
    return strawberry.field(
        default=strawberry.UNSET, description=description, metadata={KEY: binding}, directives=directives
    )


def takes(
    binding: Binding, *arguments: Parameter, description: str | None = None, directives: tuple[object, ...] = ()
) -> Any:
    """A bound field with arguments."""

    def answered_by_sql(**_: Any) -> NoReturn:
        raise AssertionError("a bound field has no resolver")

    answered_by_sql.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    answered_by_sql.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    return strawberry.field(answered_by_sql, description=description, metadata={KEY: binding}, directives=directives)


def argument(
    name: str,
    annotation: Any,
    default: Any = Parameter.empty,
    *,
    description: str,
    binding: Condition | Span | None = None,
) -> Parameter:
    """An argument of a bound field; `strawberry.UNSET` makes it optional without a default."""
    about = strawberry.argument(description=description, metadata={KEY: binding} if binding else None)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, about])


def asked(name: str, annotation: Any, binding: Condition, *, description: str) -> Parameter:
    """An optional argument of a connection that asks something of its rows."""
    return argument(name, annotation | None, strawberry.UNSET, description=description, binding=binding)


RELAY = (
    argument(
        "first",
        int | None,
        strawberry.UNSET,
        description="How many from the front, at most what your tier has on a page; 20 without `first` and `last`.",
    ),
    argument("after", str | None, strawberry.UNSET, description="A cursor of this very list: what comes after it."),
    argument(
        "last",
        int | None,
        strawberry.UNSET,
        description="How many from the end, in the list's order, a page of your tier at most; not with `first`.",
    ),
    argument("before", str | None, strawberry.UNSET, description="A cursor of this very list: what comes before it."),
)
FILTER = "What to choose; everything where it is not given. Cursors are good for one filter only."
SORT = "What comes first. Cursors are good for one order only."


def paged(
    connection: Connection,
    *,
    filter: Any = None,
    sort: Any = None,
    also: tuple[Parameter, ...] = (),
    description: str | None = None,
) -> Any:
    """A connection with Relay's arguments; `sort` is the default member of an enum of orders."""
    arguments = [*RELAY, *also]
    if filter is not None:
        arguments.append(argument("filter", filter | None, strawberry.UNSET, description=FILTER))
    if sort is not None:
        arguments.append(argument("sort", type(sort), sort, description=SORT))
    return takes(connection, *arguments, description=description, directives=(PAGED,))
