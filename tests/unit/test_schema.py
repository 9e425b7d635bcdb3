from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
)
from graphql.utilities import find_breaking_changes, find_dangerous_changes

import schema
from schema.binding import KEY
from service.planner import Planner

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT.parent / "shared" / "contract" / "schema.graphql"

GRAPH = Planner(schema.schema).schema

# Made by the planner as parts of a page, or answered by the executor.
OF_THE_VIEWER = {"Viewer", "ApiKeyInfo", "Tier", "RateLimit", "UsageDay"}
UNBOUND_TYPES = {"PageInfo", "TotalCount", "UpgradeRequired", "ServiceInfo"} | OF_THE_VIEWER
UNBOUND_FIELDS = {"Query.service", "Query.viewer"}


def objects() -> list[GraphQLObjectType]:
    types = (type_ for type_ in GRAPH.type_map.values() if isinstance(type_, GraphQLObjectType))
    return [type_ for type_ in types if not is_introspection_type(type_)]


def test_the_sdl_that_is_reviewed_is_the_one_that_is_served() -> None:
    assert (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8") == schema.sdl()


def test_the_sdl_is_valid_and_says_all() -> None:
    assert not find_breaking_changes(GRAPH, build_schema(schema.sdl()))


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract lies beside the project, where there is one")
def test_nothing_of_the_contract_is_broken() -> None:
    contract, served = build_schema(CONTRACT.read_text(encoding="utf-8")), build_schema(schema.sdl())
    assert not find_breaking_changes(contract, served)
    assert not find_dangerous_changes(contract, served)


def test_every_field_that_sql_answers_says_where_it_lives() -> None:
    unbound = {
        f"{type_.name}.{name}"
        for type_ in objects()
        for name, field in type_.fields.items()
        if type_.name not in UNBOUND_TYPES and not type_.name.endswith(("Connection", "Edge"))
        if KEY not in field.extensions["strawberry-definition"].metadata
    }
    assert unbound == UNBOUND_FIELDS


def test_every_field_of_a_filter_says_what_it_asks() -> None:
    for type_ in GRAPH.type_map.values():
        # What these choose is read by name, in the templates of what they are arguments of.
        if isinstance(type_, GraphQLInputObjectType) and type_.name not in ("TimeRange", "Window", "CoverageFilter"):
            for name, field in type_.fields.items():
                assert KEY in field.extensions["strawberry-definition"].metadata, f"{type_.name}.{name}"


def described() -> Iterator[tuple[str, str | None]]:
    """The name and the description of everything that the schema itself defines."""
    for type_ in GRAPH.type_map.values():
        if is_introspection_type(type_):
            continue
        yield type_.name, type_.description
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
        elif isinstance(type_, GraphQLInputObjectType):
            yield from ((f"{type_.name}.{name}", field.description) for name, field in type_.fields.items())
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field.description
                yield from ((f"{type_.name}.{name}({of}:)", given.description) for of, given in field.args.items())


def test_everything_has_a_description() -> None:
    assert not [name for name, description in described() if not description]


def test_descriptions_are_sentences() -> None:
    assert not [name for name, description in described() if description and not description.endswith((".", ".)"))]
