"""A key leaves no trace: not in what is logged, not in Redis, not in Postgres, not in an answer, good or bad."""

from __future__ import annotations

from typing import Any

import asyncpg

from service.access.keys import digest_of, new_key
from service.events import Event
from service.redis import SharedRedis
from tests.acceptance.channels import QUERIES, Asked
from tests.acceptance.conftest import Serve
from tests.acceptance.keyed import add_key, bearer
from tests.access_keys import PEPPER
from tests.redis_servers import URL, needs_redis, own_prefix

READ_BY = {"string": ("GET",), "hash": ("HGETALL",), "zset": ("ZRANGE", "0", "-1"), "set": ("SMEMBERS",)}
ASKED = (
    Asked("{ stories { nodes { title perspectives { __typename } } } }"),
    Asked("{ viewer { apiKey { name } rateLimit { remaining } } }"),
    Asked("{ nope }"),
    Asked("{"),
    Asked("{ stories(first: -1) { nodes { id } } }"),
)


async def kept_in(redis: SharedRedis, prefix: str) -> list[str]:
    """All names and values under a prefix."""
    kept: list[str] = []
    for name in await redis.run("KEYS", f"{prefix}*"):
        command = READ_BY[str(await redis.run("TYPE", name), "ascii")]
        kept += [str(name), str(await redis.run(command[0], name, *command[1:]))]
    return kept


@needs_redis
async def test_a_key_leaves_no_trace(serve: Serve, empty_database: str) -> None:
    conn: asyncpg.Connection[Any] = await asyncpg.connect(empty_database)
    keys = [await add_key(conn, "vantage"), new_key()]
    seen: list[Event] = []
    texts: list[str] = []
    async with own_prefix() as prefix, SharedRedis(URL) as redis:
        settings = {"key_pepper": PEPPER, "redis_url": URL, "redis_prefix": prefix}
        async with serve(empty_database, seen.append, **settings) as client:
            for asked in ASKED:
                texts += [(await channel(client, keys[0], asked)).text for channel in QUERIES]
                texts.append((await client.post("/graphql", json=asked.body, headers=bearer(keys[1]))).text)
            texts.append((await client.get("/graphql", params={"query": "{ __typename }", "key": keys[0]})).text)
            kept = await kept_in(redis, prefix)
            statements = await conn.fetch("select query from pg_stat_activity")
        kept += await kept_in(redis, prefix)
        assert kept
    await conn.close()
    for text in (*map(repr, seen), *texts, *kept, *map(str, statements)):
        for key in keys:
            assert key[12:-6] not in text
            assert digest_of(key, PEPPER.encode()).hex() not in text
