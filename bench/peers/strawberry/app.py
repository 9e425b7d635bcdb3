"""Serves the types by Strawberry's ASGI application, on uvicorn as the service is. Run as a program, it serves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import strawberry
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from bench.peers.strawberry.loaders import Loaders
from bench.peers.strawberry.types import Article, Outlet, Query, Story, Topic
from bench.serving import pool, serve

MAKE = {"article": Article, "outlet": Outlet, "story": Story, "topic": Topic}


class Endpoint(GraphQL[Any, Any]):
    """Reads and writes JSON by orjson, as the service does."""

    pool: Any

    async def get_context(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - Strawberry's own signature
        return {"pool": self.pool, "loaders": Loaders(self.pool, MAKE)}

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def application() -> Starlette:
    """The endpoint at /graphql, with a pool of the floor's size and settings."""
    schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
    endpoint = Endpoint(schema, graphql_ide=None)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with pool() as endpoint.pool:
            yield

    app = Starlette(lifespan=lifespan)
    app.add_route("/graphql", endpoint)  # pyright: ignore[reportArgumentType]  # an ASGI application is one
    return app


if __name__ == "__main__":
    serve(application(), log_level="warning")
