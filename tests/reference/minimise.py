"""Makes a failing operation small: takes parts away as long as it is valid and still fails."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
    validate,
)

from tests.reference.operations import Operation

REMOVABLE = frozenset(
    {"selections", "arguments", "directives", "fields", "values", "definitions", "variable_definitions"}
)


async def minimise(
    operation: Operation, schema: GraphQLSchema, fails: Callable[[Operation], Awaitable[bool]]
) -> Operation:
    """The smallest operation found by taking away one part after another that still fails."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(operation):
            if not validate(schema, parse(candidate.text)) and await fails(candidate):
                operation, smaller = candidate, True
                break
    return operation


def _smaller(operation: Operation) -> Iterator[Operation]:
    """The operation without each of its parts, greatest parts first."""
    document = parse(operation.text, no_location=True)
    seen = {operation.text}
    for candidate in _without_a_part(document):
        assert isinstance(candidate, DocumentNode)
        if not any(isinstance(node, OperationDefinitionNode) for node in candidate.definitions):
            continue
        text = print_ast(_without_unused(candidate))
        if text not in seen and "{" in text:
            seen.add(text)
            yield _cut(operation, text)


def _cut(operation: Operation, text: str) -> Operation:
    """The operation with another text, and only the variables that it still declares."""
    definition = next(node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode))
    declared = {variable.variable.name.value for variable in definition.variable_definitions or ()}
    return replace(
        operation,
        text=text,
        name=definition.name.value if definition.name else None,
        variables={name: value for name, value in operation.variables.items() if name in declared},
        cursors={name: source for name, source in operation.cursors.items() if name in declared},
    )


def _without_a_part(node: Node) -> Iterator[Node]:
    """The tree without each part that can be missing, and with each inline fragment replaced by what it holds."""
    assert is_dataclass(node)
    for part in fields(node):
        value: Any = getattr(node, part.name, None)
        if isinstance(value, tuple) and part.name in REMOVABLE:
            for index in range(len(value)):
                yield replace(node, **{part.name: value[:index] + value[index + 1 :]})
            if isinstance(node, SelectionSetNode):
                yield from (replace(node, selections=selections) for selections in _opened(value))
        children: tuple[Any, ...] = value if isinstance(value, tuple) else ()
        for index, child in enumerate(children):
            for candidate in _without_a_part(child) if isinstance(child, Node) else ():
                yield replace(node, **{part.name: (*children[:index], candidate, *children[index + 1 :])})
        if isinstance(value, Node) and part.name != "loc":
            yield from (replace(node, **{part.name: candidate}) for candidate in _without_a_part(value))


def _opened(selections: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for index, selection in enumerate(selections):
        if isinstance(selection, InlineFragmentNode):
            yield (*selections[:index], *selection.selection_set.selections, *selections[index + 1 :])


def _without_unused(document: DocumentNode) -> DocumentNode:
    """The document without fragments that nothing spreads and variables that nothing reads."""
    kept = document.definitions
    while True:
        text = " ".join(print_ast(definition) for definition in kept)
        used = [
            definition
            for definition in kept
            if isinstance(definition, OperationDefinitionNode)
            or any(spread in text for spread in _spreads_of(_name(definition)))
        ]
        if len(used) == len(kept):
            break
        kept = tuple(used)
    return replace(document, definitions=tuple(_without_unread(node, kept) for node in kept))


def _name(definition: Any) -> str:
    return definition.name.value


def _spreads_of(name: str) -> tuple[str, ...]:
    return tuple(f"...{name}{end}" for end in ("\n", " ", "}"))


def _without_unread(node: Any, definitions: tuple[Any, ...]) -> Any:
    if not isinstance(node, OperationDefinitionNode) or not node.variable_definitions:
        return node
    bodies = [print_ast(replace(d, variable_definitions=()) if d is node else d) for d in definitions]
    text = " ".join(bodies).translate(str.maketrans("()[]{},:\n", "         ")).split()
    read = [variable for variable in node.variable_definitions if f"${variable.variable.name.value}" in text]
    return replace(node, variable_definitions=tuple(read))
