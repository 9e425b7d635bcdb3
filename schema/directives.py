"""The directives that tell clients what is withheld and what an operation will cost."""

from __future__ import annotations

import strawberry
from strawberry.schema_directive import Location

from schema.vocabulary import Feature


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="requiresFeature",
    description=(
        "The field is withheld, in every form (value, filter, sort, aggregate), from callers whose tier lacks\n"
        "the feature. Which tier has which feature is configuration, not schema."
    ),
)
class RequiresFeature:
    feature: Feature


@strawberry.schema_directive(
    locations=[
        Location.ARGUMENT_DEFINITION,
        Location.ENUM,
        Location.FIELD_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.OBJECT,
        Location.SCALAR,
    ],
    name="cost",
    description="The estimated price of resolving the field once. (GraphQL Cost Directives specification.)",
)
class Cost:
    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many items the list can hold. (GraphQL Cost Directives specification.)",
)
class ListSize:
    assumed_size: int | None = strawberry.UNSET
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET
    require_one_slicing_argument: bool | None = strawberry.directive_field(
        name="requireOneSlicingArgument", default=True
    )


def weighs(weight: int) -> tuple[Cost, ...]:
    """The price of a field, of an argument that is given, or of one object of a type."""
    return (Cost(weight=str(weight)),)


def about(length: int) -> tuple[ListSize, ...]:
    """A list of which only the usual length is known."""
    return (ListSize(assumed_size=length, require_one_slicing_argument=strawberry.UNSET),)


def as_long_as(argument: str, *fields: str) -> tuple[ListSize, ...]:
    """A list that is as long as an argument says, or as that is where it is a list; or that these fields of it are."""
    sized = list(fields) or strawberry.UNSET
    return (ListSize(slicing_arguments=[argument], sized_fields=sized, require_one_slicing_argument=False),)


FREE = weighs(0)
"""For what is made of a row that is counted already, or known without asking for any."""

PAGED = ListSize(
    assumed_size=20,
    slicing_arguments=["first", "last"],
    sized_fields=["edges", "nodes"],
    require_one_slicing_argument=False,
)

NEEDS_FACTUALITY = (RequiresFeature(feature=Feature.FACTUALITY),)
NEEDS_OWNERSHIP = (RequiresFeature(feature=Feature.OWNERSHIP),)
NEEDS_PERSPECTIVES = (RequiresFeature(feature=Feature.PERSPECTIVES),)
