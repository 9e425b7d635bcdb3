"""What a cache of a client has to know of the schema, whoever wrote it. Knows no client."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_introspection_type,
    is_list_type,
)

PAGING = {"first", "after", "last", "before"}
"""Arguments that choose a page of a connection, and not what it is of."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A field that comes in pages."""

    arguments: tuple[str, ...]
    """Those that tell one list from another."""
    keyed: bool
    """Whether what is listed has ids."""


@dataclass(frozen=True, slots=True)
class Cached:
    """Names of types and fields, each in the order of the alphabet."""

    possible: Mapping[str, tuple[str, ...]]
    """By interface or union, the types that may stand for it."""
    keyless: tuple[str, ...]
    """Objects without an id of their own: what they say is of what they are a part of."""
    parts: Mapping[str, tuple[str, ...]]
    """By type, its fields whose value is one such object, and always of the same thing."""
    connections: Mapping[str, Mapping[str, Connection]]
    """By type, its fields that come in pages."""

    @classmethod
    def of(cls, sdl: str) -> Self:
        """What the SDL says of it."""
        schema = build_schema(sdl)
        objects = _objects(schema)
        roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
        keyless = {name for name, type_ in objects.items() if "id" not in type_.fields and type_ not in roots}
        # Of what is in a list nobody knows whether it is still what was in that place before.
        listed = {name for type_ in objects.values() for field in _lists(type_) for name in _names(field, schema)}
        parts = {
            name: tuple(sorted(_parts(type_, keyless, schema)))
            for name, type_ in objects.items()
            # Nor is an event of a subscription what the one before it was.
            if not (name in keyless and name in listed) and type_ is not schema.subscription_type
        }
        connections = {name: dict(sorted(_connections(type_))) for name, type_ in objects.items()}
        return cls(
            possible=dict(_possible(schema)),
            keyless=tuple(sorted(keyless)),
            parts={name: fields for name, fields in parts.items() if fields},
            connections={name: fields for name, fields in connections.items() if fields},
        )


def _objects(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    return {
        name: type_
        for name, type_ in sorted(schema.type_map.items())
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_)
    }


def _possible(schema: GraphQLSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, type_ in sorted(schema.type_map.items()):
        if is_abstract_type(type_):
            yield name, tuple(sorted(each.name for each in schema.get_possible_types(type_)))


def _connections(type_: GraphQLObjectType) -> Iterator[tuple[str, Connection]]:
    for name, field in type_.fields.items():
        pages = get_named_type(field.type)
        if isinstance(pages, GraphQLObjectType) and _is_connection(pages.name):
            listed = get_named_type(pages.fields["nodes"].type)
            keyed = isinstance(listed, GraphQLObjectType) and "id" in listed.fields
            yield name, Connection(tuple(sorted(set(field.args) - PAGING)), keyed)


def _parts(type_: GraphQLObjectType, keyless: set[str], schema: GraphQLSchema) -> Iterator[str]:
    for name, field in type_.fields.items():
        # A page and where it begins and ends are put together by whoever puts pages together.
        if not _is_list(field) and any(
            each in keyless and each != "PageInfo" and not _is_connection(each) for each in _names(field, schema)
        ):
            yield name


def _lists(type_: GraphQLObjectType) -> Iterator[GraphQLField]:
    return (field for field in type_.fields.values() if _is_list(field))


def _names(field: GraphQLField, schema: GraphQLSchema) -> Iterator[str]:
    """The objects that the field may lead to."""
    named = get_named_type(field.type)
    if is_abstract_type(named):
        yield from (each.name for each in schema.get_possible_types(named))
    else:
        yield named.name


def _is_list(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type))


def _is_connection(name: str) -> bool:
    """Whether objects of this type are pages, by Relay's rule for names."""
    return name.endswith("Connection")
