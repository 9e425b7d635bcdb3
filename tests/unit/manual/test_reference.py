from __future__ import annotations

from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

from schema import sdl
from service.manual.reference import BUILT_IN, Type, reference

KINDS = reference(sdl())


def types() -> dict[str, Type]:
    return {each.name: each for kind in KINDS for each in kind.types}


def test_every_type_and_directive_of_the_schema_is_there_once() -> None:
    schema = build_schema(sdl())
    named = {name for name in schema.type_map if not name.startswith("__")} - BUILT_IN
    directives = {f"@{each.name}" for each in schema.directives if f"directive @{each.name}(" in sdl()}
    listed = [each.name for kind in KINDS for each in kind.types]
    assert len(listed) == len(set(listed))
    assert named | directives <= set(listed)


def test_every_field_and_argument_is_there_with_its_type_and_description() -> None:
    known = types()
    for name, type_ in build_schema(sdl()).type_map.items():
        if name.startswith("__") or not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        fields = {each.name: each for each in known[name].fields}
        assert fields.keys() == type_.fields.keys()
        for field_name, field in type_.fields.items():
            shown = fields[field_name]
            assert "".join(shown.type) == str(field.type)
            assert shown.description == field.description
            assert {each.name: "".join(each.type) for each in shown.arguments} == {
                argument: str(given.type) for argument, given in field.args.items()
            }


def test_costs_and_features_are_told_where_they_apply() -> None:
    known = types()
    story = {each.name: each for each in known["Story"].fields}
    query = {each.name: each for each in known["Query"].fields}
    coverage = {each.name: each for each in known["Coverage"].fields}
    assert "each weighs 1" in known["Story"].notes
    assert known["Coverage"].notes == ("each weighs 0",)
    assert query["stories"].notes == ("counts as many as `first` or `last` says, 20 without",)
    assert story["timeline"].notes[0] == "weighs 10"
    assert coverage["factuality"].feature == "FACTUALITY"
    assert coverage["bias"].feature == ""
    search = next(each for each in known["StoryFilter"].inputs if each.name == "search")
    assert search.notes == ("weighs 100",)
    assert known["StoryBy"].notes == ("exactly one of these",)
    assert next(each for each in query["stories"].arguments if each.name == "sort").default == "LATEST"
    assert known["CoverageFactuality"].members == ("FactualityDistribution", "UpgradeRequired")
    assert [each.name for each in known["Side"].values] == ["LEFT", "CENTER", "RIGHT"]
