from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLFloat

from schema import schema
from service.documents import read_registered
from service.errors import ApiError, BadRequest, BadUserInput
from service.planner import Planner
from service.rest.parameters import Parameter, Parameters, pairs_of
from service.rest.variables import parameters_of

PLANNER = Planner(schema)
ROUTED = {each.name: each for each in read_registered(PLANNER) if each.route}


def parameters(name: str) -> Parameters:
    return Parameters(parameters_of(ROUTED[name], PLANNER.schema))


STORIES, ARTICLES, COMPARE = parameters("ListStories"), parameters("ListArticles"), parameters("CompareOutlets")
STORY_ARTICLES = parameters("ListStoryArticles")


def read(query: str, of: Parameters = STORIES, **path: str) -> dict[str, Any]:
    return of.read(path, pairs_of(query.encode()))


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("", {}),
        ("first=7&minOutlets=-2", {"first": 7, "minOutlets": -2}),
        ("first=2147483647", {"first": 2**31 - 1}),
        ("total=true", {"total": True}),
        ("total=false", {"total": False}),
        ("sort=TRENDING&blindspot=LEFT", {"sort": "TRENDING", "blindspot": "LEFT"}),
        ("topics=a", {"topics": ["a"]}),
        ("topics=a,b", {"topics": ["a", "b"]}),
        ("topics=a%2Cb", {"topics": ["a", "b"]}),
        ("topics=a&topics=b,c", {"topics": ["a", "b", "c"]}),
        ("search=caf%C3%A9+au+lait%2C+please", {"search": "café au lait, please"}),
        ("updatedAfter=2026-03-01T12:00:00Z", {"updatedAfter": "2026-03-01T12:00:00Z"}),
        ("updatedAfter=2026-03-01T12:00:00%2B02:00", {"updatedAfter": "2026-03-01T12:00:00+02:00"}),
        ("updatedAfter=2026-03-01T12:00:00+02:00", {"updatedAfter": "2026-03-01T12:00:00+02:00"}),
        ("&&first=1&", {"first": 1}),
    ],
)
def test_values_are_read_by_the_types_of_variables(query: str, variables: dict[str, Any]) -> None:
    otherwise = {each.name: each.default for each in STORIES.listed}
    assert read(query) == {**otherwise, **variables}
    assert (otherwise["first"], otherwise["sort"], otherwise["topics"]) == (20, "LATEST", None)


def test_a_path_gives_variables_too() -> None:
    found = read("sides=LEFT,CENTER", STORY_ARTICLES, slug="a b")
    assert (found["slug"], found["sides"], found["bias"]) == ("a b", ["LEFT", "CENTER"], None)


@pytest.mark.parametrize(
    ("query", "parameter", "told"),
    [
        ("frist=1", "frist", "There is no parameter 'frist' here. There are: topics, places"),
        ("slug=x", "slug", "There is no parameter 'slug'"),
        ("=x", "", "There is no parameter ''"),
        (f"{'x' * 90}=1", f"{'x' * 60}…", f"There is no parameter '{'x' * 60}…' here."),
        ("first=1&first=1", "first", "is given twice"),
        ("first=", "first", "is empty"),
        ("first", "first", "is empty"),
        ("first=1.0", "first", "must be a whole number"),
        ("first=%EF%BC%91", "first", "must be a whole number"),
        ("first=1e3", "first", "must be a whole number"),
        ("first=+1", "first", "must be a whole number"),
        ("first=2147483648", "first", "must be a whole number of at most 32 bits"),
        ("first=99999999999999999999", "first", "must be a whole number of at most 32 bits"),
        ("total=1", "total", "must be true or false"),
        ("total=True", "total", "must be true or false"),
        ("sort=latest", "sort", "must be one of LATEST, NEWEST"),
        ("topics=", "topics", "is empty"),
        ("topics=a,", "topics", "is empty"),
        ("countries=US,us", "countries", 'cannot be used: A CountryCode is two capital letters, for example "US".'),
        ("updatedBefore=2026-03-01", "updatedBefore", "A DateTime is RFC 3339"),
        ("updatedBefore=2026-02-30T00:00:00Z", "updatedBefore", "There is no such date and time."),
        ("search=a%00b", "search", "holds a NUL character"),
        ("topics=" + "a," * 5_000 + "a", "topics", "has 5,001 values, where 5,000 are the most"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_name_of_the_parameter(query: str, parameter: str, told: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        read(query)
    assert told in refused.value.message
    assert refused.value.extensions == {"parameter": parameter}


def test_a_number_is_read_too() -> None:
    parameter = Parameter("share", GraphQLFloat)
    assert [parameter.read([text]) for text in ("0.5", "-1", "12")] == [0.5, -1.0, 12.0]
    for text in ("", "nan", "inf", "1e999", ".5", "0x1", "1_0"):
        with pytest.raises(BadUserInput):
            parameter.read([text])


def test_what_has_to_be_given_is_required() -> None:
    with pytest.raises(BadUserInput) as refused:
        read("outlets=a,b", COMPARE)
    assert refused.value.message == "The parameter 'publishedAfter' is required."
    with pytest.raises(BadUserInput):
        read("publishedAfter=2026-03-01T12:00:00Z", COMPARE)


@pytest.mark.parametrize("query", [b"first=%ff", b"first=\xff", b"search=%ed%a0%80", b"&".join([b"topics=a"] * 201)])
def test_a_query_string_that_is_none_is_refused(query: bytes) -> None:
    with pytest.raises(BadRequest):
        pairs_of(query)


def test_a_parameter_is_described_by_what_it_is_given_to() -> None:
    told = {each.name: each for each in STORIES.listed}
    assert told["topics"].description == "Topic slugs; a topic includes those under it."
    assert told["updatedAfter"].description.startswith("When anything about the story last changed. Where it begins")
    assert told["total"].description == "Whether the answer has `total`: How many items there are on all pages."
    assert told["first"].paged
    assert not told["minOutlets"].paged
    assert (told["sort"].default, told["sort"].required) == ("LATEST", False)
    assert {each.name: each.feature for each in ARTICLES.listed if each.feature} == {
        "factuality": "FACTUALITY",
        "ownership": "OWNERSHIP",
    }


def test_every_parameter_of_every_document_is_described() -> None:
    for name in ROUTED:
        for each in parameters(name).listed:
            assert each.description, (name, each.name)
            assert each.argument or each.name == "total"


@pytest.mark.parametrize(
    ("of", "message", "told", "parameter"),
    [
        (STORIES, "'first' is at most 100.", "'first' is at most 100.", "first"),
        (STORIES, "This sort needs `filter.search`.", "This sort needs 'search'.", "search"),
        (COMPARE, "'domains' must name 2 to 10.", "'outlets' must name 2 to 10.", "outlets"),
        (
            COMPARE,
            "'published.after' must be before 'published.before'.",
            "'publishedAfter' must be before 'publishedBefore'.",
            "publishedAfter",
        ),
        (
            parameters("GetCoverage"),
            "'filter.published.after' must be before 'filter.published.before'.",
            "'publishedAfter' must be before 'publishedBefore'.",
            "publishedAfter",
        ),
        (COMPARE, "'published' is too long.", "'published' is too long.", "publishedAfter"),
        (STORIES, "'toString' and 'x' are not.", "'toString' and 'x' are not.", None),
    ],
)
def test_errors_about_arguments_name_the_parameters(of: Parameters, message: str, told: str, parameter: Any) -> None:
    error: ApiError = BadUserInput(message)
    of.name_in(error)
    assert (error.message, error.extensions.get("parameter")) == (told, parameter)
