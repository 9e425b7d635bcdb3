from __future__ import annotations

from pathlib import Path

import click
import pytest
from graphql import GraphQLObjectType, build_schema

from schema import sdl
from service.cli import main
from service.cli import schema as command
from service.clients import MODULES, Cached
from service.clients.cached import Connection
from service.clients.files import FOLDER

ROOT = Path(__file__).parents[3]

SDL = """
type Query { node: Node viewer: Viewer things(first: Int, after: String, kind: String): ThingConnection! }
type Subscription { changed: Change! }
interface Node { id: ID! }
type Thing implements Node { id: ID! size: Size! value: Value parts(first: Int): PartConnection! }
type Size { width: Width! }
type Width { cm: Int! }
type Viewer { name: String }
type Money { price: Width! }
type Withheld { why: String! }
union Value = Money | Withheld
type Change { size: Size }
type Changes { changes: [Change!]! }
type Part { size: Size! }
type ThingConnection { nodes: [Thing!]! pageInfo: PageInfo! count: Width! }
type PartConnection { nodes: [Part!]! pageInfo: PageInfo! }
type PageInfo { endCursor: String }
"""


@pytest.mark.parametrize("client", MODULES)
def test_what_is_published_is_what_the_sdl_says(client: str) -> None:
    written = (FOLDER / f"{client}.js").read_text(encoding="utf-8")
    assert written == MODULES[client](Cached.of(sdl())), "Run `make sdl`."


@pytest.mark.parametrize("client", MODULES)
def test_each_module_has_types_beside_it_that_name_what_it_exports(client: str) -> None:
    exports = [
        line.split()[2].rstrip(":")
        for line in (FOLDER / f"{client}.js").read_text(encoding="utf-8").splitlines()
        if line.startswith("export const ")
    ]
    declared = (FOLDER / f"{client}.d.ts").read_text(encoding="utf-8")
    assert len(exports) == 2
    assert all(f"export declare const {name}: " in declared for name in exports)


def test_the_command_knows_every_client() -> None:
    (option,) = (each for each in command.params if each.name == "client")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(MODULES)
    for place in ("Makefile", ".ci/lint"):
        assert f"for client in {' '.join(MODULES)};" in (ROOT / place).read_text(encoding="utf-8")


def test_the_command_prints_the_module(capsys: pytest.CaptureFixture[str]) -> None:
    main(["schema", "--for", "apollo"], standalone_mode=False)
    assert capsys.readouterr().out == MODULES["apollo"](Cached.of(sdl()))


@pytest.mark.parametrize(
    "name",
    [
        "apollo/client.js",
        "urql/client.js",
        "urql/schema.js",
        "relay.config.json",
        "relay/environment.cjs",
        "codegen.js",
    ],
)
def test_what_the_page_shows_is_what_is_tested(name: str) -> None:
    code = (ROOT / "tests" / "acceptance" / "front_ends" / name).read_text(encoding="utf-8")
    assert f"\n{code}```\n" in (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def test_objects_without_an_id_are_told_and_roots_are_not() -> None:
    cached = Cached.of(SDL)
    assert "Size" in cached.keyless
    assert not {"Thing", "Query", "Subscription"} & set(cached.keyless)


def test_parts_are_those_of_which_it_is_known_what_they_are_a_part_of() -> None:
    assert Cached.of(SDL).parts == {
        "Money": ("price",),
        "Query": ("viewer",),
        "Size": ("width",),
        "Thing": ("size", "value"),
        "ThingConnection": ("count",),
    }


def test_connections_are_told_by_what_is_no_page_of_them() -> None:
    cached = Cached.of(SDL)
    assert cached.connections == {
        "Query": {"things": Connection(("kind",), keyed=True)},
        "Thing": {"parts": Connection((), keyed=False)},
    }
    assert cached.possible == {"Node": ("Thing",), "Value": ("Money", "Withheld")}


def test_every_object_of_the_schema_has_an_id_or_is_told_to_have_none() -> None:
    cached = Cached.of(sdl())
    types = build_schema(sdl()).type_map.values()
    objects = {each.name for each in types if isinstance(each, GraphQLObjectType) and not each.name.startswith("__")}
    keyed = {"Article", "Coverage", "Outlet", "Place", "Story", "Topic"}
    assert objects == {*cached.keyless, *keyed, "Query", "Subscription"}
    assert not keyed & set(cached.keyless)
