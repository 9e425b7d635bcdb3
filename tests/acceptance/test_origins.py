"""Which pages may read answers, open sockets, and ask in the name of whoever looks at them."""

from __future__ import annotations

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.acceptance.conftest import Serve

pytestmark = pytest.mark.any_engine

NEWS, OTHER = "https://news.example", "https://elsewhere.example"
ASK = {"query": "{ __typename }"}
SHOWN = {
    "etag", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "age", "cache-status", "link",
    "request-cost",
}  # fmt: skip
SENT = (
    "authorization, x-api-key, content-type, accept, last-event-id, x-request-id, apollo-require-preflight, "
    "x-apollo-operation-name, apollographql-client-name, apollographql-client-version"
)
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": SENT}


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/graphql", 200), ("GET", "/graphql?query={__typename}", 200), ("GET", "/graphql", 400),
        ("DELETE", "/graphql", 405), ("OPTIONS", "/graphql", 204), ("GET", "/nothing", 404), ("GET", "/livez", 200),
        ("GET", "/schema.graphql", 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("origin", [None, NEWS, "null"])
async def test_any_page_may_read_every_answer_and_caches_may_give_it_to_all(
    client: httpx.AsyncClient, method: str, path: str, status: int, origin: str | None
) -> None:
    headers = {"origin": origin} if origin else {}
    response = await client.request(method, path, headers=headers, json=ASK if method == "POST" else None)
    assert response.status_code == status
    assert response.headers.get_list("access-control-allow-origin") == ["*"]
    assert words(response.headers["access-control-expose-headers"]) == SHOWN
    assert "access-control-allow-credentials" not in response.headers
    assert "origin" not in words(response.headers.get("vary", ""))


async def test_a_preflight_allows_what_clients_send(client: httpx.AsyncClient) -> None:
    response = await client.options("/graphql", headers={"origin": NEWS, **PREFLIGHT})
    assert response.status_code == 200
    assert response.headers.get_list("access-control-allow-origin") == ["*"]
    assert words(SENT) <= words(response.headers["access-control-allow-headers"])
    assert words(response.headers["access-control-allow-methods"]) == {"get", "head", "post", "options"}
    assert response.headers["access-control-max-age"] == "7200"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("wanted", [{"method": "DELETE"}, {"headers": "x-nothing-known"}])
async def test_a_preflight_refuses_what_nobody_needs(client: httpx.AsyncClient, wanted: dict[str, str]) -> None:
    asked = PREFLIGHT | {f"access-control-request-{name}": value for name, value in wanted.items()}
    assert (await client.options("/graphql", headers={"origin": NEWS, **asked})).status_code == 400


async def test_where_origins_are_named_only_their_pages_may_read(serve: Serve, newsless: str) -> None:
    async with serve(newsless, allowed_origins=f"{NEWS}, https://app.news.example") as client:
        read = await client.get("/graphql", params=ASK, headers={"origin": NEWS})
        for _ in range(2):  # made, and kept
            read = await client.get("/graphql", params=ASK, headers={"origin": NEWS})
            assert read.headers.get_list("access-control-allow-origin") == [NEWS]
            assert words(read.headers["access-control-expose-headers"]) == SHOWN
        refused = await client.get("/graphql", params={"query": "{"}, headers={"origin": NEWS})
        assert refused.headers["access-control-allow-origin"] == NEWS
        preflight = await client.options("/graphql", headers={"origin": NEWS, **PREFLIGHT})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, NEWS)
        answers = [read, refused, preflight, await client.get("/graphql", params=ASK)]
        for origin in (OTHER, "null", f"{NEWS}.elsewhere.example", f"{NEWS}:8443", "http://news.example"):
            answers.append(await client.get("/graphql", params=ASK, headers={"origin": origin}))
            assert answers[-1].json()["data"] == {"__typename": "Query"}
            assert "access-control-allow-origin" not in answers[-1].headers
            answers.append(await client.options("/graphql", headers={"origin": origin, **PREFLIGHT}))
            assert answers[-1].status_code == 400
            assert "access-control-allow-origin" not in answers[-1].headers
        assert all("origin" in words(answer.headers["vary"]) for answer in answers)


async def handshake(client: httpx.AsyncClient, origin: str | None) -> int:
    url = str(client.base_url).replace("http", "ws").rstrip("/") + "/graphql"
    try:
        async with connect(
            url, subprotocols=[Subprotocol("graphql-transport-ws")], origin=Origin(origin) if origin else None
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_socket_is_opened_to_whom_answers_are_shown(serve: Serve, newsless: str) -> None:
    async with serve(newsless, allowed_origins=NEWS) as client:
        ours = str(client.base_url).rstrip("/")
        assert [await handshake(client, origin) for origin in (None, NEWS, ours)] == [101] * 3
        assert [await handshake(client, origin) for origin in (OTHER, "null", f"{ours}0")] == [403] * 3


async def test_where_any_page_may_read_any_page_may_open_a_socket(client: httpx.AsyncClient) -> None:
    assert [await handshake(client, origin) for origin in (None, OTHER, "null")] == [101] * 3


COOKIE, BASIC = {"cookie": "session=1"}, {"authorization": "Basic YTpi"}
CROSS, SAME_SITE = {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "text/event-stream"])
@pytest.mark.parametrize(
    "headers",
    [COOKIE | CROSS, BASIC | CROSS, COOKIE | SAME_SITE, COOKIE | {"origin": OTHER}, BASIC | {"origin": "null"},
     COOKIE | CROSS | {"content-type": "text/plain"}],
)  # fmt: skip
async def test_a_get_from_another_sites_page_that_could_carry_a_credential_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], accept: str
) -> None:
    response = await client.get("/graphql", params=ASK, headers={"accept": accept, **headers})
    assert response.status_code == (200 if accept == "application/json" else 403)
    assert "data" not in response.json()
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "requestId": response.headers["x-request-id"]}
    head = await client.head("/graphql", params=ASK, headers={"accept": accept, **headers})
    assert head.status_code == response.status_code


@pytest.mark.parametrize(
    "headers",
    [
        COOKIE, CROSS, {"origin": OTHER}, COOKIE | {"sec-fetch-site": "same-origin"},
        COOKIE | {"sec-fetch-site": "none"},
        COOKIE | {"sec-fetch-site": "same-origin", "origin": OTHER},
        *(COOKIE | CROSS | {name: "1"} for name in (
            "apollo-require-preflight", "x-apollo-operation-name", "graphql-require-preflight", "x-requested-with",
        )),
        COOKIE | CROSS | {"content-type": "application/json"},
    ],
)  # fmt: skip
async def test_other_gets_are_answered(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get("/graphql", params=ASK, headers=headers)
    assert (response.status_code, response.json()["data"]) == (200, {"__typename": "Query"})


async def test_a_link_from_another_site_leads_to_the_page_for_browsers(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": "text/html", **COOKIE, **CROSS})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_post_from_another_site_needs_the_content_type_that_forces_a_preflight(
    client: httpx.AsyncClient,
) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"content-type": kind, **COOKIE, **CROSS}
        response = await client.post("/graphql", content=b'{"query":"{ __typename }"}', headers=headers)
        assert response.status_code == 415
        assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
