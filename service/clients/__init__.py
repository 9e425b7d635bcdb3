"""What caches of clients have to be told of the schema, as modules for them: `parallax schema --for` prints these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.clients.apollo import apollo
from service.clients.cached import Cached
from service.clients.graphcache import graphcache

__all__ = ["MODULES", "Cached"]

MODULES: Mapping[str, Callable[[Cached], str]] = {"apollo": apollo, "graphcache": graphcache}
"""By the name of a client, what writes its module in JavaScript."""
