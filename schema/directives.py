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


PAGED = ListSize(assumed_size=20, slicing_arguments=["first", "last"], require_one_slicing_argument=False)

NEEDS_FACTUALITY = (RequiresFeature(feature=Feature.FACTUALITY),)
NEEDS_OWNERSHIP = (RequiresFeature(feature=Feature.OWNERSHIP),)
NEEDS_PERSPECTIVES = (RequiresFeature(feature=Feature.PERSPECTIVES),)
