"""Our walk finds what graphql-core's own finds: the same errors, at the same places, in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterable

import graphql
import pytest
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, specified_rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import schema
from service.documents.registered import FOLDER
from service.planner import Planner
from service.planner.document import _RULES_OF_WHOLES  # pyright: ignore[reportPrivateUsage]
from service.planner.validation import EVERYTHING, OPERATIONS, validate
from tests.unit.planner.test_document import BROKEN

SCHEMA = Planner(schema).schema
RULES = tuple(specified_rules)
VALID = tuple(re.sub("#.*", "", file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.graphql")))
WORD = re.compile(r'\.\.\.|\w+|"[^"]*"|[^\w\s]')
WRONG = ("nope", "id", "first", "null", '"x"', "7", "Story", "stories", "skip", "a")
MANY = """
    query A($a: ID, $a: Nope, $b: Int = "x") { story { title(x: 1) @skip ...F ...G } stories(first: "x", first: 1) }
    query A { node(id: null) { ... on Nope { id } ...F } }
    fragment F on Story { title ...F nope { x } } fragment F on Int { title }
    fragment U on Story { coverage { articleCount: outletCount articleCount } }
    query D($d: ID = 1 @nope @nope) @skip(if: 1) { stories @skip { nodes { ... @nope @nope { title @skip(if: $d) } } } }
    type Extra @nope @nope { name: String }
    extend type Story { nope(a: Int = "x" @skip): Nope }
"""


def told(errors: Iterable[GraphQLError]) -> list[tuple[str, list[tuple[int, int]]]]:
    return [(each.message, [(at.line, at.column) for at in each.locations or ()]) for each in errors]


def check(document: DocumentNode, most: int = 10) -> int:
    """How many findings both have."""
    ours = told(validate(SCHEMA, document, RULES, EVERYTHING, most=most, hide_suggestions=False))
    assert ours == told(graphql.validate(SCHEMA, document, RULES, max_errors=most))
    wholes = told(validate(SCHEMA, document, _RULES_OF_WHOLES, OPERATIONS, most=most, hide_suggestions=True))
    assert wholes == told(graphql.validate(SCHEMA, document, _RULES_OF_WHOLES, max_errors=most, hide_suggestions=True))
    return len(ours)


@pytest.mark.parametrize("text", BROKEN)
def test_of_a_document_that_is_broken(text: str) -> None:
    assert check(graphql.parse(text))


@pytest.mark.parametrize("most", [1, 5, 10, 100])
def test_of_a_document_with_many_faults(most: int) -> None:
    assert check(graphql.parse(MANY), most) > min(most, 15)


@given(data=st.data(), document=st.sampled_from((*VALID, MANY)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
def test_of_documents_with_a_few_words_exchanged(data: st.DataObject, document: str) -> None:
    words = WORD.findall(document)
    names = [at for at, word in enumerate(words) if word.isidentifier()]
    for at in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)):
        words[at] = data.draw(st.sampled_from((*WRONG, words[data.draw(st.sampled_from(names))])))
    try:
        parsed = graphql.parse(" ".join(words))
    except GraphQLSyntaxError:
        return
    check(parsed)
