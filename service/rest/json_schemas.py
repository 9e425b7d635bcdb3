"""JSON Schemas (2020-12, as OpenAPI 3.1 has them) of what documents select and take. Knows nothing of paths."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLType,
    SelectionSetNode,
    get_nullable_type,
    is_abstract_type,
    is_non_null_type,
)

from service.rest.selections import Selected, Selecting

JsonSchema = dict[str, Any]

SCALARS: dict[str, JsonSchema] = {
    "Int": {"type": "integer", "format": "int32"},
    "Float": {"type": "number", "format": "double"},
    "String": {"type": "string"},
    "ID": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
    "URL": {"type": "string", "pattern": "^https?://"},
    "CountryCode": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "LanguageTag": {"type": "string", "pattern": "^[A-Za-z]"},
}
"""The scalars of the schema, as they are answered."""


class Schemas:
    """Makes schemas; those with a name, which are enums and what fragments select, stand in `components`."""

    def __init__(self) -> None:
        self.components: dict[str, JsonSchema] = {}

    def leaf(self, type_: GraphQLNamedType) -> JsonSchema:
        """The schema of a scalar or an enum."""
        if isinstance(type_, GraphQLEnumType):
            return self._named(type_.name, partial(_of_enum, type_))
        return SCALARS[type_.name]

    def selected(self, selecting: Selecting, type_: GraphQLType, sets: list[SelectionSetNode]) -> JsonSchema:
        """The schema of what is selected of a value of the type."""
        if not is_non_null_type(type_):
            return _or_null(self._of_nullable(selecting, type_, sets))
        return self._of_nullable(selecting, get_nullable_type(type_), sets)

    def _of_nullable(self, selecting: Selecting, type_: Any, sets: list[SelectionSetNode]) -> JsonSchema:
        if isinstance(type_, GraphQLList):
            return {"type": "array", "items": self.selected(selecting, type_.of_type, sets)}
        if is_abstract_type(type_):
            return self._one_of(selecting, selecting.schema.get_possible_types(type_), sets)
        if not isinstance(type_, GraphQLObjectType):
            return self.leaf(type_)
        fragment = selecting.sole_fragment(type_, sets)
        if fragment is None:
            return self.object(selecting, type_, sets)
        under = [selecting.fragments[fragment].selection_set]
        described = {"description": type_.description} if type_.description else {}
        return self._named(fragment, lambda: {**described, **self.object(selecting, type_, under)})

    def object(self, selecting: Selecting, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> JsonSchema:
        """The schema of an object of the type, without a name."""
        fields = selecting.fields(type_, sets)
        properties = {key: self._property(selecting, type_, each) for key, each in fields.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": [key for key, each in fields.items() if each.always],
        }

    def _property(self, selecting: Selecting, type_: GraphQLObjectType, selected: Selected) -> JsonSchema:
        if selected.name == "__typename":
            return {"type": "string", "const": type_.name}
        definition = type_.fields[selected.name]
        schema = self.selected(selecting, definition.type, selected.sets)
        return {**schema, "description": definition.description} if definition.description else schema

    def _one_of(
        self, selecting: Selecting, types: Iterable[GraphQLObjectType], sets: list[SelectionSetNode]
    ) -> JsonSchema:
        """One of several objects: told apart by the type's name where that is selected of each by the same key."""
        ordered = sorted(types, key=lambda each: each.name)
        schemas = {each.name: self._of_nullable(selecting, each, sets) for each in ordered}
        keys = {_key_of_type(selecting, each, sets) for each in ordered}
        if len(keys) != 1 or None in keys:
            return {"anyOf": list(schemas.values())}
        told: JsonSchema = {"oneOf": list(schemas.values())}
        if all("$ref" in each for each in schemas.values()):
            mapping = {name: each["$ref"] for name, each in schemas.items()}
            told["discriminator"] = {"propertyName": keys.pop(), "mapping": mapping}
        return told

    def _named(self, name: str, make: Callable[[], JsonSchema]) -> JsonSchema:
        """A reference to the schema of that name, which is made once: all of one name are alike."""
        if name not in self.components:
            self.components[name] = make()
        return {"$ref": f"#/components/schemas/{name}"}


def _of_enum(type_: GraphQLEnumType) -> JsonSchema:
    values = [f"- `{name}`: {value.description}" for name, value in type_.values.items() if value.description]
    described = "\n".join([type_.description or "", *([""] if values else []), *values])
    return {"type": "string", "description": described, "enum": list(type_.values)}


def _key_of_type(selecting: Selecting, type_: GraphQLObjectType, sets: list[SelectionSetNode]) -> str | None:
    fields = selecting.fields(type_, sets)
    return next((key for key, each in fields.items() if each.name == "__typename" and each.always), None)


def _or_null(schema: JsonSchema) -> JsonSchema:
    if "type" in schema and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    alternatives = "oneOf" if "oneOf" in schema else "anyOf"
    others = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf", "$ref")}
    these: list[JsonSchema] = schema.get(alternatives) or [schema]
    return {**others, alternatives: [*these, {"type": "null"}]}
