"""What state a database is in: whether it can be reached, and whether anything is in it. Knows nothing of serving."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from service.setting_types import addresses_of

EMPTY = """
select not exists (select from stories)
   and not exists (select from outlets)
   and not exists (select from topics)
   and not exists (select from places)
"""

PATIENCE = 10
"""Seconds to wait for a connection."""


class Unreachable(Exception):
    """No connection to the database can be made; the message says why and what would help, and holds no password."""


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    """A connection of its own; raises Unreachable where none can be made."""
    try:
        # A pooler between may give statements that are prepared here to others.
        connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn, timeout=PATIENCE, statement_cache_size=0)
    except asyncpg.InvalidCatalogNameError as error:
        raise Unreachable(f"{place(dsn)} says: {error}. Create it, for example with createdb.") from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise Unreachable(f"{place(dsn)} says: {error}. Check user and password.") from error
    except TimeoutError as error:
        raise Unreachable(f"{place(dsn)} did not answer within {PATIENCE} seconds. Check host and port.") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(f"{place(dsn)} cannot be reached: {error}. Check that it runs, and its URL.") from error
    try:
        yield connection
    finally:
        await connection.close()


async def reach(dsn: str) -> None:
    """Raises Unreachable where no connection can be made."""
    async with connected(dsn):
        pass


async def is_empty(dsn: str) -> bool:
    """Whether a migrated database holds no news yet."""
    async with connected(dsn) as connection:
        return await connection.fetchval(EMPTY)


def place(dsn: str) -> str:
    """Where a DSN leads to, without user and password."""
    (first, port), *others = addresses_of(dsn)
    hosts = [first, *parse_qs(urlsplit(dsn).query).get("host", [])]
    host = next((unquote(host) for host in hosts if host), "localhost")
    places = [(host, port), *others]
    return "Postgres at " + " or ".join(f"{host}:{port}" if port else host for host, port in places)
