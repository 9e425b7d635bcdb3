"""A handful of stories that the planner's tests ask for: enough to tell a right answer from a wrong one."""

from __future__ import annotations

import io
from typing import Any

import asyncpg
import orjson

from service.load import load

Line = dict[str, Any]

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")
NAMES = ("100% News", "1000 News", "A_B Weekly", "AXB Weekly", "Ärger", 'The "Quoted"', "O'Neill\\Post", "صحيفة الشرق")
OUTLETS = [f"outlet{n}.example" for n in range(8)]


def lines() -> list[Line]:
    """The world as a load stream: 8 outlets, 12 stories and a merged one, 5 to 7 articles for each of them."""
    return [*_outlets(), *_subjects(), *_stories(), {"type": "merge", "from": "merged", "into": "story 1"}]


async def fill(dsn: str) -> None:
    """Loads the world into an empty database."""
    stream = b"\n".join(orjson.dumps(line) for line in lines())
    await load(dsn, [io.BytesIO(stream)], strict=True)
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("analyze")
    finally:
        await conn.close()


def _outlets() -> list[Line]:
    return [
        {
            "type": "outlet",
            "domain": domain,
            "name": NAMES[n],
            "country": ("US", "GB", None)[n % 3],
            "language": "en",
            "medium": "NEWSPAPER",
            "owners": [{"name": f"Owner {n}", "category": "TELECOM"}] if n % 2 else [],
            "ratings": [{"agency": "ABM", "bias": BIASES[n], "factuality": "HIGH"}] if n < 7 else [],
        }
        for n, domain in enumerate(OUTLETS)
    ]


def _subjects() -> list[Line]:
    return [
        {"type": "topic", "slug": "politics", "name": "Politics"},
        {"type": "topic", "slug": "elections", "name": "Elections", "parent": "politics"},
        {"type": "topic", "slug": "100%", "name": "Percent"},
        {"type": "place", "slug": "leeds", "name": "Leeds", "country": "GB"},
    ]


def _stories() -> list[Line]:
    stories: list[Line] = []
    for n in (*range(12), "merged"):
        number = n if isinstance(n, int) else 12
        key = f"story {n}" if isinstance(n, int) else n
        stories.append(
            {
                "type": "story",
                "key": key,
                "title": f"River council votes on budget {number}",
                "summary": None if number % 4 == 3 else f"What the council of the river did, part {number}",
                "keyPoints": ["It voted", "It went home"],
                "perspectives": {"LEFT": "too little", "RIGHT": "too much"},
                "topics": [("elections", "politics", "100%")[number % 3]],
                "places": ["leeds"] if number % 2 else [],
            }
        )
        stories += [_article(key, number, m) for m in range(5 + number % 3)]
    return stories


def _article(story: str, number: int, m: int) -> Line:
    return {
        "type": "article",
        "url": f"https://news.example/{story.replace(' ', '-')}/{m}",
        "outlet": OUTLETS[(number + m) % 8],
        "title": f"Council votes, says source {m}",
        "publishedAt": f"2026-03-{1 + number:02}T{10 + m}:00:00.{m:03}Z",
        "story": story,
        "authors": ["Ann", "Bob"][: m % 3],
        "kind": ("NEWS", "OPINION", "ANALYSIS")[m % 3],
        "language": "en",
        "paywalled": (True, False, None)[m % 3],
    }
