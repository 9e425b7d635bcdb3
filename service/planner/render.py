"""From plan values to one statement. Knows Postgres, and nothing of GraphQL.

Objects are rows within rows and become JSON once, at the top: each level of JSON functions would copy its text again.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from service.planner import render_changes, render_page
from service.planner.plan import Changes, Leaf, Many, Mixed, Object, One, Page, Plan, Same, Term, Text
from service.planner.scope import Scope
from service.planner.sql import Sql, compose, identifier, join, literal, text

# Postgres cuts names at 63 bytes, and a row has at most 1,664 columns: larger objects are made by JSON functions.
LONGEST_NAME = 63
MOST_COLUMNS = 1_600

# All that transactions below this id have changed is in the answer, and nothing of later ones.
AS_OF = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
KEY_OF_STORY = {"stories": "id", "articles": "story_id"}


class Renderer:
    """Renders the plans of one operation; aliases are numbered, so equal plans give equal text."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def statement(self, plans: Iterable[Plan], stories: Iterable[One] | None) -> Sql:
        """One row: the JSON text of each root; with `stories`, then what the answer is as of, and the keys of those."""
        outermost = Scope()
        columns = [compose("to_json({value})::text", value=self.value(plan, outermost)) for plan in plans]
        if stories is not None:
            columns += [text(AS_OF), self._keys_of(stories)]
        return text("select ") + join(columns)

    def changes(self, plan: Changes) -> Sql:
        """One row: a position, whether there is more, the cursor and the JSON text of each change up to there."""
        return render_changes.next_changes(self, plan)

    def _keys_of(self, stories: Iterable[One]) -> Sql:
        keys: list[Sql] = []
        for one in stories:
            row = Scope(self.alias(one.source.template))
            source = text(f" from {one.source.template} {row.alias}") + self.where(row.term(term) for term in one.where)
            key = row.resolve(KEY_OF_STORY[one.source.template])
            keys.append(compose("(select {key}{source})", key=key, source=source))
        return compose("array[{keys}]::bigint[]", keys=join(keys))

    def alias(self, table: str) -> str:
        """A new alias, after the table's initial."""
        return f"{table[0]}{next(self._numbers)}"

    def value(self, plan: Plan, scope: Scope) -> Sql:
        """An expression for the plan's value, in a row's scope."""
        match plan:
            case Leaf(term):
                return scope.term(term)
            case Text(value):
                return text("null::text") if value is None else literal(value) + text("::text")
            case Same():
                return self._same(plan, scope)
            case One():
                return self._one(plan, scope)
            case Many():
                return self._many(plan, scope)
            case Mixed():
                return self._mixed(plan, scope)
            case Page():
                return render_page.page(self, plan, scope)

    def object(self, selected: Object, scope: Scope, source: Sql) -> Sql:
        """A query for the object of each row of `source` (from `from` on; empty for the row at hand), in its order."""
        fields = [(key, self.value(plan, scope)) for key, plan in selected.fields]
        return self.record(fields, source)

    def record(self, fields: list[tuple[str, Sql]], source: Sql) -> Sql:
        """The same for values that are expressions already."""
        if len(fields) > MOST_COLUMNS or any(len(key) > LONGEST_NAME for key, _ in fields):
            return self._wide_record(fields, source)
        columns = join([value + text(" as ") + identifier(key) for key, value in fields])
        row = self.alias("r")
        return compose(
            "select {row} from (select {columns}{source}) {row}", row=text(row), columns=columns, source=source
        )

    def _wide_record(self, fields: list[tuple[str, Sql]], source: Sql) -> Sql:
        entries = [
            compose("({number}, {key}, to_json({value}))", number=text(str(number)), key=literal(key), value=value)
            for number, (key, value) in enumerate(fields)
        ]
        return compose(
            "select (select json_object_agg(e.key, e.value order by e.number)"
            " from (values {entries}) e (number, key, value))"
            "{source}",
            entries=join(entries),
            source=source,
        )

    def _same(self, plan: Same, scope: Scope) -> Sql:
        names = {name: scope.term(term) for name, term in plan.names.items()}
        inner = Scope(names=names, same=scope, outer=scope.outer)
        value = compose("({query})", query=self.object(plan.object, inner, Sql()))
        if plan.when is None:
            return value
        return compose("case when {when} then {value} end", when=scope.term(plan.when), value=value)

    def _one(self, plan: One, scope: Scope) -> Sql:
        return compose("({query})", query=self._rows(plan, scope, None))

    def _many(self, plan: Many, scope: Scope) -> Sql:
        return compose("array({query})", query=self._rows(plan, scope, plan.order))

    def _rows(self, plan: One | Many, scope: Scope, order: Term | None) -> Sql:
        inner = Scope(self.alias(plan.source.template.lstrip("(")), outer=scope)
        source = compose(" from {source} {alias}", source=inner.term(plan.source), alias=text(inner.alias))
        source += self.where(inner.term(term) for term in plan.where)
        if order is not None:
            source += text(" order by ") + inner.term(order)
        return self.object(plan.object, inner, source)

    def where(self, conditions: Iterable[Sql]) -> Sql:
        """A where clause; nothing where there are no conditions."""
        given = list(conditions)
        return text(" where ") + join(given, " and ") if given else Sql()

    def _mixed(self, plan: Mixed, scope: Scope) -> Sql:
        arms = [
            compose("when {tag} then to_json({value})", tag=literal(tag), value=self.value(arm, scope))
            for tag, arm in plan.arms
        ]
        return compose(
            "array(select case i.tag {arms} end from unnest({tags}, {keys}) with ordinality i (tag, key, number)"
            " order by i.number)",
            arms=join(arms, " "),
            tags=plan.tags,
            keys=plan.keys,
        )
