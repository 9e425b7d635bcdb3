"""What the Python programs beside the service are served with: uvicorn as the service has it, and a pool."""

from __future__ import annotations

import os
from typing import Any

import asyncpg
import uvicorn


class _Unreset(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument]  # generic in the stubs only
    """Goes back to the pool without a round trip, as the service's own connections do."""

    def get_reset_query(self) -> str:
        return ""


def pool() -> Any:
    """A pool of `PARALLAX_POOL_SIZE` connections, 16 where that says nothing; opened when it is awaited or entered."""
    connections = int(os.environ.get("PARALLAX_POOL_SIZE", "16"))
    return asyncpg.create_pool(
        os.environ["PARALLAX_DATABASE_URL"],
        min_size=connections,
        max_size=connections,
        connection_class=_Unreset,
        server_settings={"timezone": "UTC", "jit": "off"},
    )


def serve(app: Any, **settings: Any) -> None:
    """Serves until it is told to stop."""
    uvicorn.run(
        app,
        port=int(os.environ["PARALLAX_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        **settings,
    )
