"""The floor: each query as one hand-written statement, behind a bare ASGI application. Run as a program, it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import orjson

from bench.serving import pool, serve

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
        self._pool = await pool()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    serve(Floor(), log_level="warning")
