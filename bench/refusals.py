"""What refusing bad inputs takes of the processor, and what an honest caller feels while an attacker sends them."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import asyncpg
import click
import httpx
import orjson
import psutil

from bench.driving import Unusable, attack, check_wrk
from bench.freshness import CORPUS, PAGE
from bench.loading import empty_database
from bench.servers import COUNTED, SERVICE, key_without_end, started, used

ATTACKERS = 50
A_MINUTE = "update tiers set cost_per_minute = $1 where name = 'anonymous'"


def _document(text: str, **rest: object) -> bytes:
    return orjson.dumps({"query": text, **rest})


def _many(template: str, number: int) -> str:
    return "".join(template.format(n) for n in range(number))


def _spreads(depth: int) -> str:
    fragments = (f"fragment F{n} on Story {{ ...F{n + 1} ...F{n + 1} }}" for n in range(depth))
    return f"{{ stories {{ nodes {{ ...F0 }} }} }} {' '.join(fragments)} fragment F{depth} on Story {{ id }}"


def _spreads_under_fields(depth: int) -> str:
    fragments = (
        f"fragment F{n} on Story {{ a: related {{ ...F{n + 1} }} b: related {{ ...F{n + 1} }} }}" for n in range(depth)
    )
    return f"{{ stories {{ nodes {{ ...F0 }} }} }} {' '.join(fragments)} fragment F{depth} on Story {{ id }}"


def _all_pages(roots: int) -> str:
    inside = "articles(first: 100) { nodes { outlet { stories(first: 100) { nodes { id } } } } }"
    pages = (f"a{n}: stories(first: 100) {{ nodes {{ {inside} }} }}" for n in range(roots))
    return f"{{ {' '.join(pages)} }}"


BAD = {
    "25 fragments that spread the next twice": _document(_spreads(25)),
    "the same under fields of their own": _document(_spreads_under_fields(25)),
    "1,000 repeats of one composite field": _document("{" + " outlets { nodes { id } }" * 1_000 + "}"),
    "1,000 conflicting arguments": _document(f"{{ {_many(' outlets(first: {}) {{ nodes {{ id }} }}', 1_000)} }}"),
    "120 repeats of a field with a selection": _document("{" + " outlets { nodes { id } }" * 120 + "}"),
    "100 aliases": _document(f"{{ {_many(' a{}: __typename', 100)} }}"),
    "100 aliases in a fragment": _document(f"{{ ...F }} fragment F on Query {{ {_many(' a{}: __typename', 100)} }}"),
    "500 operations": _document(_many(" query A{} {{ __typename }}", 500)),
    "a flood of directives": _document("{ __typename" + " @skip(if: false)" * 190 + "}"),
    "a flood of unknown fields": _document(f"{{ {_many(' f{}', 900)} }}"),
    "first: 100 at every level": _document(_all_pages(1)),
    "that in ten root fields": _document(_all_pages(10)),
    "20,000 comments": _document("#\n" * 20_000 + "{ __typename }"),
    "a string of 90 kB": _document('{ outlet(by: {slug: "' + "x" * 90_000 + '"}) { nope } }'),
    "only fragments": _document(_many(" fragment F{} on Story {{ id }}", 150)),
    "a fragment cycle": _document(
        "{ stories { nodes { ...A } } } fragment A on Story { ...B } fragment B on Story { ...A }"
    ),
    "an unknown fragment": _document("{ stories { nodes { ...Nobody } } }"),
    "introspection, recursive": _document(
        "{ __schema { types " + "{ fields { type " * 8 + "{ name }" + "} }" * 8 + " } }"
    ),
    "brackets that never end": _document("{" * 900),
    "JSON nested 40,000 deep": b"[" * 40_000,
    "an integer of 90,000 digits": b'{"query": "{__typename}", "variables": {"v": ' + b"1" * 90_000 + b"}}",
    "10,000 ids": _document("query($i: [ID!]!) { nodes(ids: $i) { id } }", variables={"i": ["x"] * 10_000}),
    "a search of 10,000 words": _document(
        "query($s: String) { stories(filter: {search: $s}) { nodes { id } } }", variables={"s": "word " * 10_000}
    ),
    "a cursor of 10 kB": _document(
        "query($c: String) { stories(after: $c) { nodes { id } } }", variables={"c": "x" * 10_000}
    ),
    "a document under a wrong hash": _document(
        "{ __typename }", extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one bad input takes: milliseconds of the server's processor each, and the longest that others waited."""

    name: str
    status: int
    processor: float
    stall: float


