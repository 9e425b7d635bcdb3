"""What the API says. The one door to it for service/."""

from __future__ import annotations

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig

from schema.coverage import RULE_VERSION
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription

__all__ = ["RULE_VERSION", "schema", "sdl"]

schema = strawberry.Schema(query=Query, subscription=Subscription, config=StrawberryConfig(scalar_map=SCALARS))

for _input in schema._schema.type_map.values():  # pyright: ignore[reportPrivateUsage] - it has no public name
    # Strawberry checks oneOf when variables are coerced; graphql-core validates literals too, of types that say so.
    if isinstance(_input, GraphQLInputObjectType) and _input.extensions["strawberry-definition"].is_one_of:
        _input.is_one_of = True


def sdl() -> str:
    """The schema in GraphQL's schema definition language, ending in a newline."""
    return schema.as_str().rstrip("\n") + "\n"
