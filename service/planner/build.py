"""From a selection and the schema's bindings to plan values. SQL comes in by the schema's templates only."""

# graphql-core's list and non-null types are generic in what pyright cannot know.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
)

from schema import ids
from schema.binding import KEY, Binding, Connection, Embedded, Feed, Gated, Lookup, Nodes, Rows, Span, Value
from service.errors import BadUserInput
from service.planner import pages
from service.planner.allowed import Allowed
from service.planner.conditions import Conditions, reader
from service.planner.inputs import Arguments, Input, Trace
from service.planner.plan import Changes, Leaf, Many, Mixed, Object, One, Plan, Same, Term, Text
from service.planner.selection import Collector
from service.planner.shape import Limits
from service.planner.sql import Sql, literal, parameter, text
from service.planner.windows import bounds

MOST_LISTED = 50
MOST_NODES = 100

# The tables of the types that have ids, and which rows of them show.
NODE_TABLES = {
    "story": ("Story", "stories", "{article_count} > 0"),
    "article": ("Article", "articles", ""),
    "outlet": ("Outlet", "outlets", ""),
    "topic": ("Topic", "topics", ""),
    "place": ("Place", "places", ""),
}
MERGED = "{id} = " + ids.standing_for("m.id = {value}")


def binding_of(definition: GraphQLField | GraphQLInputField | GraphQLArgument) -> Any:
    """What the schema says of where the field lives; None where no SQL answers it."""
    declared = definition.extensions.get("strawberry-definition")
    return declared.metadata.get(KEY) if declared is not None else None


