"""A body of a given size from memory, by the same server with the same settings as the service's."""

from __future__ import annotations

import sys
from typing import Any

from bench.serving import serve


class Static:
    """Reads a request and answers with `size` bytes, whatever it was."""

    def __init__(self, size: int) -> None:
        self._body = b"x" * size
        self._headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


if __name__ == "__main__":
    serve(Static(int(sys.argv[1])), proxy_headers=False, lifespan="off", log_config=None, server_header=False)
