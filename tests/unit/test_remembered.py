from __future__ import annotations

from service.remembered import Remembered


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    remembered = Remembered[str, int](2)
    remembered.put("a", 1)
    remembered.put("b", 2)
    assert remembered.get("a") == 1
    remembered.put("c", 3)
    assert [remembered.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_put_again_takes_no_room_of_its_own() -> None:
    remembered = Remembered[str, int](2)
    for value in range(10):
        assert remembered.put("a", value) == value
    remembered.put("b", 1)
    assert (remembered.get("a"), remembered.get("b")) == (9, 1)


def test_all_can_be_forgotten() -> None:
    remembered = Remembered[str, int](2)
    remembered.put("a", 1)
    remembered.clear()
    assert remembered.get("a") is None
