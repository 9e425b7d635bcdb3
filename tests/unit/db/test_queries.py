from __future__ import annotations

from service.db.queries import QUERIES, named_statements


def test_statements_are_found_by_their_names() -> None:
    text = "-- what the file is\n\n-- name: one\n-- its purpose\nselect 1;\n\n-- name: two\nselect\n    2;\n"
    assert named_statements(text) == {"one": "-- its purpose\nselect 1", "two": "select\n    2"}


def test_every_statement_says_what_it_is_for() -> None:
    assert all(statement.startswith("-- ") for statement in QUERIES.values())
