"""Answers that are kept until changes tell otherwise, in the process and in Redis. Knows no GraphQL and no HTTP."""

from service.cache.entry import Entry, Filled, Kind
from service.cache.following import Following
from service.cache.invalidation import REFERENCES, story_tag
from service.cache.local import LocalCache
from service.cache.redis import RedisCache
from service.cache.response import Answer, Lifetimes, ResponseCache, Source
from service.cache.shared import NothingShared, SharedCache

__all__ = [
    "REFERENCES",
    "Answer",
    "Entry",
    "Filled",
    "Following",
    "Kind",
    "Lifetimes",
    "LocalCache",
    "NothingShared",
    "RedisCache",
    "ResponseCache",
    "SharedCache",
    "Source",
    "story_tag",
]
