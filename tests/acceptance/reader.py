"""Where the reader's pages of a demo world are."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from service.demo import WORKED_EXAMPLE_TITLE

_FOUND = """query Found($words: String!) {
  story: stories(first: 1, filter: {search: $words}, sort: RELEVANCE) {
    nodes { slug topics { slug } places { slug } articles(first: 2) { nodes { outlet { slug domain } } } }
  }
  rated: outlets(first: 3, sort: LEFT_TO_RIGHT) { nodes { slug domain } }
}"""


class Places(NamedTuple):
    """The paths of the worked example and what is around it."""

    story: str
    topic: str
    place: str
    outlet: str
    domains: list[str]

    @property
    def pages(self) -> list[str]:
        """A path of every page there is."""
        return [
            "/",
            "/?sort=covered",
            self.story,
            f"{self.story}?side=left&sort=oldest",
            self.topic,
            f"{self.topic}/coverage",
            self.place,
            "/search",
            "/search?q=strike",
            "/search?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "/blindspots",
            "/blindspots?side=right",
            "/outlets",
            "/outlets?side=unrated&medium=radio",
            self.outlet,
            "/compare",
            f"/compare?outlets={','.join(self.domains)}",
        ]

    @property
    def errors(self) -> dict[str, int]:
        """Paths where there is an error, and which."""
        return {"/stories/nothing": 404, "/?after=x": 400, f"{self.topic}/coverage?days=365": 403}


async def places_of(client: httpx.AsyncClient) -> Places:
    """The places of the world that is served."""
    answer: Any = await client.post("/graphql", json={"query": _FOUND, "variables": {"words": WORKED_EXAMPLE_TITLE}})
    data = answer.json()["data"]
    (story,) = data["story"]["nodes"]
    rated = data["rated"]["nodes"]
    return Places(
        f"/stories/{story['slug']}",
        f"/topics/{story['topics'][0]['slug']}",
        f"/places/{story['places'][0]['slug']}",
        f"/outlets/{rated[0]['slug']}",
        [each["domain"] for each in rated],
    )
