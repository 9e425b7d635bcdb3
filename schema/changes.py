"""What happened to stories, in order: for partners who poll, and for subscribers."""

from __future__ import annotations

import strawberry

from schema.binding import Rows, bound, column
from schema.directives import FREE
from schema.ids import identity, standing_for
from schema.news import SHOWN, Story
from schema.scalars import DateTime
from schema.vocabulary import ChangeKind

# A merged story stands for what it went into, also where it was told of before the merge.
STORY_NOW = (
    f"{{id}} = {standing_for('m.id = coalesce({outer.merged_into_id}, {outer.story_id})')}"
    f" and {{outer.kind}} <> 'REMOVED' and {SHOWN}"
)
BETWEEN = (
    "({xid}, {seq}) > ({outer.after_xid}, {outer.after_seq}) and ({xid}, {seq}) <= ({outer.end_xid}, {outer.end_seq})"
)
"""The changes of a page: those after a position up to its end."""


@strawberry.type(description="One change of one story.")
class StoryChange:
    cursor: str = column("change_cursor({xid}, {seq})", description="Resume after this.")
    kind: ChangeKind = column(description="What happened to it.")
    story_id: strawberry.ID = column(
        identity("story", "story_id"), description="The story that changed; for MERGED, the one that ended."
    )
    merged_into_id: strawberry.ID | None = column(
        identity("story", "merged_into_id"), description="For MERGED, the story that it went into."
    )
    at: DateTime = column(description="When it changed in this service.")
    story: Story | None = bound(
        Rows("stories", STORY_NOW),
        description="The story as it is now (for MERGED, what it went into); null where it was removed.",
    )


@strawberry.type(
    description="A page of the changes. To stay in step: take `headCursor`, read everything that you need, then ask "
    "for the changes after it, and go on from `endCursor`. What changes while you read is told again, never left out.",
    directives=FREE,
)
class ChangeFeed:
    changes: list[StoryChange] = bound(
        Rows(
            "changes",
            BETWEEN,
            "{xid}, {seq}",
        ),
        description="Oldest first.",
    )
    end_cursor: str = column(
        "change_cursor({end_xid}, {end_seq})", description="Ask for what comes after this; never null."
    )
    has_more: bool = column(description="Whether there is more already.")
    head_cursor: str = column(
        "(select change_cursor(h.xid, h.seq) from change_head() h)",
        description="The newest cursor: take it, read everything, then poll from it.",
    )
