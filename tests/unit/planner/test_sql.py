import pytest

from service.planner.sql import Sql, compose, identifier, join, literal, parameter, render, render_together, text


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("a", "'a'"), ("it's", "'it''s'"), ("", "''"), ("a\\b", "E'a\\\\b'"), ("\\'", "E'\\\\'''"), ("{a}", "'{a}'")],
)
def test_a_literal_is_quoted(value: str, quoted: str) -> None:
    assert literal(value).parts == (quoted,)


def test_text_with_nul_has_no_literal() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


@pytest.mark.parametrize(("name", "quoted"), [("a", '"a"'), ('a"b', '"a""b"'), ("Select", '"Select"')])
def test_an_identifier_is_quoted(name: str, quoted: str) -> None:
    assert identifier(name).parts == (quoted,)


def test_one_parameter_has_one_number_wherever_it_stands() -> None:
    a, b = parameter("text", lambda values: values["a"]), parameter("bigint", lambda values: values["b"])
    statement, parameters = render(join([b, a, b], " "))
    assert statement == "$1::bigint $2::text $1::bigint"
    assert [each.read({"a": 1, "b": 2}) for each in parameters] == [2, 1]


def test_equal_parameters_that_are_two_stay_two() -> None:
    assert render(parameter("text", str) + parameter("text", str))[0] == "$1::text$2::text"


def test_what_stands_for_a_name_is_not_looked_at_again() -> None:
    composed = compose("{a} {b}", lambda name: text(f"<{name}>"), a=text("{b}"))
    assert render(composed)[0] == "{b} <b>"


def test_a_name_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        compose("{a}")


def test_nothing_joined_is_nothing() -> None:
    assert not join([])
    assert join([]) == Sql()
    assert render(join([text("a")], "; "))[0] == "a"


def test_a_statement_for_many_takes_a_list_for_each_parameter() -> None:
    a, b = parameter("text", str), parameter("bigint", str)
    statement = text("select ") + join([b, a, b])
    assert render_together(statement) == (
        "select calls.v1::bigint, calls.v2::text, calls.v1::bigint"
        " from unnest($1::bigint[], $2::text[]) with ordinality calls (v1, v2, number) order by calls.number"
    )


def test_what_takes_lists_or_nothing_has_no_statement_for_many() -> None:
    assert render_together(text("select 1")) is None
    keys = parameter("bigint[]", lambda values: values["keys"])
    assert render_together(text("select ") + join([parameter("text", str), keys])) is None
