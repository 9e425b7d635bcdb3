"""The reference, made of the SDL: every type with its fields, what they cost and which feature they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)
from graphql.utilities import value_from_ast_untyped

BUILT_IN = frozenset({"ID", "Int", "Float", "String", "Boolean"})
ROOTS = ("Query", "Subscription")

_Definition = TypeVar("_Definition")


class TypeReference(NamedTuple):
    """A type as it is written: the name that leads to it, with what stands before and behind."""

    before: str
    name: str
    behind: str

    @property
    def explained(self) -> bool:
        """Whether the reference has it."""
        return self.name not in BUILT_IN


class Argument(NamedTuple):
    """An argument, or a field of an input."""

    name: str
    type: TypeReference
    default: str
    description: str
    notes: tuple[str, ...]
    feature: str


class Field(NamedTuple):
    """A field of an object."""

    name: str
    type: TypeReference
    arguments: tuple[Argument, ...]
    description: str
    notes: tuple[str, ...]
    feature: str


class Value(NamedTuple):
    """A value of an enum."""

    name: str
    description: str


class Type(NamedTuple):
    """A type, with whatever its kind has."""

    name: str
    description: str
    notes: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    inputs: tuple[Argument, ...] = ()
    values: tuple[Value, ...] = ()
    members: tuple[str, ...] = ()


class Kind(NamedTuple):
    """Types of one kind, by name."""

    title: str
    anchor: str
    types: tuple[Type, ...]


def reference(sdl: str) -> tuple[Kind, ...]:
    """All that the SDL says, by kind."""
    document = parse(sdl, no_location=True)
    of = partial(_of, document)
    objects = of(ObjectTypeDefinitionNode)
    roots = [each for name in ROOTS for each in objects if each.name.value == name]
    kinds = (
        ("Where operations begin", "roots", map(_object, roots)),
        ("Objects", "objects", (_object(each) for each in objects if each not in roots)),
        ("Interfaces", "interfaces", map(_object, of(InterfaceTypeDefinitionNode))),
        ("Unions", "unions", map(_union, of(UnionTypeDefinitionNode))),
        ("Inputs", "inputs", map(_input, of(InputObjectTypeDefinitionNode))),
        ("Enums", "enums", map(_enum, of(EnumTypeDefinitionNode))),
        ("Scalars", "scalars", map(_scalar, of(ScalarTypeDefinitionNode))),
        ("Directives", "directives", map(_directive, of(DirectiveDefinitionNode))),
    )
    return tuple(Kind(title, anchor, tuple(types)) for title, anchor, types in kinds)


def _of(document: DocumentNode, kind: type[_Definition]) -> list[_Definition]:
    return [each for each in document.definitions if isinstance(each, kind)]


def _object(node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode) -> Type:
    notes = [f"is a {each.name.value}" for each in node.interfaces or ()]
    if isinstance(node, ObjectTypeDefinitionNode) and node.name.value not in ROOTS:
        notes.append(f"each weighs {_given(node, 'cost').get('weight', '1')}")
    return Type(node.name.value, _description(node), tuple(notes), fields=tuple(map(_field, node.fields or ())))


def _union(node: UnionTypeDefinitionNode) -> Type:
    return Type(node.name.value, _description(node), (), members=tuple(each.name.value for each in node.types or ()))


def _input(node: InputObjectTypeDefinitionNode) -> Type:
    notes = ("exactly one of these",) if _has(node, "oneOf") else ()
    return Type(node.name.value, _description(node), notes, inputs=tuple(map(_argument, node.fields or ())))


def _enum(node: EnumTypeDefinitionNode) -> Type:
    values = tuple(Value(each.name.value, _description(each)) for each in node.values or ())
    return Type(node.name.value, _description(node), (), values=values)


def _scalar(node: ScalarTypeDefinitionNode) -> Type:
    specified = _given(node, "specifiedBy").get("url")
    return Type(node.name.value, _description(node), (f"specified by <{specified}>",) if specified else ())


def _directive(node: DirectiveDefinitionNode) -> Type:
    places = ", ".join(each.value.lower().replace("_", " ") for each in node.locations)
    return Type(
        f"@{node.name.value}",
        _description(node),
        (f"on {places}",),
        inputs=tuple(map(_argument, node.arguments or ())),
    )


def _field(node: FieldDefinitionNode) -> Field:
    arguments = tuple(map(_argument, node.arguments or ()))
    return Field(node.name.value, _type(node.type), arguments, _description(node), tuple(_notes(node)), _feature(node))


def _argument(node: InputValueDefinitionNode) -> Argument:
    default = print_ast(node.default_value) if node.default_value else ""
    return Argument(node.name.value, _type(node.type), default, _description(node), tuple(_notes(node)), _feature(node))


def _notes(node: Any) -> Iterable[str]:
    """What a field or argument adds to the cost."""
    if weight := _given(node, "cost").get("weight"):
        yield f"weighs {weight}"
    size = _given(node, "listSize")
    slicing, assumed = size.get("slicingArguments", ()), size.get("assumedSize")
    if slicing:
        named = " or ".join(f"`{each}`" for each in slicing)
        yield f"counts as many as {named} says" + (f", {assumed} without" if assumed is not None else "")
    elif assumed is not None:
        yield f"counts as {assumed}"


def _feature(node: Any) -> str:
    return _given(node, "requiresFeature").get("feature", "")


def _has(node: Any, name: str) -> bool:
    return any(each.name.value == name for each in node.directives or ())


def _given(node: Any, name: str) -> dict[str, Any]:
    """The arguments of a directive that stands there; empty where it does not."""
    directives: Sequence[ConstDirectiveNode] = node.directives or ()
    for each in directives:
        if each.name.value == name:
            return {given.name.value: value_from_ast_untyped(given.value) for given in each.arguments or ()}
    return {}


def _description(node: Any) -> str:
    return node.description.value if node.description else ""


def _type(node: TypeNode) -> TypeReference:
    match node:
        case NonNullTypeNode():
            inner = _type(node.type)
            return inner._replace(behind=inner.behind + "!")
        case ListTypeNode():
            inner = _type(node.type)
            return TypeReference("[" + inner.before, inner.name, inner.behind + "]")
        case NamedTypeNode():
            return TypeReference("", node.name.value, "")
        case _:
            raise TypeError(node)
