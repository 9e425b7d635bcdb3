"""Plan values: what an operation asks of the database, before any text. Made by build, read by render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.binding import Order, Range
from service.planner.sql import Sql, text

# What has at least this share of all rows is met often enough in a walk of all rows. To look at the first row of each
# group costs more than to follow a facet, so groups give way to that walk sooner.
DENSE_FACET = "0.05"
DENSE_GROUP = "0.02"
# The facet whose steps hold several keys each, so that the second one of an order is none of its own.
COARSER_FACET = "OUTLET"
# Ends the query of an `exists` that is checked row by row: without it Postgres may turn the walk around, and begin with
# all that the condition holds for.
WALK_ON = " offset 0"
# How many rows a walk looks at before it gives way to fetching all that meets what is asked.
FIRST_ROWS = 1_000
# Groups so few are looked at whatever their share.
FEW_GROUPS = "50"


@dataclass(frozen=True, slots=True)
class Term:
    """A template over a row's names, with the values that it names besides."""

    template: str
    values: Mapping[str, Sql] = field(default_factory=dict[str, Sql])


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, or a list of scalars, of the row."""

    term: Term


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the plan knows already, as `__typename`; null where there is none."""

    value: str | None


@dataclass(frozen=True, slots=True)
class Object:
    """The selected fields of a row, by response key, in order."""

    fields: tuple[tuple[str, Plan], ...]


@dataclass(frozen=True, slots=True)
class Same:
    """An object of the same row, with names added; null where `when` does not hold."""

    names: Mapping[str, Term]
    when: Term | None
    object: Object


@dataclass(frozen=True, slots=True)
class One:
    """The object of the one row of `source` that meets `where`; null where there is none."""

    source: Term
    where: tuple[Term, ...]
    object: Object


@dataclass(frozen=True, slots=True)
class Many:
    """A list of the objects of all rows of `source` that meet `where`."""

    source: Term
    where: tuple[Term, ...]
    order: Term
    object: Object


@dataclass(frozen=True, slots=True)
class InFacet:
    """Stories that `story_facets` knows under any of `values`, an array: about `share` of all stories."""

    facet: str
    values: Term
    share: Term


def of_facet(facet: str, values: Term, story: str) -> Term:
    """That the story in a column is in the facet.

    Looks for each value by itself, by the primary key: of a list, Postgres might read all that the story has under the
    facet instead, and of what equals a value all stories that have it, which it takes for few.
    """
    return Term(
        f"exists (select from unnest({values.template}) v (value) where exists (select from story_facets f"
        f" where f.story_id = {{{story}}} and f.facet = '{facet}' and f.value between v.value and v.value{WALK_ON})"
        f"{WALK_ON})",
        values.values,
    )


@dataclass(frozen=True, slots=True)
class InValues:
    """Rows whose `column` is one of `values`, an array."""

    column: str
    values: Sql


@dataclass(frozen=True, slots=True)
class InWords:
    """Rows whose `lexemes` meet a `query` of words. The lexemes tell the row's outlet too, and its `time` in blocks."""

    lexemes: Term
    query: Term
    time: str


@dataclass(frozen=True, slots=True)
class InRange:
    """Rows whose key is at least `least` and below `below`, where those are given."""

    range: Range
    least: Sql | None
    below: Sql | None

    @property
    def of_time(self) -> bool:
        return self.range.type == "timestamptz"

    @property
    def terms(self) -> tuple[Term, ...]:
        """What that asks of a row."""
        ends = ((">=", self.least), ("<", self.below))
        return tuple(
            Term(f"{self.range.key} {operator} {{value}}", {"value": value}) for operator, value in ends if value
        )

    def among(self, steps: str) -> Term:
        """The template of an array of steps, with the ends in place."""
        ends = {"least": self.least, "below": self.below}
        return Term(steps, {name: end or text(f"null::{self.range.type}") for name, end in ends.items()})


