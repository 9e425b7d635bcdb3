"""Looks at what Parallax stands on, and says what is wrong and how to mend it. Changes nothing."""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex

import asyncpg

from schema import schema
from service.access.keeping import Keeping
from service.db.migrations import pending
from service.db.queries import QUERIES
from service.db.replicas import DIVERGED, FOREIGN, PRIMARY, TAKES_WRITES, unfitness
from service.db.state import Unreachable, connected, is_empty, place
from service.documents import BrokenDocuments, read_registered
from service.planner import Planner
from service.redis import RedisAway, SharedRedis
from service.settings import PREFIX, Settings

OLDEST, NEWEST = 15, 18
"""The major versions of Postgres that Parallax is tested on, and those between."""

OLDEST_REDIS = 6

MOST_SECONDS_APART = 2.0

LISTENS = 2.0
"""Seconds that are waited for what was told by NOTIFY."""

MENDING = {
    TAKES_WRITES: "Have it follow the primary, or leave it out of PARALLAX_REPLICA_URLS.",
    FOREIGN: "Make it anew from the primary (pg_basebackup).",
    DIVERGED: "Let it catch up, or make it anew (pg_rewind); a user in pg_monitor sees sooner that it follows.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; what was `told` says how to mend it where it is not `well`."""

    subject: str
    well: bool
    told: str


def examine_environment() -> Iterator[Finding]:
    """Finds variables that look like settings and are none."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    ours = [name for name in os.environ if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_")]
    for name in sorted({*ours} - {*known}):
        near = difflib.get_close_matches(name, known, n=1)
        advice = f"did you mean {near[0]}?" if near else "remove it; docs/settings.md names those there are"
        yield Finding("settings", False, f"{name} is no setting: {advice}")
    told = ", ".join(sorted({*ours} & {*known})) or "none"
    yield Finding("settings", True, f"set: {told}")


def examine_documents() -> Iterator[Finding]:
    """Finds registered documents that do not fit the schema, which keep the service from starting."""
    try:
        registered = read_registered(Planner(schema))
    except BrokenDocuments as error:
        yield from (Finding("documents", False, line) for line in str(error).splitlines())
    else:
        yield Finding("documents", True, f"{len(registered)} registered, all of which fit the schema")


async def examine_database(dsn: str) -> list[Finding]:
    """Finds whether Postgres can be reached, is of a known version, up to date and filled, and agrees on the time."""
    try:
        async with connected(dsn) as connection:
            findings = [await _version(dsn, connection), await _clock(connection)]
    except Unreachable as error:
        return [Finding("postgres", False, str(error))]
    missing = await pending(dsn)
    if missing:
        told = f"not yet run: {', '.join(missing)}. Run `parallax migrate`"
        return [*findings, Finding("migrations", False, told)]
    news = "none yet: `parallax demo` or `parallax load FILE`" if await is_empty(dsn) else "there is some to serve"
    return [*findings, Finding("migrations", True, "all have run"), Finding("news", True, news)]


async def examine_keys(dsn: str, pepper: bytes) -> list[Finding]:
    """Finds whether keys are kept by this pepper, and callers without one can spend something."""
    keeping = Keeping(dsn)
    known, foreign = await keeping.peppers(pepper)
    if foreign:
        told = f"{foreign:,} keys that count were made with another PARALLAX_KEY_PEPPER, and are refused: set it again"
        return [Finding("keys", False, f"{told}, or have their holders given new ones")]
    tiers = ", ".join(tier["name"] for tier in await keeping.tiers())
    return [Finding("keys", True, f"{known:,} that count, all kept by this pepper"), Finding("tiers", True, tiers)]


async def examine_feed(dsn: str) -> Finding:
    """Finds whether changes can be heard of there, which no pooler lets through that lends connections for a while."""
    heard, channel = asyncio.Event(), f"parallax_doctor_{token_hex(4)}"

    def hear(*_: object) -> None:
        heard.set()

    try:
        async with connected(dsn) as listening, connected(dsn) as telling:
            await listening.add_listener(channel, hear)
            await telling.execute(f"notify {channel}")
            await asyncio.wait_for(heard.wait(), LISTENS)
    except Unreachable as error:
        return Finding("changes", False, str(error))
    except TimeoutError:
        told = f"LISTEN does not pass through to {place(dsn)}, so changes are heard of a second late at best"
        advice = "set PARALLAX_FEED_DATABASE_URL to the same Postgres without the pooler between"
        return Finding("changes", False, f"{told}: {advice}")
    return Finding("changes", True, f"are heard of at {place(dsn)}")


async def examine_replicas(dsn: str, replicas: Sequence[str], most_behind: float) -> list[Finding]:
    """Finds whether each replica follows the primary, and gets within so many seconds what that has now."""
    async with connected(dsn) as conn:
        primary = await conn.fetchrow(QUERIES["changes_since"], None, None)
    assert primary is not None
    return await asyncio.gather(*(_replica(replica, primary, most_behind) for replica in replicas))


async def _replica(dsn: str, primary: asyncpg.Record, most_behind: float) -> Finding:
    where, started = place(dsn), time.perf_counter()
    try:
        async with connected(dsn) as conn:
            while (took := time.perf_counter() - started) <= most_behind:
                state = await conn.fetchrow(QUERIES["replica_state"])
                assert state is not None
                reason = unfitness(state, primary["identity"], primary["timeline"])
                if reason == PRIMARY:
                    return Finding("replicas", True, f"{where} is the primary now, and not read as a replica")
                if reason:
                    return Finding("replicas", False, f"{where} is not read: {reason} {MENDING[reason]}")
                if state["replayed"] >= primary["written"]:
                    return Finding("replicas", True, f"{where} had all that the primary had {took:.1f} s before")
                await asyncio.sleep(0.1)
    except Unreachable as error:
        return Finding("replicas", False, str(error))
    advice = "look at its log, and on the primary at pg_stat_replication"
    return Finding("replicas", False, f"{where} is more than {most_behind:g} s behind, and not read: {advice}")


async def examine_redis(url: str) -> Finding:
    """Finds whether Redis can be reached and is of a known version."""
    try:
        async with SharedRedis(url) as redis:
            started = time.perf_counter()
            version = _version_in(await redis.run("EVAL", "return redis.call('INFO', 'server')", 0))
            latency = (time.perf_counter() - started) * 1_000
    except ValueError as error:
        return Finding("redis", False, f"PARALLAX_REDIS_URL will not do: {error}")
    except RedisAway as error:
        reason = str(error.__cause__) or "no answer in time"
        told = f"cannot be used: {reason}. Until it can, each process keeps what it knows to itself"
        return Finding("redis", False, told)
    if int(version.partition(".")[0]) < OLDEST_REDIS:
        return Finding("redis", False, f"is version {version}: use {OLDEST_REDIS} or newer")
    return Finding("redis", True, f"version {version}, answers in {latency:.1f} ms")


def _version_in(info: bytes) -> str:
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines())
    return next((value for name, _, value in lines if name == "redis_version"), "0")


async def _version(dsn: str, connection: asyncpg.Connection[asyncpg.Record]) -> Finding:
    started = time.perf_counter()
    version = await connection.fetchval("show server_version")
    latency = (time.perf_counter() - started) * 1_000
    major = connection.get_server_version().major
    if not OLDEST <= major <= NEWEST:
        return Finding("postgres", False, f"{place(dsn)} is version {version}: use one of {OLDEST} to {NEWEST}")
    return Finding("postgres", True, f"{place(dsn)}, version {version}, answers in {latency:.1f} ms")


async def _clock(connection: asyncpg.Connection[asyncpg.Record]) -> Finding:
    before = datetime.now(UTC)
    theirs: datetime = await connection.fetchval("select clock_timestamp()")
    after = datetime.now(UTC)
    apart = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0)
    if apart > MOST_SECONDS_APART:
        return Finding(
            "clock", False, f"{apart:.0f} s from that of Postgres: have both machines set their clocks by NTP"
        )
    return Finding("clock", True, "agrees with that of Postgres")
