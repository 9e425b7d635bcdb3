"""Documents: parsed, measured, validated, and remembered with their plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    Node,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    VariablesInAllowedPositionRule,
    parse,
    specified_rules,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS

from service.errors import BadRequest, ParseFailed, ValidationFailed, ValidationFinding
from service.planner import shape, tokens, validation, wording
from service.planner.call import Prepared
from service.planner.inputs import Probe, VariableTypes
from service.planner.shape import Limits

# These look through an operation to its end when it begins: only where nothing else is wrong, which ends at ten finds.
_RULES_OF_WHOLES = (NoUndefinedVariablesRule, NoUnusedVariablesRule, VariablesInAllowedPositionRule)
_RULES_OF_PARTS = tuple(rule for rule in specified_rules if rule not in _RULES_OF_WHOLES)
MOST_FINDINGS = 10
MOST_STRING = 10_000
"""Characters that the strings of a document have together, quotes too: the parser looks at each by itself."""
MOST_PLANS = 256
MOST_NAME = 100


@dataclass(slots=True)
class Operation:
    """One operation of a valid document, with the plans made for it so far."""

    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variable_types: VariableTypes
    document_id: str
    """The SHA-256 of the document's text, in hexadecimal digits."""
    probes: list[Probe] = field(default_factory=list[Probe])
    plans: dict[object, Prepared] = field(default_factory=dict[object, Prepared])
    name: str | None = field(init=False)
    told_name: str | None = field(init=False)
    """As much of the name as is told to operators."""
    kind: str = field(init=False)
    """query, mutation or subscription."""

    def __post_init__(self) -> None:
        self.name = self.definition.name.value if self.definition.name else None
        self.told_name = self.name and self.name[:MOST_NAME]
        self.kind = self.definition.operation.value

    def remember(self, key: object, prepared: Prepared) -> None:
        """Keeps a plan for calls that it serves too."""
        if len(self.plans) >= MOST_PLANS:
            self.plans.clear()
        self.plans[key] = prepared


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document."""

    operations: Mapping[str | None, Operation]

    def operation(self, name: str | None = None) -> Operation:
        """The operation of that name; the only one where no name is given."""
        if name is None:
            if len(self.operations) != 1:
                raise BadRequest("The document has several operations; 'operationName' must say which one to run.")
            return next(iter(self.operations.values()))
        try:
            return self.operations[name]
        except KeyError:
            raise BadRequest(f"The document has no operation named '{name}'.") from None


def read(text: str, schema: GraphQLSchema, limits: Limits) -> Document:
    """The document of the text; one that is no GraphQL, too large, or does not fit the schema is the caller's error."""
    document = _parsed(text, limits)
    shape.check(document, limits)
    of_parts = _RULES_OF_PARTS if limits.introspection else (*_RULES_OF_PARTS, NoSchemaIntrospectionCustomRule)
    for rules, keys in ((of_parts, validation.EVERYTHING), (_RULES_OF_WHOLES, validation.OPERATIONS)):
        found = validation.validate(
            schema, document, rules, keys, most=MOST_FINDINGS, hide_suggestions=not limits.introspection
        )
        if found:
            raise ValidationFailed(
                [ValidationFinding(wording.of_finding(error.message), locations=_locations(error)) for error in found]
            )
    _forget_places(document)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    id_ = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    found = (Operation(d, fragments, VariableTypes.of(d, schema), id_) for d in operations)
    return Document({operation.name: operation for operation in found})


def _parsed(text: str, limits: Limits) -> DocumentNode:
    end = tokens.end_of(text, limits.max_tokens + 1)
    if end is not None:
        raise ParseFailed(
            f"Syntax Error: Document contains more than {limits.max_tokens} tokens.",
            locations=[_location(text, end - 1)],
        )
    start = tokens.too_much_string(text, MOST_STRING)
    if start is not None:
        raise ParseFailed(
            f"Syntax Error: Document contains more than {MOST_STRING:,} characters of strings: send them as variables.",
            locations=[_location(text, start)],
        )
    try:
        document = parse(text, max_tokens=limits.max_tokens, max_comments=limits.max_tokens)
    except GraphQLSyntaxError as error:
        raise ParseFailed(error.message, locations=_locations(error)) from None
    except RecursionError:
        raise ParseFailed("The document is nested too deep.") from None
    if not any(isinstance(definition, OperationDefinitionNode) for definition in document.definitions):
        raise ValidationFailed([ValidationFinding("The document has no operation.")])
    return document


def _forget_places(node: Node) -> None:
    """Leaves a valid document without its places: nobody is told of them any more, and they are half of its memory."""
    object.__setattr__(node, "loc", None)  # nodes are frozen, but for each place all tokens of the text would stay
    for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
        child: tuple[Node, ...] | Node | None = getattr(node, key)
        if isinstance(child, tuple):
            for each in child:
                _forget_places(each)
        elif child is not None:
            _forget_places(child)


def _location(text: str, at: int) -> tuple[int, int]:
    """The line and the column of a character."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _locations(error: GraphQLError) -> list[tuple[int, int]]:
    return [(location.line, location.column) for location in error.locations or ()]
