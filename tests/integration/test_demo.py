"""The demo world as it stands in the database, against a count of its lines in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from service.demo import WORKED_EXAMPLE_KEY, world
from tests.demo_figures import DemoFigures

SHOWN = """
    select key, article_count, outlet_count, bias_counts, left_count, center_count, right_count,
        blindspot::text, leading_side::text
    from stories where article_count > 0
"""


async def test_every_story_has_the_figures_that_its_lines_give(demo_database: str) -> None:
    figures = DemoFigures(world(datetime.now(UTC)))
    connection = await asyncpg.connect(demo_database)
    try:
        rows = await connection.fetch(SHOWN)
    finally:
        await connection.close()
    assert {row["key"]: tuple(row)[1:] for row in rows} == {
        key: (
            len(articles),
            len({article["outlet"] for article in articles}),
            figures.points(key),
            *figures.side_counts(key),
            figures.blindspot(key),
            figures.leading_side(key),
        )
        for key, articles in figures.articles_of.items()
    }


async def test_the_worked_example_is_in_the_database(demo_database: str) -> None:
    connection = await asyncpg.connect(demo_database)
    try:
        row = await connection.fetchrow("select bias_counts, blindspot from stories where key = $1", WORKED_EXAMPLE_KEY)
    finally:
        await connection.close()
    assert row is not None
    assert tuple(row) == ([0, 2, 2, 2, 3, 1, 0], None)