class Builder:
    """Builds the plans of one operation, for callers who are allowed the same."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        trace: Trace,
        allowed: Allowed,
        limits: Limits,
    ) -> None:
        self.schema = schema
        self.trace = trace
        self.allowed = allowed
        self.limits = limits
        self.collector = Collector(schema, fragments, trace)
        self.conditions = Conditions(trace, allowed)
        # Whether a list is filtered by values (a search, a range, a least number) of which Postgres has statistics.
        self.selective = False
        # Whether there is a list into which anything may come; whether something is true only at the moment.
        self.open_ended = False
        self.momentary = False

    def roots(self, operation: OperationDefinitionNode) -> tuple[tuple[str, Plan | list[FieldNode]], ...]:
        """The operation's roots by response key: a plan, or the nodes of a field that no SQL answers."""
        root = self.schema.query_type
        assert root is not None
        fields = self.collector.fields(root, [operation.selection_set])
        return tuple((key, self._root(root, nodes)) for key, nodes in fields.items())

    def changes(self, operation: OperationDefinitionNode) -> tuple[str, Changes]:
        """The one root of a subscription, by its response key."""
        root = self.schema.subscription_type
        assert root is not None
        fields = self.collector.fields(root, [operation.selection_set])
        [(key, nodes)] = fields.items()
        definition = root.fields[nodes[0].name.value]
        arguments = self._arguments(definition, nodes)
        story = parameter("bigint", reader(arguments["id"], _story_key))
        asked = self.conditions.of_object(get_named_type(definition.args["filter"].type), arguments["filter"])
        return key, Changes(
            parameter("text", reader(arguments["after"], None)),
            story if arguments.given("id") else None,
            asked if arguments.given("filter") else None,
            self.object(_object_type(definition), nodes),
        )

    def _root(self, root: GraphQLObjectType, nodes: list[FieldNode]) -> Plan | list[FieldNode]:
        name = nodes[0].name.value
        if name == "__typename":
            return Text(root.name)
        if name.startswith("__") or binding_of(root.fields[name]) is None:
            return nodes
        return self.field(root, nodes)

    def object(self, type_: GraphQLObjectType, nodes: Iterable[FieldNode]) -> Object:
        """What merged nodes select of an object of the type."""
        fields = self.collector.under(type_, nodes)
        return Object(tuple((key, self.field(type_, merged)) for key, merged in fields.items()))

    def field(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Plan:
        """The plan of one field, merged from the nodes that ask for it."""
        name = nodes[0].name.value
        if name == "__typename":
            return Text(parent.name)
        definition = parent.fields[name]
        arguments = self._arguments(definition, nodes)
        binding: Binding = binding_of(definition)
        match binding:
            case Value(sql):
                return Leaf(Term(sql or f"{{{_column(name)}}}"))
            case Embedded():
                return self._embedded(binding, _object_type(definition), nodes)
            case Gated():
                return self._gated(binding, nodes)
            case Rows():
                return self._rows(binding, definition, arguments, nodes)
            case Lookup():
                return self._lookup(binding, definition, arguments, nodes)
            case Nodes():
                return self._node(arguments, nodes) if name == "node" else self._nodes(arguments, nodes)
            case Feed():
                raise TypeError("a feed is the root of a subscription, and nothing else")
            case Connection():
                return pages.build(self, binding, parent, arguments, nodes)

    def _arguments(self, definition: GraphQLField, nodes: list[FieldNode]) -> Arguments:
        given = {argument.name.value: argument.value for argument in nodes[0].arguments or ()}
        return Arguments(definition.args, given, self.trace)

    def _embedded(self, binding: Embedded, type_: GraphQLObjectType, nodes: list[FieldNode]) -> Same:
        names = {name: Term(template) for name, template in binding.names.items()}
        return Same(names, Term(binding.when) if binding.when else None, self.object(type_, nodes))

    def _gated(self, binding: Gated, nodes: list[FieldNode]) -> Same:
        feature = binding.feature.name
        if feature in self.allowed.features:
            return self._embedded(binding.included, self._type(binding.type_name), nodes)
        refused = self._type("UpgradeRequired")
        known: dict[str, str | None] = {
            "__typename": refused.name,
            "feature": feature,
            "tier": self.allowed.least_tier_with(feature),
            "message": f"This is withheld. {self.allowed.advice(feature)}",
        }
        fields = self.collector.under(refused, nodes)
        return Same({}, None, Object(tuple((key, Text(known[under[0].name.value])) for key, under in fields.items())))

    def _rows(
        self, binding: Rows, definition: GraphQLField, arguments: Arguments, nodes: list[FieldNode]
    ) -> One | Many:
        self.open_ended |= binding.open_ended
        self.momentary |= binding.momentary
        if binding.limited_by:
            most = self.allowed.max_page_size if binding.paged else MOST_LISTED
            pages.check_size(binding.limited_by, arguments.literal(binding.limited_by), most)
        values = self._argument_values(definition, arguments)
        source = Term(binding.source, values)
        where = (Term(binding.where, values),) if binding.where else ()
        selected = self.object(_object_type(definition), nodes)
        if is_list_type(get_nullable_type(definition.type)):
            return Many(source, where, Term(binding.order), selected)
        return One(source, where, selected)

    def _argument_values(self, definition: GraphQLField, arguments: Arguments) -> dict[str, Sql]:
        """What templates call arguments: `arg.first`, and `arg.filter.topics` for what lies in an input object."""
        values: dict[str, Sql] = {}
        for name, argument in definition.args.items():
            type_ = get_named_type(argument.type)
            if isinstance(type_, GraphQLInputObjectType):
                values |= self._member_values(name, argument, type_, arguments[name])
            elif is_enum_type(type_) or type_ is GraphQLInt:
                values[f"arg.{name}"] = as_literal(arguments.literal(name))
            else:
                values[f"arg.{name}"] = text_parameter(argument.type, arguments[name])
        return values

    def _member_values(
        self, name: str, definition: GraphQLArgument | GraphQLInputField, type_: GraphQLInputObjectType, source: Input
    ) -> dict[str, Sql]:
        if isinstance(binding_of(definition), Span):
            ends = bounds(source, name, self.limits.windows, self.allowed)
            return {f"arg.{name}.{end}": value for end, value in ends.items()}
        values: dict[str, Sql] = {}
        for member, field in type_.fields.items():
            under = get_named_type(field.type)
            if isinstance(under, GraphQLInputObjectType):
                values |= self._member_values(f"{name}.{member}", field, under, source.member(member))
            else:
                values[f"arg.{name}.{member}"] = text_parameter(field.type, source.member(member))
        return values

    def _lookup(self, binding: Lookup, definition: GraphQLField, arguments: Arguments, nodes: list[FieldNode]) -> One:
        by = get_named_type(definition.args["by"].type)
        where = self.conditions.of_object(by, arguments["by"]).selective
        if len(where) != 1:
            # Validation has counted the fields; it does not see that a nullable variable in one was null or not given.
            raise BadUserInput("'by' must name one thing: exactly one of its fields, and not null.")
        shown = (Term(binding.where),) if binding.where else ()
        return One(Term(binding.table), (*where, *shown), self.object(_object_type(definition), nodes))

    def _node(self, arguments: Arguments, nodes: list[FieldNode]) -> One | Text:
        tag = self.trace.observe(arguments["id"], _tag)
        if tag is None:
            return Text(None)
        return self._arm(tag, parameter("bigint", lambda values: _key(arguments["id"].read(values))), nodes)

    def _nodes(self, arguments: Arguments, nodes: list[FieldNode]) -> Mixed:
        def decoded(source: Input, values: Mapping[str, Any]) -> list[tuple[str, int] | None]:
            given = cast("list[str | None]", source.read(values))
            if len(given) > MOST_NODES:
                raise BadUserInput(f"At most {MOST_NODES} ids at once; these are {len(given):,}.")
            found = [ids.decode(id_) for id_ in given if id_ is not None]
            if len(found) < len(given):
                raise BadUserInput("The argument 'ids' must not hold null.")
            return found

        source = arguments["ids"]
        tags = parameter("text[]", lambda values: [found and found[0] for found in decoded(source, values)])
        keys = parameter("bigint[]", lambda values: [found and found[1] for found in decoded(source, values)])
        key = text("i.key")
        return Mixed(tags, keys, key, tuple((tag, self._arm(tag, key, nodes)) for tag in NODE_TABLES))

    def _arm(self, tag: str, key: Sql, nodes: list[FieldNode]) -> One:
        type_name, table, shown = NODE_TABLES[tag]
        where = [Term(MERGED if tag == "story" else "{id} = {value}", {"value": key})]
        if shown:
            where.append(Term(shown))
        return One(Term(table), tuple(where), self.object(self._type(type_name), nodes))

    def _type(self, name: str) -> GraphQLObjectType:
        type_ = self.schema.get_type(name)
        assert isinstance(type_, GraphQLObjectType)
        return type_


def as_literal(value: Any) -> Sql:
    """A whole number or an enum's value as text of the statement."""
    return text(str(value)) if isinstance(value, int) else literal(value.name)


def text_parameter(type_: Any, source: Input) -> Sql:
    """Text, or a list of texts, as a parameter."""
    listed = is_list_type(get_nullable_type(type_))
    return parameter("text[]" if listed else "text", reader(source, None))


def _object_type(definition: GraphQLField) -> GraphQLObjectType:
    type_ = get_named_type(definition.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_


def _column(name: str) -> str:
    """The column that a field is named after."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _story_key(value: str) -> int:
    key = ids.key_of("story")(value)
    if key is None:
        raise ValueError("'id' is not the id of a story.")
    return key


def _tag(value: str | None) -> str | None:
    if value is None:
        raise BadUserInput("The argument 'id' must not be null.")
    decoded = ids.decode(value)
    return decoded and decoded[0]


def _key(value: str) -> int | None:
    decoded = ids.decode(value)
    return decoded and decoded[1]
