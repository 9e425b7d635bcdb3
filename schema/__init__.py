"""What the API says. The one door to it for service/."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.coverage import RULE_VERSION
from schema.query import Query
from schema.scalars import SCALARS

__all__ = ["RULE_VERSION", "schema", "sdl"]

schema = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))


def sdl() -> str:
    """The schema in GraphQL's schema definition language, ending in a newline."""
    return schema.as_str().rstrip("\n") + "\n"
