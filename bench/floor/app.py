"""The floor: each query as one hand-written statement, behind a bare ASGI application. Run as a program, it serves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvicorn

HEADERS = [(b"content-type", b"application/json")]
STATEMENTS = {f"/{path.stem}": path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.sql")}


class Floor:
    """Answers `POST /q1` to `/q6`, with the variables of a GraphQL request's body."""

    _pool: asyncpg.Pool[asyncpg.Record]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        slugs = orjson.loads(body)["variables"].values()
        conn = await self._pool.acquire()
        try:
            data: str = await conn.fetchval(STATEMENTS[scope["path"]], *slugs)
        finally:
            await self._pool.release(conn)
        answer = b'{"data":' + data.encode() + b"}"
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        connections = int(os.environ.get("PARALLAX_POOL_SIZE", "16"))
        self._pool = await asyncpg.create_pool(
            os.environ["PARALLAX_DATABASE_URL"],
            min_size=connections,
            max_size=connections,
            connection_class=_Unreset,
            server_settings={"timezone": "UTC", "jit": "off"},
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Unreset(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument]  # generic in the stubs only
    """Goes back to the pool without a round trip, as the service's own connections do."""

    def get_reset_query(self) -> str:
        return ""


if __name__ == "__main__":
    uvicorn.run(
        Floor(),
        port=int(os.environ["PARALLAX_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
    )
