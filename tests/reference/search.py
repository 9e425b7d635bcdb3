"""What words are found in. Which text holds a query is Postgres' own to say, asked over texts that are handed to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

MATCHES = """
select t.id, ts_rank(to_tsvector('simple', t.content), q.query) as rank
from unnest($1::bigint[], $2::text[]) t (id, content)
cross join (select websearch_to_tsquery('simple', $3::text) as query) q
where to_tsvector('simple', t.content) @@ q.query
"""


@dataclass
class Search:
    """Texts of stories and articles by key; answers are remembered, for texts do not change."""

    conn: asyncpg.Connection
    story_texts: Mapping[int, str] = field(default_factory=dict[int, str])
    article_texts: Mapping[int, str] = field(default_factory=dict[int, str])
    _known: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict[tuple[str, str], dict[int, float]])
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def stories(self, query: str) -> Mapping[int, float]:
        """The stories that match, with their rank."""
        return await self._matches("stories", self.story_texts, query)

    async def articles(self, query: str) -> Mapping[int, float]:
        """The articles that match, with their rank."""
        return await self._matches("articles", self.article_texts, query)

    async def _matches(self, kind: str, texts: Mapping[int, str], query: str) -> dict[int, float]:
        async with self._one_at_a_time:
            if (kind, query) not in self._known:
                rows = await self.conn.fetch(MATCHES, list(texts), list(texts.values()), query)
                self._known[kind, query] = {row["id"]: row["rank"] for row in rows}
            return self._known[kind, query]
