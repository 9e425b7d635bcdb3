from __future__ import annotations

import pytest
from graphql import Lexer, Source, TokenKind
from hypothesis import given
from hypothesis import strategies as st

from schema import sdl
from service.planner.tokens import end_of, too_much_string

PIECES = (
    *("a", "_b1", "12", "-1.5e3", '"s"', '""', '"a\\"b\\\\"', '"""block "" \\""" \\ """', '""""""'),
    *("{", "}", "(", ")", "[", "]", ":", "=", "!", "$", "@", "&", "|", "..."),
    *("# a comment\n", "\ufeff", ",", "\r\n", "\t", '"""two\nlines"""', '"#"'),
)


def ends(text: str) -> list[int]:
    """Where the tokens of a text end, as the parser takes them."""
    lexer, found = Lexer(Source(text)), list[int]()
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        found.append(token.end)
    return found


@given(st.lists(st.sampled_from(PIECES)))
def test_tokens_end_where_they_do_for_the_parser(pieces: list[str]) -> None:
    text = " ".join(pieces)
    known = ends(text)
    assert [end_of(text, number) for number in range(1, len(known) + 2)] == [*known, None]


def test_a_large_text_is_counted_to_its_end() -> None:
    known = ends(sdl())
    assert end_of(sdl(), len(known)) == known[-1]
    assert end_of(sdl(), len(known) + 1) is None


@pytest.mark.parametrize(
    "text",
    ['"' * 90_001, '"""' + '\\"""' * 20_000, '"' + "\\" * 90_000, '"\n' * 45_000, '"""' + '"' * 90_000, "#" * 90_000],
)
def test_a_text_that_is_no_document_takes_no_longer(text: str) -> None:
    """It ends at all: what does not close is not looked for again and again."""
    end_of(text, 1_001)


@given(st.lists(st.sampled_from(PIECES)), st.integers(0, 30))
def test_the_string_is_found_with_which_there_is_too_much_of_them(pieces: list[str], most: int) -> None:
    text, size, start = " ".join(pieces), 0, None
    lexer = Lexer(Source(text))
    while start is None and (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING):
            size += token.end - token.start
            start = token.start if size > most else None
    assert too_much_string(text, most) == (start if len(text) > most else None)


def test_a_large_text_without_strings_has_not_too_much_of_them() -> None:
    assert too_much_string("{ a }" + " " * 100, 10) is None
    assert too_much_string("#" + '"' * 100, 10) is None
