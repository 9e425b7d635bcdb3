"""What the rows of a list must meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.binding import part_of
from service.planner.plan import DENSE_GROUP, FEW_GROUPS, WALK_ON, Asked, InGroup, Rowset, Term, of_facet
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, join, text

if TYPE_CHECKING:
    from service.planner.render import Renderer


def row_of(renderer: Renderer, table: str, scope: Scope) -> Scope:
    """The scope of a row of the table, under a new alias."""
    return Scope(renderer.alias(table), outer=scope)


def matching(renderer: Renderer, rows: Rowset, row: Scope) -> Sql:
    """From and where of all rows of the list."""
    return text(f"from {rows.table} {row.alias}") + renderer.where(conditions_of(renderer, rows, row, None))


def conditions_of(renderer: Renderer, rows: Rowset, row: Scope, without: object) -> list[Sql]:
    """What the rows must meet, but for positions and for the part of what is asked that a walk meets already."""
    asked = rows.asked
    conditions = [row.term(term) for term in (*rows.where, *asked.selective)]
    conditions += _of_row(row, asked, without)
    # What all rows have in common is asked of the parent: once, not row by row.
    common = Scope(names={rows.by: row.resolve("outer.id")}, same=row) if rows.by else row
    if asked.outlet and not (isinstance(without, InGroup) and without.column == "outlet_id"):
        conditions.append(common.term(outlets_of(renderer, rows).condition))
    conditions += [common.term(group.condition) for group in asked.groups if group is not without]
    conditions += [
        compose("{column} = any ({values})", column=row.resolve(in_.column), values=in_.values)
        for in_ in asked.values
        if in_ is not without
    ]
    conditions += [
        compose("{lexemes} @@ {query}", lexemes=row.term(words.lexemes), query=row.term(words.query))
        for words in asked.words
        if words is not without
    ]
    conditions += [
        row.term(of_facet(facet.facet, facet.values, "id")) for facet in asked.facets if facet is not without
    ]
    return conditions


def _of_row(row: Scope, asked: Asked, without: object) -> list[Sql]:
    ends = [row.term(term) for range_ in asked.ranges if range_ is without for term in range_.terms]
    others = [term for range_ in asked.ranges if range_ is not without for term in range_.terms]
    conditions = [row.term(term) for term in (*asked.where, *others)]
    # A walk by the steps of a range meets it but at its ends, which are checked. To Postgres nothing that is asked may
    # look like another way to the rows: it does not know how few the walk will read.
    return [compose("case when {all} then true end", all=join([*ends, *conditions], " and "))] if ends else conditions


def outlets_of(renderer: Renderer, rows: Rowset) -> InGroup:
    """What is asked of a row's outlet, as a group that the row belongs to."""
    outlet = Scope(renderer.alias("outlets"))
    asked = {"asked": join([outlet.term(term) for term in rows.asked.outlet], " and ")}
    alias = outlet.alias
    share = part_of("articles", f"sum({alias}.article_count)")
    return InGroup(
        "outlet_id",
        Term(f"select {alias}.id from outlets {alias} where {{asked}}", asked),
        Term(
            f"(select count(*) > {FEW_GROUPS} and coalesce({share}, 1) >= {DENSE_GROUP}"
            f" from outlets {alias} where {{asked}})",
            asked,
        ),
        Term(f"exists (select from outlets {alias} where {alias}.id = {{outlet_id}} and {{asked}}{WALK_ON})", asked),
    )
