"""The six queries of the benchmark, and what their variables go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

STORIES = "select slug from stories where article_count >= 24 order by md5(slug) limit 2000"
OUTLETS = "select slug from outlets where article_count > 0 order by md5(slug) limit 2000"
"""In an order that is the same for all and no index's, so that no cache profits more than another."""


@dataclass(frozen=True, slots=True)
class Query:
    """`slugs` selects the values of `$slug`; empty where there is no variable."""

    name: str
    title: str
    operation: str
    slugs: str = ""

    async def variables(self, dsn: str) -> list[dict[str, Any]]:
        """The variables of each request, to be gone through again and again."""
        if not self.slugs:
            return [{}]
        conn = await asyncpg.connect(dsn)
        try:
            return [{"slug": row["slug"]} for row in await conn.fetch(self.slugs)]
        finally:
            await conn.close()


QUERIES = (
    Query(
        "q1",
        "story page",
        """
        query StoryPage($slug: String!) {
          story(by: {slug: $slug}) {
            title summary topics { slug } firstPublishedAt lastPublishedAt
            coverage {
              articleCount outletCount
              bias { left { count } center { count } right { count } unratedCount }
              blindspot { side }
            }
            articles(first: 24) {
              nodes {
                id title excerpt url language publishedAt
                outlet { id slug name domain country bias medium }
              }
            }
          }
        }
        """,
        STORIES,
    ),
    Query(
        "q2",
        "front page",
        """
        query FrontPage {
          stories(first: 20) {
            nodes {
              id slug title summary lastPublishedAt
              coverage {
                outletCount
                bias { left { count } center { count } right { count } }
                blindspot { side }
              }
              articles(first: 3) { nodes { id title publishedAt outlet { name bias } } }
            }
          }
        }
        """,
    ),
    Query(
        "q3",
        "blindspots",
        """
        query Blindspots {
          stories(first: 20, filter: {blindspot: LEFT}) {
            nodes {
              id slug title
              coverage { outletCount bias { left { count } center { count } right { count } } }
            }
          }
        }
        """,
    ),
    Query(
        "q4",
        "outlet page",
        """
        query OutletPage($slug: String!) {
          outlet(by: {slug: $slug}) {
            id name domain country bias medium
            articles(first: 20) {
              nodes {
                id title publishedAt
                story { id slug title coverage { bias { left { count } center { count } right { count } } } }
              }
            }
          }
        }
        """,
        OUTLETS,
    ),
    Query(
        "q5",
        "tiny",
        """
        query Tiny($slug: String!) {
          story(by: {slug: $slug}) {
            title coverage { bias { left { count } center { count } right { count } } }
          }
        }
        """,
        STORIES,
    ),
    Query(
        "q6",
        "wide",
        """
        query Wide {
          stories(first: 50) {
            nodes {
              id slug title summary keyPoints imageUrl firstPublishedAt lastPublishedAt updatedAt
              coverage { bias { left { count } center { count } right { count } unratedCount } }
              articles(first: 20) {
                nodes {
                  id url title excerpt authors kind language imageUrl paywalled publishedAt updatedAt
                  outlet { id slug name domain homepageUrl country language medium bias biasScore side }
                }
              }
            }
          }
        }
        """,
    ),
)