@dataclass(frozen=True, slots=True)
class InGroup:
    """Rows that belong, by `column`, to one of `members` (a query of ids); `dense` where they have much of all rows.

    `stories` tells that the members are the stories of a facet.
    """

    column: str
    members: Term
    dense: Term
    condition: Term
    stories: InFacet | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A cursor that was given: the parent it is bound to, and a parameter for each key of the order."""

    parent: Sql
    keys: tuple[Sql, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a filter asks: of the row, of the row's outlet, of what it belongs to, of its values, of `story_facets`.

    `selective` and `ranges` are asked of the row too: nearly all rows may meet them, or nearly none. `of_facets` is
    what of `where` can be asked of a row of `story_facets`.
    """

    where: tuple[Term, ...] = ()
    of_facets: tuple[Term, ...] = ()
    selective: tuple[Term, ...] = ()
    ranges: tuple[InRange, ...] = ()
    words: tuple[InWords, ...] = ()
    outlet: tuple[Term, ...] = ()
    groups: tuple[InGroup, ...] = ()
    values: tuple[InValues, ...] = ()
    facets: tuple[InFacet, ...] = ()

    def __add__(self, other: Asked) -> Asked:
        return Asked(
            self.where + other.where,
            self.of_facets + other.of_facets,
            self.selective + other.selective,
            self.ranges + other.ranges,
            self.words + other.words,
            self.outlet + other.outlet,
            self.groups + other.groups,
            self.values + other.values,
            self.facets + other.facets,
        )


@dataclass(frozen=True, slots=True)
class Rowset:
    """The rows that a page is cut from: `asked` by a filter, and `where` whatever is asked.

    `outlet` is asked of the outlet that a row's `outlet_id` names. `whole` tells that the list is no parent's, but the
    whole table's; `by` is the column that holds the parent's id, where one does.
    """

    table: str
    whole: bool
    by: str
    where: tuple[Term, ...]
    asked: Asked
    order: Order
    order_values: Mapping[str, Sql]

    @property
    def foreign_ranges(self) -> tuple[InRange, ...]:
        """The ranges of other keys than the order's."""
        return tuple(each for each in self.asked.ranges if each.range.key != self.order.keys[0].sql)

    @property
    def is_settled(self) -> bool:
        """Whether one way to the rows is best for all ranges: by steps, or by the order where that is their key."""
        alone = not (
            self.asked.where or self.asked.facets or self.asked.groups or self.asked.outlet or self.asked.values
        )
        return alone and not self.by and (not self.foreign_ranges or self.stepped is not None)

    @property
    def stepped(self) -> InRange | None:
        """A range by whose steps rows are found best: one of another key than the order's, with nothing else to go by.

        Of what else is asked, a side has indexes of its own, and of words Postgres knows how rare they are.
        """
        asked = self.asked
        if self.by or asked.where or asked.selective or asked.values or asked.words:
            return None
        return next((each for each in self.foreign_ranges if each.range.steps), None)


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a page: `cursor` (None), `node` (an object) and `__typename` by response key."""

    fields: tuple[tuple[str, Object | Text | None], ...]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """The names of PageInfo's fields (or a text) by response key."""

    fields: tuple[tuple[str, str | Text], ...]


@dataclass(frozen=True, slots=True)
class TotalCount:
    """The names of TotalCount's fields (or a text) by response key."""

    fields: tuple[tuple[str, str | Text], ...]


PagePart = Text | Object | Edges | PageInfo | TotalCount


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; a part that is an Object is the list of its nodes."""

    rows: Rowset
    size: int
    backward: bool
    after: Position | None
    before: Position | None
    parent: Term
    binding: Sql
    parts: tuple[tuple[str, PagePart], ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """Objects of any type for a list of ids, null where an id names nothing. `arms` are keyed by the ids' tag."""

    tags: Sql
    keys: Sql
    key: Sql
    arms: tuple[tuple[str, One], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes after a position, each an object: of the story with the key `story`, of stories that are as `asked`."""

    after: Sql
    story: Sql | None
    asked: Asked | None
    object: Object


Plan = Leaf | Text | Same | One | Many | Page | Mixed
