from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from schema.binding import Key, Order
from service.errors import BadUserInput
from service.planner.cursors import binding, position
from service.planner.inputs import Constant, Variable
from service.planner.sql import Parameter, Sql

ORDER = Order((Key("{bias}", "bias", nullable=True), Key("{id}", "bigint")))


def only(sql: Sql) -> Parameter:
    (part,) = sql.parts
    assert isinstance(part, Parameter)
    return part


def cursor(bound_to: str, parent: str, keys: str) -> str:
    payload = f"{bound_to}:{parent}:{keys}"
    checked = hashlib.md5(payload.encode(), usedforsecurity=False).hexdigest()[:8] + payload
    return base64.urlsafe_b64encode(checked.encode()).decode().rstrip("=")


def read(given: str, bound_to: Sql) -> list[Any]:
    found = position(Variable(("after",)), "after", ORDER, bound_to)
    return [only(sql).read({"after": given}) for sql in (found.parent, *found.keys)]


def test_a_cursor_is_read_by_the_types_of_its_keys() -> None:
    bound_to = binding("Query.outlets", "NAME")
    own = only(bound_to).read({})
    assert read(cursor(own, "7", '["LEFT",3]'), bound_to) == ["7", "LEFT", 3]
    assert read(cursor(own, "", "[null,3]"), bound_to) == ["", None, 3]
    for keys in ('["LEFT",null]', '["UP",3]', '["LEFT",3,4]', '["LEFT","3"]', '["LEFT",true]', "{}", "3"):
        with pytest.raises(BadUserInput, match="not a cursor of this list"):
            read(cursor(own, "", keys), bound_to)


def test_a_binding_is_of_field_sort_and_filter() -> None:
    filters: list[Any] = [None, {"a": 1}, {"a": 2}, {"b": 1}, {"a": [1]}, {"a": "1"}, {"a": True}]
    digests = [only(binding("F", "S", Constant(each))).read({}) for each in filters]
    digests += [only(binding("G", "S", Constant(None))).read({}), only(binding("F", "T", Constant(None))).read({})]
    assert len(set(digests)) == len(digests)


def test_a_binding_is_the_same_for_the_same_filter_in_another_order_or_with_nulls() -> None:
    one = only(binding("F", Constant({"a": 1, "b": {"c": 2}}))).read({})
    assert only(binding("F", Constant({"b": {"d": None, "c": 2}, "x": None, "a": 1}))).read({}) == one
    assert only(binding("F", Variable(("f",)))).read({"f": {"a": 1, "b": {"c": 2}}}) == one
