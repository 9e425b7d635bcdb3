"""From filters to conditions: what each field that was given asks of a row."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
    is_enum_type,
)

from schema.binding import KEY, ByOutlet, Condition, Facet, OfStory, OneOf, Range, Words
from service.errors import BadUserInput
from service.planner.allowed import Allowed
from service.planner.inputs import Arguments, Input, Trace, is_given
from service.planner.plan import DENSE_GROUP, Asked, InFacet, InGroup, InRange, InValues, InWords, Term, of_facet
from service.planner.sql import Sql, Values, literal, parameter, text

Definition = GraphQLInputField | GraphQLArgument


class Conditions:
    """Reads filters for one call; a gated field, given, refuses callers without the feature."""

    def __init__(self, trace: Trace, allowed: Allowed) -> None:
        self._trace = trace
        self._allowed = allowed

    def of_object(self, type_: object, source: Input) -> Asked:
        """What an input object asks, field by field, in the schema's order."""
        assert isinstance(type_, GraphQLInputObjectType)
        if not self._trace.given(source):
            return Asked()
        return self._sum((name, definition, source.member(name)) for name, definition in type_.fields.items())

    def of_arguments(self, definitions: Mapping[str, GraphQLArgument], arguments: Arguments) -> Asked:
        """What those arguments ask that are conditions themselves."""
        conditions = {name: d for name, d in definitions.items() if _declared(d).metadata.get(KEY) is not None}
        return self._sum((name, definition, arguments[name]) for name, definition in conditions.items())

    def _sum(self, given: Iterable[tuple[str, Definition, Input]]) -> Asked:
        asked = (
            self._asked(name, definition, source) for name, definition, source in given if self._trace.given(source)
        )
        return sum(asked, Asked())

    def _asked(self, name: str, definition: Definition, source: Input) -> Asked:
        declared = _declared(definition)
        self._check_features(name, declared.directives)
        match declared.metadata[KEY]:
            case Condition() as condition:
                term = self._term(condition, definition, source)
                if not _stands_in_text(definition):
                    return Asked(selective=(term,))
                return Asked(where=(term,), of_facets=(term,) if condition.of_facets else ())
            case ByOutlet(condition):
                return Asked(outlet=(self._term(condition, definition, source),))
            case OneOf(column, type_):
                return Asked(values=(InValues(column, self._value(Condition("", type_), definition, source)),))
            case OfStory(facet):
                return Asked(groups=(_of_stories(self._facet(facet, definition, source)),))
            case Words() as words:
                return Asked(words=(self._words(words, definition, source),))
            case Range() as range_:
                asked = self._range(range_, definition, source)
                return Asked(ranges=(asked,) if asked.terms else ())
            case Facet() as facet:
                return Asked(facets=(self._facet(facet, definition, source),))
            case unknown:
                raise TypeError(f"{name} is bound to {unknown!r}")

    def _term(self, condition: Condition, definition: Definition, source: Input) -> Term:
        return Term(condition.sql, {"value": self._value(condition, definition, source)})

    def _value(self, condition: Condition, definition: Definition, source: Input) -> Sql:
        """What has few values stands in the text, for it chooses indexes; everything else is a parameter."""
        if _stands_in_text(definition):
            value = self._trace.literal(source)
            if isinstance(value, bool):
                return text("true" if value else "false")
            names = value.name if isinstance(value, Enum) else "{" + ",".join(member.name for member in value) + "}"
            return literal(names) + text(f"::{condition.type}")
        return parameter(condition.type, reader(source, condition.convert))

    def _facet(self, facet: Facet, definition: Definition, source: Input) -> InFacet:
        value = {"value": self._value(Condition("", "text[]"), definition, source)}
        return InFacet(facet.facet, Term(facet.values, value), Term(facet.share, value))

    def _words(self, words: Words, definition: Definition, source: Input) -> InWords:
        value = self._value(Condition("", convert=words.convert), definition, source)
        return InWords(Term(words.lexemes), Term(words.query, {"value": value}), words.time)

    def _range(self, range_: Range, definition: Definition, source: Input) -> InRange:
        if not isinstance(get_named_type(definition.type), GraphQLInputObjectType):
            return InRange(range_, parameter(range_.type, source.read), None)
        ends = (source.member(name) for name in ("after", "before"))
        least, below = (parameter(range_.type, end.read) if self._trace.given(end) else None for end in ends)
        return InRange(range_, least, below)

    def _check_features(self, name: str, directives: Any) -> None:
        for directive in directives:
            feature: Enum | None = getattr(directive, "feature", None)
            if feature is not None and feature.name not in self._allowed.features:
                raise self._allowed.refusal(f"'{name}'", feature.name)


def _of_stories(facet: InFacet) -> InGroup:
    values = facet.values.values
    found = f"from story_facets f where f.facet = '{facet.facet}' and f.value = any({facet.values.template})"
    return InGroup(
        "story_id",
        Term(f"select distinct f.story_id as id {found}", values),
        Term(f"coalesce({facet.share.template}, 1) >= {DENSE_GROUP}", values),
        of_facet(facet.facet, facet.values, "story_id"),
        facet,
    )


def _stands_in_text(definition: Definition) -> bool:
    type_ = get_named_type(definition.type)
    return is_enum_type(type_) or type_ is GraphQLBoolean


def reader(source: Input, convert: Callable[[Any], Any] | None) -> Callable[[Values], Any]:
    """Reads a parameter; text that Postgres cannot store, and what `convert` refuses, is the caller's error."""

    def read(values: Values) -> Any:
        value = source.read(values)
        _refuse_unstorable(value)
        if convert is None:
            return value if is_given(value) else None
        try:
            return convert(value)
        except ValueError as error:
            raise BadUserInput(str(error)) from None

    return read


def _refuse_unstorable(value: Any) -> None:
    """Postgres stores no NUL and no half of a surrogate pair, so nothing there can match one."""
    for item in cast("list[Any]", value) if isinstance(value, list) else (value,):
        if isinstance(item, str) and ("\0" in item or not _is_utf8(item)):
            raise BadUserInput("Text must not hold NUL or half a surrogate pair.")


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _declared(definition: Definition) -> Any:
    return definition.extensions["strawberry-definition"]
