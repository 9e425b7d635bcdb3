"""Heads of requests that are malformed, too large or too slow: refused, and nobody else hears of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import orjson
import pytest

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

GET = b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\n"


@pytest.fixture
async def client(serve: Serve, newsless: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that gives a request one second to arrive."""
    async with serve(newsless, body_timeout=1) as client:
        yield client


async def connected(client: httpx.AsyncClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(client.base_url.host, client.base_url.port)


async def answer_to(client: httpx.AsyncClient, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the connection is closed, however much of the request was taken."""
    reader, writer = await connected(client)
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    answer = b""
    async with asyncio.timeout(10):
        with suppress(ConnectionError):  # closed on what was still being sent
            answer = await reader.read()
    writer.close()
    return answer


def refused(answer: bytes, status: bytes, code: str) -> None:
    assert answer.startswith(b"HTTP/1.1 " + status)
    (error,) = orjson.loads(answer.partition(b"\r\n\r\n")[2])["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["requestId"]


@pytest.mark.parametrize("host", [b"", b"a b", b"[::1", b"\xff\xfe", b"x" * 5_000, b"localhost:notaport", b"a,b"])
async def test_no_host_is_looked_at(client: httpx.AsyncClient, host: bytes) -> None:
    answer = await answer_to(client, GET + b"Host: " + host + b"\r\nConnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
    assert host not in answer or not host


@pytest.mark.parametrize("line", [b"GET / HTTP/9.9", b"G\x00T / HTTP/1.1", b"GET http:// HTTP/1.1", b"nonsense"])
async def test_what_is_no_http_is_a_400(client: httpx.AsyncClient, line: bytes) -> None:
    assert (await answer_to(client, line + b"\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("name", [b"X-Large", b""])
async def test_a_head_that_is_too_large_is_refused_while_it_streams(client: httpx.AsyncClient, name: bytes) -> None:
    parts = [b"x" * 50_000] * 100 if name else [b"X-%d: %s\r\n" % (number, b"x" * 5_000) for number in range(1_000)]
    answer = await answer_to(client, GET + b"Host: x\r\n" + (name and name + b": "), *parts)
    assert not answer or answer.startswith(b"HTTP/1.1 413")
    assert (await client.get("/livez")).status_code == 200


async def test_a_large_head_within_bounds_is_read(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/graphql", params={"query": "{ __typename }" + " " * 50_000}, headers={"x": "y" * 50_000}
    )
    assert response.status_code == 200


async def test_a_head_over_the_bound_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await answer_to(client, GET + b"Host: x\r\nX: ", *[b"x" * 10_000] * 18, pause=0.01)
    refused(answer, b"413", "REQUEST_TOO_LARGE")


SOCKET = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /graphql HTTP/1.1\r\n" + SOCKET + b"Cookie: " + b"x" * 9_000 + b"\r\n", b"431"),
        (b"GET /graphql HTTP/1.1\r\n" + SOCKET + b"".join(b"X-%d: x\r\n" % number for number in range(200)), b"431"),
        (b"GET /graphql?" + b"x" * 9_000 + b" HTTP/1.1\r\n" + SOCKET, b"414"),
        (b"PUT /graphql HTTP/1.1\r\nConnection: close\r\n" + SOCKET, b"405"),
    ],
)
async def test_a_socket_that_cannot_be_opened_is_told_so(client: httpx.AsyncClient, head: bytes, status: bytes) -> None:
    answer = await answer_to(client, head + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("begun", [b"", b"GET /gra", GET + b"Host: x\r\n"])
async def test_a_head_that_is_too_slow_is_refused_in_time(client: httpx.AsyncClient, begun: bytes) -> None:
    began = time.monotonic()
    refused(await answer_to(client, begun), b"408", "REQUEST_TIMEOUT")
    assert 0.9 < time.monotonic() - began < 3


async def test_a_second_request_has_time_of_its_own(client: httpx.AsyncClient) -> None:
    reader, writer = await connected(client)
    for _ in range(3):
        writer.write(GET + b"Host: x\r\n")
        await asyncio.sleep(0.6)
        writer.write(b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
    writer.close()


async def test_callers_go_on_while_others_send_a_byte_a_second(serve: Serve, newsless: str) -> None:
    async with serve(newsless) as client:

        async def took() -> float:
            began = time.monotonic()
            assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 200
            return time.monotonic() - began

        alone = sorted([await took() for _ in range(100)])
        slow = [await connected(client) for _ in range(200)]
        lines = [
            GET + b"Host: x\r\n",
            b"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n",
        ]
        beside: list[float] = []
        for second in range(4):
            for number, (_, writer) in enumerate(slow):
                line = lines[number % 2]
                writer.write(line if second == 0 and number % 4 else line[second : second + 1])
            until = time.monotonic() + 1
            while time.monotonic() < until:
                beside.append(await took())
                await asyncio.sleep(0.02)
        for _, writer in slow:
            writer.close()
        beside.sort()
        # Twice, and what a machine that does other things too adds to any one request.
        assert beside[len(beside) * 95 // 100] < 2 * alone[95] + 0.02
