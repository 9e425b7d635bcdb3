"""The module for Apollo Client's cache: `possibleTypes` and `typePolicies`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from service.clients.cached import Cached


def apollo(cached: Cached) -> str:
    """The module in JavaScript, ending in a newline."""
    return "\n".join([_HEAD, *_possible(cached), _PAGES, *_policies(cached)]) + "\n"


def _possible(cached: Cached) -> Iterator[str]:
    yield "export const possibleTypes = {"
    for name, types in cached.possible.items():
        yield f"  {name}: {json.dumps(types)},"
    yield "};"


def _policies(cached: Cached) -> Iterator[str]:
    yield "export const typePolicies = {"
    for name in sorted({*cached.keyless, *cached.parts, *cached.connections}):
        known = ["keyFields: false"] if name in cached.keyless else []
        fields = dict(_fields(name, cached))
        if not fields:
            yield f"  {name}: {{{', '.join(known)}}},"
            continue
        yield f"  {name}: {{"
        yield from (f"    {each}," for each in known)
        yield "    fields: {"
        yield from (f"      {field}: {policy}," for field, policy in sorted(fields.items()))
        yield "    },"
        yield "  },"
    yield "};"


def _fields(name: str, cached: Cached) -> Iterator[tuple[str, str]]:
    for field in cached.parts.get(name, ()):
        yield field, "{merge: true}"
    for field, connection in cached.connections.get(name, {}).items():
        yield field, f"pages({json.dumps(connection.arguments) if connection.arguments else ''})"


_HEAD = """\
// What the cache of Apollo Client has to know of Parallax. Generated from its SDL: do not edit, take the new one.
//
//     new InMemoryCache({possibleTypes, typePolicies})

import {relayStylePagination} from '@apollo/client/utilities';

/** By interface or union, the types that may stand for it: by these, fragments match. */"""

_PAGES = """
/**
 * Pages of a connection as one list, which `fetchMore` makes longer: `edges` by Apollo's own policy, which leaves out
 * `nodes`, and these likewise. `ends` tells how many nodes there are up to the end of each page.
 *
 * @param {string[] | false} keyArgs - the arguments that tell one list from another
 */
function pages(keyArgs = false) {
  const edges = relayStylePagination(keyArgs);
  return {
    keyArgs,
    read(existing, options) {
      const shown = edges.read(existing, options);
      return shown?.nodes ? {...shown, nodes: shown.nodes.filter(options.canRead)} : shown;
    },
    merge(existing, incoming, options) {
      const merged = edges.merge(existing, incoming, options);
      if (!incoming?.nodes) return merged;
      const {after, before} = options.args ?? {};
      const {startCursor, endCursor, hasPreviousPage, hasNextPage} = existing?.pageInfo ?? {};
      const known = existing?.nodes ?? [];
      let {nodes} = incoming;
      let {pageInfo} = merged;
      let ends = {};
      let end = nodes.length;
      if (after && existing?.ends?.[after]) {
        nodes = [...known.slice(0, existing.ends[after]), ...nodes];
        pageInfo = {...pageInfo, startCursor, hasPreviousPage};
        ends = existing.ends;
        end = nodes.length;
      } else if (before && before === startCursor) {
        for (const [cursor, count] of Object.entries(existing.ends ?? {})) ends[cursor] = count + nodes.length;
        nodes = [...nodes, ...known];
        pageInfo = {...pageInfo, endCursor, hasNextPage};
      }
      const last = incoming.pageInfo?.endCursor;
      return {...merged, nodes, pageInfo, ends: last ? {...ends, [last]: end} : ends};
    },
  };
}

/** Objects without an id are parts of what they came with; connections grow page by page. */"""
