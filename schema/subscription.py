"""The root of all subscribing."""

from __future__ import annotations

import strawberry

from schema.binding import Feed, argument, takes
from schema.changes import StoryChange
from schema.filters import StoryFilter


@strawberry.type(description="What can be followed, by WebSocket (graphql-transport-ws) or server-sent events.")
class Subscription:
    story_changed: StoryChange = takes(
        Feed(),
        argument(
            "id",
            strawberry.ID | None,
            strawberry.UNSET,
            description="Only this story; the id of a merged one follows its merge.",
        ),
        argument(
            "filter",
            StoryFilter | None,
            strawberry.UNSET,
            description="Only stories that match; MERGED and REMOVED are told of all.",
        ),
        argument("after", str | None, strawberry.UNSET, description="The cursor of the last change that you know of."),
        description="A story's changes, or those of all stories that match. With `after`, first replays what was "
        "missed.",
    )
