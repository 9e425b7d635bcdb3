"""What is only read, and tells its errors as problems: which methods it answers."""

from __future__ import annotations

from starlette.types import Scope, Send

from service.errors import MethodNotAllowed
from service.http.kept import READING
from service.http.problems import as_problem
from service.http.responses import send_options
from service.http.shortcuts import Header

ALLOWED = "GET, HEAD, OPTIONS"
_ALLOW: Header = (b"allow", ALLOWED.encode())


async def answers_options(scope: Scope, send: Send) -> bool:
    """Whether a request was answered by which methods there are. Raises MethodNotAllowed.

    From here on errors are told as problems.
    """
    scope["refusing"] = as_problem
    if scope["method"] == "OPTIONS":
        await send_options(send, _ALLOW)
        return True
    if scope["method"] not in READING:
        raise MethodNotAllowed("This is only read: use GET.", allow=ALLOWED)
    return False
