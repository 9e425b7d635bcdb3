"""Tiers, keys, what they spent, and a log of every change of either."""

from migrations.scripts import execute

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables, their log, and the tiers that are there from the start."""
    execute("0002_access.sql")


def downgrade() -> None:
    """Drops all of it."""
    execute("0002_down.sql")