@dataclass(frozen=True, slots=True)
class Felt:
    """Latencies of an honest caller, in milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """Each bad input by itself, and an honest caller alone and beside an attacker."""

    each: list[Refusal]
    alone: Felt
    attacked: Felt


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=15, show_default=True, help="How long the attack goes on.")
@click.option("--database", required=True, help="A Postgres to make a database on.")
def main(seconds: int, database: str) -> None:
    """Measure what refusals take."""
    try:
        check_wrk()
        print(as_text(asyncio.run(measure_refusals(database, seconds))))
    except Unusable as reason:
        sys.exit(str(reason))


def as_text(refusals: Refusals) -> str:
    """The figures as a table."""
    lines = [f"{'bad input':42} {'status':>6} {'processor':>10} {'others wait':>12}"]
    lines += [f"{r.name:42} {r.status:6} {r.processor:7.2f} ms {r.stall:9.1f} ms" for r in refusals.each]
    alone, attacked = refusals.alone, refusals.attacked
    lines.append(
        f"an honest caller: p50 {alone.p50:.2f} ms, p99 {alone.p99:.2f} ms; while an attacker sends these over "
        f"{ATTACKERS} connections: p50 {attacked.p50:.2f} ms, p99 {attacked.p99:.2f} ms"
    )
    return "\n".join(lines)


async def measure_refusals(server: str, seconds: int, repeats: int = 60) -> Refusals:
    """Each bad input alone, by a caller whose allowance is never spent; then all, by one who has that of anybody."""
    async with empty_database(server) as dsn:
        conn = await asyncpg.connect(dsn)
        await conn.execute(CORPUS)
        key = await key_without_end(dsn)
        usual = await conn.fetchval("select cost_per_minute from tiers where name = 'anonymous'")
        await conn.execute(A_MINUTE, 1_000_000_000)
        async with started(SERVICE, dsn, "/readyz", COUNTED) as (url, process):
            each = [await _alone(url, process, name, body, repeats) for name, body in BAD.items()]
        await conn.execute(A_MINUTE, usual)
        await conn.close()
        async with started(SERVICE, dsn, "/readyz", COUNTED) as (url, _):
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            alone = await _honest(url, headers, seconds)
            return Refusals(each, alone, await _attacked(url, headers, seconds))


async def _attacked(url: str, headers: dict[str, str], seconds: int) -> Felt:
    """What an honest caller feels while an attacker sends all bad inputs in turn, from the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        bodies = Path(folder, "bodies")
        bodies.write_bytes(b"\n".join(BAD.values()) + b"\n")
        attacking = asyncio.create_task(attack(f"{url}/graphql", bodies, connections=ATTACKERS, seconds=seconds + 2))
        await asyncio.sleep(1)
        felt = await _honest(url, headers, seconds)
        await attacking
        return felt


async def _alone(url: str, process: int, name: str, body: bytes, repeats: int) -> Refusal:
    """One bad input again and again, over one connection, while another asks whether the server lives."""
    headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
    server = psutil.Process(process)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        status = (await client.post("/graphql", content=body)).status_code
        stall = await _longest_wait(client, body)
        await asyncio.sleep(0.1)
        before = used(server)
        for _ in range(repeats):
            await client.post("/graphql", content=body)
        return Refusal(name, status, (used(server) - before) / repeats * 1_000, stall)


async def _longest_wait(client: httpx.AsyncClient, body: bytes) -> float:
    """Of ten, the longest that a probe waits which comes right after the bad input, in milliseconds."""
    waits: list[float] = []
    for _ in range(10):
        sending = asyncio.create_task(client.post("/graphql", content=body))
        await asyncio.sleep(0.001)
        began = time.perf_counter()
        await client.get("/livez")
        waits.append((time.perf_counter() - began) * 1_000)
        await sending
    return max(waits)


async def _honest(url: str, headers: dict[str, str], seconds: int) -> Felt:
    """One who asks for pages, one after the other, ten milliseconds apart."""
    waits: list[float] = []
    body = orjson.dumps({"query": PAGE, "variables": {"id": "story_1"}})
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            response = await client.post(f"{url}/graphql", content=body)
            waits.append((time.perf_counter() - began) * 1_000)
            if response.status_code != 200:
                raise Unusable(f"the honest caller was answered {response.status_code}: {response.text[:200]}")
            await asyncio.sleep(0.01)
    return _felt(waits)


def _felt(waits: Iterable[float]) -> Felt:
    cut = quantiles(waits, n=100)
    return Felt(cut[49], cut[98])


if __name__ == "__main__":
    main()
