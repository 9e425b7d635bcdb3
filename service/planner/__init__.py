"""One operation, one statement: from a GraphQL document to SQL that returns the finished JSON.

Knows no database, no Redis, no HTTP: values in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, SelectionSetNode
from graphql.execution.values import get_variable_values
from strawberry import Schema

from service.errors import BadUserInput
from service.planner import document, prices, wording
from service.planner.allowed import Allowed
from service.planner.build import Builder
from service.planner.call import Answerer, Call, Prepared, Subscription, Told
from service.planner.cost import Cost, Meter
from service.planner.document import Document, Operation
from service.planner.inputs import Trace
from service.planner.plan import Changes, One, Plan, Text
from service.planner.render import KEY_OF_STORY, Renderer
from service.planner.shape import Limits
from service.planner.sql import Values, render, render_together
from service.planner.windows import WindowLimits
from service.remembered import Remembered

__all__ = ["Allowed", "Call", "Document", "Limits", "Operation", "Planner", "Subscription", "Told", "WindowLimits"]

MOST_DOCUMENTS = 500


class Planner:
    """Compiles operations once, and remembers them.

    Statements are `dated` where answers may be kept: they tell what an answer is as of, and which stories it is about.
    """

    def __init__(self, schema: Schema, limits: Limits | None = None, *, dated: bool = True) -> None:
        self.schema = schema._schema  # pyright: ignore[reportPrivateUsage] - Strawberry has no public name for it
        self.limits = limits or Limits()
        self._prices = prices.of_schema(self.schema)
        self._dated = dated
        self._documents = Remembered[str, Document](MOST_DOCUMENTS)

    def known(self, text: str) -> Document | None:
        """The valid document of the text, where it was read before."""
        return self._documents.get(text)

    def document(self, text: str) -> Document:
        """The valid document of the text. Raises ParseFailed or ValidationFailed."""
        return self.known(text) or self.remember(text, self.read(text))

    def read(self, text: str) -> Document:
        """The same, read anew and not remembered: as any thread may."""
        return document.read(text, self.schema, self.limits)

    def remember(self, text: str, read: Document) -> Document:
        """Remembers the document of a text, and gives it back."""
        return self._documents.put(text, read)

    def plan(self, operation: Operation, variables: Mapping[str, Any], allowed: Allowed) -> Call:
        """The call of any operation by a caller who is allowed so much. Raises BadUserInput or UpgradeRequired."""
        values = self._coerced(operation, variables)
        prepared = operation.plans.get(_key(operation, values, allowed))
        if prepared is None:
            prepared = self._prepare(operation, values, allowed)
        return prepared.call(values)

    def _coerced(self, operation: Operation, variables: Mapping[str, Any]) -> Values:
        usual = operation.variable_types.coerced(variables)
        if usual is not None:
            return usual
        hide_suggestions = not self.limits.introspection
        coerced = get_variable_values(
            self.schema,
            operation.definition.variable_definitions or (),
            dict(variables),
            max_errors=10,
            hide_suggestions=hide_suggestions,
        )
        if isinstance(coerced, list):
            raise BadUserInput(
                wording.of_variable(coerced[0], variables, operation.variable_types, hide_suggestions=hide_suggestions)
            )
        return coerced.coerced

    def _prepare(self, operation: Operation, values: Values, allowed: Allowed) -> Prepared:
        trace = Trace(values)
        builder = Builder(self.schema, operation.fragments, trace, allowed, self.limits)
        if operation.kind == "subscription":
            changes = builder.changes(operation.definition)
            prepared = _rendered_changes(changes, builder, self._cost(operation, builder))
        else:
            roots = builder.roots(operation.definition)
            prepared = _rendered(operation, roots, builder, self._cost(operation, builder), dated=self._dated)
        unknown = [probe for probe in trace.probes if probe not in operation.probes]
        if unknown:
            # The plans made so far were told apart by fewer probes than this one needs.
            operation.probes.extend(unknown)
            operation.plans.clear()
        operation.remember(_key(operation, values, allowed), prepared)
        return prepared

    def _cost(self, operation: Operation, builder: Builder) -> Cost:
        root = self.schema.get_root_type(operation.definition.operation)
        assert root is not None
        return Meter(self._prices, builder.collector, builder.trace).operation(root, operation.definition)


def _key(operation: Operation, values: Values, allowed: Allowed) -> object:
    """What tells apart the calls that need plans of their own."""
    return allowed, tuple(observe(source.read(values)) for source, observe in operation.probes)


def _rendered(
    operation: Operation,
    roots: tuple[tuple[str, Plan | list[FieldNode]], ...],
    builder: Builder,
    cost: Cost,
    *,
    dated: bool,
) -> Prepared:
    plans = [plan for _, plan in roots if not isinstance(plan, list | Text)]
    local = [node for _, plan in roots if isinstance(plan, list) for node in plan]
    stories = [plan for plan in plans if isinstance(plan, One) and plan.source.template in KEY_OF_STORY]
    open_ended = builder.open_ended or len(stories) < len(plans)
    about = (() if open_ended else stories) if dated else None
    sql = Renderer().statement(plans, about) if plans else None
    statement, parameters = render(sql) if sql else (None, ())
    return Prepared.of(
        statement,
        parameters,
        tuple((key, _answerer(plan)) for key, plan in roots),
        _document_of(operation, local) if local else None,
        together=render_together(sql) if sql else None,
        cost=cost,
        features=builder.allowed.features,
        selective=builder.selective,
        open_ended=open_ended,
        momentary=builder.momentary,
    )


def _rendered_changes(root: tuple[str, Changes], builder: Builder, cost: Cost) -> Prepared:
    key, changes = root
    statement, parameters = render(Renderer().changes(changes))
    return Prepared.of(
        statement,
        parameters,
        ((key, Answerer.STATEMENT),),
        cost=cost,
        features=builder.allowed.features,
        selective=False,
        open_ended=True,
        momentary=True,
    )


def _answerer(plan: Plan | list[FieldNode]) -> Answerer | bytes:
    if isinstance(plan, Text):
        return orjson.dumps(plan.value)
    return Answerer.EXECUTOR if isinstance(plan, list) else Answerer.STATEMENT


def _document_of(operation: Operation, nodes: list[FieldNode]) -> DocumentNode:
    """The operation cut down to some of its root fields."""
    whole = operation.definition
    cut = OperationDefinitionNode(
        operation=whole.operation,
        name=whole.name,
        variable_definitions=whole.variable_definitions,
        directives=whole.directives,
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    return DocumentNode(definitions=(cut, *operation.fragments.values()))
