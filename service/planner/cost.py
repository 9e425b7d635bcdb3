"""What an operation costs: counted once for each plan, before anything runs, and the same for every caller.

Whatever type an object may turn out to be of, the dearest counts, so that what a caller may not see costs no less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode

from service.errors import BadUserInput
from service.planner.inputs import Arguments, Input, Trace
from service.planner.prices import FREE, Price, Prices
from service.planner.selection import Collector
from service.planner.sql import Values

LEAST = 1
MOST = 2**31 - 1
"""The largest Int of GraphQL. What would cost more is said to cost this."""

UNCHARGED = ("viewer", "service", "__typename")


class Measure(NamedTuple):
    """The cost of a part of an operation, and the path of what weighs most in it, which has so much of it."""

    cost: int = 0
    most: int = 0
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, weight: int, *path: str) -> Measure:
        """The measure of a field alone."""
        return cls(weight, weight, path)

    def plus(self, other: Measure) -> Measure:
        heavier = self if self.most >= other.most else other
        return Measure(self.cost + other.cost, heavier.most, heavier.path)

    def times(self, number: int) -> Measure:
        return Measure(self.cost * number, self.most * number, self.path)

    def under(self, key: str) -> Measure:
        return Measure(self.cost, self.most, (key, *self.path))


class Item(NamedTuple):
    """One object of a field: its type's weight, and what is selected of it."""

    weight: int
    selected: Measure


class Listed(NamedTuple):
    """An argument that is a list, and what each item of it costs."""

    name: str
    source: Input
    item: Measure

    def length(self, variables: Values) -> int:
        """How many items one call gives. Raises BadUserInput for null, which validation lets a default stand for."""
        given = self.source.read(variables)
        if given is None:
            raise BadUserInput(f"The argument '{self.name}' must not be null.")
        return len(given)


NOTHING = Measure()
NO_ITEM = Item(0, NOTHING)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a plan's calls: what is `known`, and for each list of which only a call knows the length, an item."""

    charged: bool
    known: Measure
    lists: tuple[Listed, ...]

    def lengths(self, variables: Values) -> tuple[int, ...]:
        """How many items the lists of one call have."""
        return tuple(listed.length(variables) for listed in self.lists)

    def of(self, lengths: tuple[int, ...]) -> int:
        """The cost of a call with lists of these lengths."""
        return max(LEAST, min(self._measure(lengths).cost, MOST)) if self.charged else 0

    def heaviest(self, lengths: tuple[int, ...]) -> str:
        """The path of the field that weighs most in such a call, without what is selected of its objects."""
        return ".".join(self._measure(lengths).path)

    def _measure(self, lengths: tuple[int, ...]) -> Measure:
        whole = self.known
        for listed, length in zip(self.lists, lengths, strict=True):
            whole = whole.plus(listed.item.times(length))
        return whole


class Sizes(NamedTuple):
    """The fields of an object that are as long as it says, and how long that is."""

    fields: tuple[str, ...] = ()
    length: int = 1


class Meter:
    """Counts one operation's cost. What is selected alike of one type is counted once, however often it is spread."""

    def __init__(self, prices: Prices, collector: Collector, trace: Trace) -> None:
        self._prices = prices
        self._collector = collector
        self._trace = trace
        self._counted: dict[object, Measure] = {}

    def operation(self, root: GraphQLObjectType, definition: OperationDefinitionNode) -> Cost:
        """The cost of an operation on the root type."""
        fields = self._collector.fields(root, [definition.selection_set])
        known = NOTHING
        lists: list[Listed] = []
        for key, nodes in fields.items():
            price = self._price(root, nodes)
            if price.counted:
                arguments = self._arguments(price, root, nodes)
                item = self._item(price, nodes, Sizes())
                known = known.plus(Measure.of(self._own(price, arguments), key))
                each = Measure.of(item.weight).plus(item.selected).under(key)
                lists.append(Listed(price.counted, arguments[price.counted], each))
            else:
                known = known.plus(self._field(root, key, nodes, Sizes()))
        charged = not fields or any(nodes[0].name.value not in UNCHARGED for nodes in fields.values())
        return Cost(charged, known, tuple(lists))

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], sizes: Sizes) -> Measure:
        """The cost of one field of one object, which says how long some of its fields are."""
        price = self._price(parent, nodes)
        if price is FREE:
            return NOTHING
        arguments = self._arguments(price, parent, nodes)
        length = self._length(price, arguments)
        item = self._item(price, nodes, Sizes(price.sized, length))
        if nodes[0].name.value in sizes.fields:
            length = sizes.length
        elif price.sized:
            length = 1
        alone = Measure.of(self._own(price, arguments) + item.weight * length, key)
        return alone.plus(item.selected.times(length).under(key))

    def _item(self, price: Price, nodes: list[FieldNode], sizes: Sizes) -> Item:
        """One object of a field: of the type that costs most."""
        items = [Item(weight, self._selected(type_, nodes, sizes)) for type_, weight in price.types]
        return max(items, key=lambda item: item.weight + item.selected.cost, default=NO_ITEM)

    def _selected(self, type_: GraphQLObjectType, nodes: Iterable[FieldNode], sizes: Sizes) -> Measure:
        sets = [node.selection_set for node in nodes if node.selection_set]
        known_by = (type_.name, sizes, *map(id, sets))
        counted = self._counted.get(known_by)
        if counted is None:
            counted = NOTHING
            for key, merged in self._collector.fields(type_, sets).items():
                counted = counted.plus(self._field(type_, key, merged, sizes))
            self._counted[known_by] = counted
        return counted

    def _own(self, price: Price, arguments: Arguments) -> int:
        """The weight of the field itself, and of the arguments that ask for something."""
        return price.weight + sum(weight for path, weight in price.arguments if self._trace.asks(arguments.at(path)))

    def _length(self, price: Price, arguments: Arguments) -> int:
        """How many objects there are: as many as an argument says, else as many as is assumed."""
        given = (name for name in price.slicing if arguments.given(name))
        return next((max(0, arguments.literal(name)) for name in given), price.assumed)

    def _price(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Price:
        return self._prices[parent.name].get(nodes[0].name.value, FREE)

    def _arguments(self, price: Price, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Arguments:
        """The field's arguments; none where the price does not depend on them."""
        if not (price.arguments or price.slicing or price.counted):
            return Arguments({}, {}, self._trace)
        given = {argument.name.value: argument.value for argument in nodes[0].arguments or ()}
        return Arguments(parent.fields[nodes[0].name.value].args, given, self._trace)
