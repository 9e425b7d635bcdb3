"""The cache as a follower of the change feed: what is changed there is out of date here."""

from __future__ import annotations

from service.cache.invalidation import REFERENCES, story_tag
from service.cache.response import ResponseCache
from service.db.changes import Look


class Following:
    """Tells a cache what the feed tells."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache

    def begin(self, look: Look) -> None:
        # What the first look sees already is not told any more; what it does not see yet is. What is kept in Redis of
        # another timeline may hold what this one has lost.
        self._cache.begin(look.horizon - 1, f"{look.database}.{look.timeline}")

    def heard(self, look: Look) -> None:
        for xid, story in look.stories:
            self._cache.changed((story_tag(story),), xid)
        if look.references is not None:
            self._cache.changed((REFERENCES,), look.references)
        self._cache.informed()

    def away(self) -> None:
        self._cache.uninformed()
