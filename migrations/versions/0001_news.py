"""Stories, articles, outlets, topics, places, and the figures kept from them."""

from migrations.scripts import execute

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the model, the figures and their upkeep, and what answers are read with."""
    execute(
        "0001_model.sql",
        "0001_figures.sql",
        "0001_coverage.sql",
        "0001_upkeep.sql",
        "0001_reading.sql",
        "0001_windows.sql",
        "0001_timelines.sql",
        "0001_feed.sql",
    )


def downgrade() -> None:
    """Drops all of it."""
    execute("0001_down.sql")
