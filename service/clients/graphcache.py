"""The module for urql's Graphcache: `keys` and `resolvers`."""

from __future__ import annotations

from collections.abc import Iterator

from service.clients.cached import Cached


def graphcache(cached: Cached) -> str:
    """The module in JavaScript, ending in a newline."""
    return "\n".join([_HEAD, *_keys(cached), _RESOLVERS, *_resolvers(cached)]) + "\n"


def _keys(cached: Cached) -> Iterator[str]:
    yield "export const keys = {"
    yield from (f"  {name}: () => null," for name in cached.keyless)
    yield "};"


def _resolvers(cached: Cached) -> Iterator[str]:
    yield "export const resolvers = {"
    for name, fields in cached.connections.items():
        # Pages of what has no ids stay apart: relayPagination tells what it lists by keys, and loses what has none.
        keyed = [field for field, connection in fields.items() if connection.keyed]
        if keyed:
            yield f"  {name}: {{"
            yield from (f"    {field}: relayPagination()," for field in keyed)
            yield "  },"
    yield "};"


_HEAD = """\
// What urql's Graphcache has to know of Parallax. Generated from its SDL: do not edit, take the new one.
//
//     cacheExchange({schema, keys, resolvers})

import {relayPagination} from '@urql/exchange-graphcache/extras';

/** Objects without an id are parts of what they came with. */"""

_RESOLVERS = """
/** Pages of a connection as one list. Those of `Story.reports` stay apart, since a report has no id. */"""
