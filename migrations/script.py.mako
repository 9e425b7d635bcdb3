"""${message}"""

from migrations.scripts import execute

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """${message}"""
    execute("${up_revision}.sql")


def downgrade() -> None:
    """Takes it back."""
    execute("${up_revision}_down.sql")
