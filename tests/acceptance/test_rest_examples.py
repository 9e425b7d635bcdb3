"""The examples of the OpenAPI document, asked of the demo world again: they fit their schemas, and are true.

`python -m tests.acceptance.test_rest_examples` (`make cases`) writes the answers anew, to be read in the diff.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import httpx
import orjson
import pytest

from service.db.migrations import migrate
from service.demo import world
from service.load import load_lines
from service.rest.examples import FOLDER, Example
from tests.acceptance.conftest import Serve, serving
from tests.acceptance.keyed import bearer
from tests.acceptance.rest import wrong_with
from tests.access_keys import made_key
from tests.conftest import server
from tests.databases import database
from tests.documentation import ANYTHING, disagreement

pytestmark = pytest.mark.any_engine

BASE = "https://news.example"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
OF_THEIR_DAY = {
    "compareOutlets", "getCoverage", "getOutletActivity", "getService", "getStoryTimeline", "getTopicCoverage",
    "getViewer",
}  # fmt: skip
"""Of these, figures depend on when they are asked for: on where days begin, or on what was asked before."""
WITHOUT = {"feedList", "feedOfBlindspots", "feedOfLatest", "feedOfOutlet", "feedOfPlace", "feedOfTopic"}
"""XML, and entries by the dozen: docs/feeds.md says what they look like."""
JSON = ("application/json", "application/ld+json")
CURSORS = ("cursor", "endCursor", "headCursor")

_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_IN_TEXT = re.compile(rf'(?<="cursor":")[^"]+|{_WHEN.pattern}')


class Demo(NamedTuple):
    """Where the demo world is served, for a caller whose tier has every feature."""

    client: httpx.AsyncClient
    document: Mapping[str, Any]

    def path_of(self, name: str) -> str:
        [path] = (path for path, item in self.document["paths"].items() if item["get"]["operationId"] == name)
        return path

    async def answer(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """What is answered to the request of an example, of the last days."""
        given = dict(parameters)
        if "publishedAfter" in given:
            given["publishedAfter"] = (datetime.now(UTC) - timedelta(days=20)).strftime("%Y-%m-%dT00:00:00Z")
        path = self.path_of(name).replace("{format}", "ndjson")
        for each in [each for each in given if f"{{{each}}}" in path]:
            path = path.replace(f"{{{each}}}", given.pop(each))
        response = await self.client.get(path, params=given)
        assert response.status_code == 200, response.text
        return response.json() if response.headers["content-type"] in JSON else response.text


async def demo_of(client: httpx.AsyncClient, dsn: str) -> Demo:
    client.headers.update(bearer(await made_key(dsn, "vantage")))
    return Demo(client, (await client.get("/v1/openapi.json")).json())


@pytest.fixture(scope="module")
async def demo(serve: Serve, demo_database: str) -> AsyncIterator[Demo]:
    async with serve(demo_database, public_url=BASE) as client:
        yield await demo_of(client, demo_database)


def example(name: str) -> Example:
    return Example(**orjson.loads((FOLDER / f"{name}.json").read_bytes()))


def lasting(value: Any) -> Any:
    """The same without what is another one each time: times and cursors."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return {key: ANYTHING if key in CURSORS and each else lasting(each) for key, each in members}
    if isinstance(value, list):
        return [lasting(each) for each in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    return ANYTHING if _WHEN.fullmatch(value) else _IN_TEXT.sub(ANYTHING, value)


def test_every_operation_has_an_example(demo: Demo) -> None:
    ids = {item["get"]["operationId"] for item in demo.document["paths"].values()}
    assert set(NAMES) == ids - WITHOUT
    assert set(NAMES) >= OF_THEIR_DAY


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_told_and_fits_its_schema(demo: Demo, name: str) -> None:
    parameters, answer = example(name)
    told = demo.document["paths"][demo.path_of(name)]["get"]
    content = next(iter(told["responses"]["200"]["content"].values()))
    assert content["example"] == answer
    assert {each["name"]: each["example"] for each in told.get("parameters", ()) if "example" in each} == parameters
    if "application/json" in told["responses"]["200"]["content"]:
        assert wrong_with(answer, demo.document, demo.path_of(name)) == []


@pytest.mark.parametrize("name", NAMES)
async def test_an_example_is_true(demo: Demo, name: str) -> None:
    parameters, answer = example(name)
    answered = lasting(await demo.answer(name, parameters))
    assert disagreement(lasting(answer), answered, exactly=name not in OF_THEIR_DAY) == ""


async def _write(server_dsn: str) -> None:
    async with database(server_dsn) as dsn:
        await migrate(dsn)
        await load_lines(dsn, world(datetime.now(UTC)), strict=True)
        async with serving(dsn, public_url=BASE) as client:
            demo = await demo_of(client, dsn)
            for name in NAMES:
                parameters = example(name).parameters
                told = {"parameters": parameters, "answer": await demo.answer(name, parameters)}
                (FOLDER / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    """Writes the answer of every example as it is now."""
    with server() as dsn:
        asyncio.run(_write(dsn))


if __name__ == "__main__":
    main()
