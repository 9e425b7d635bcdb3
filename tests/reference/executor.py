"""The second, slow way to an answer: graphql-core over plain objects. Knows nothing of the planner."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# graphql-core leaves the arguments of its wrapping types open.

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLResolveInfo, GraphQLSchema, execute

from tests.reference import lists, windows
from tests.reference.entities import Article, Outlet, Place, Story, Topic
from tests.reference.paging import Arguments, Connection
from tests.reference.world import World, find

GATES = {
    ("Story", "perspectives"): "PERSPECTIVES",
    ("Coverage", "factuality"): "FACTUALITY",
    ("Coverage", "ownership"): "OWNERSHIP",
    ("CoverageReport", "factuality"): "FACTUALITY",
    ("CoverageReport", "ownership"): "OWNERSHIP",
    ("Outlet", "factuality"): "FACTUALITY",
    ("Outlet", "ownership"): "OWNERSHIP",
    ("AgencyRating", "factuality"): "FACTUALITY",
}
ANY_TEXT = "any text"
"""Stands for text that the contract does not fix."""
MOST_IDS = 100
MOST_BIGINT = 2**63 - 1


@dataclass
class UpgradeRequired:
    """Stands where the caller's features do not include the data."""

    feature: str
    tier: None = None
    message: str = ANY_TEXT


class Query:
    """The roots that the database answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def node(self, args: Arguments) -> Any:
        return self._by_id(args["id"])

    def nodes(self, args: Arguments) -> list[Any]:
        if len(args["ids"]) > MOST_IDS:
            raise GraphQLError("Too many ids.")
        return [self._by_id(value) for value in args["ids"]]

    def story(self, args: Arguments) -> Story | None:
        by = args["by"]
        if "articleUrl" in by:
            article = find(self._world.articles, url=by["articleUrl"])
            return article.story if article else None
        if "slug" in by:
            return self._world.story(find(self._world.stories, slug=by["slug"]))
        return self._of_type(Story, by["id"])

    def article(self, args: Arguments) -> Article | None:
        by = args["by"]
        return self._of_type(Article, by["id"]) if "id" in by else find(self._world.articles, **by)

    def outlet(self, args: Arguments) -> Outlet | None:
        by = args["by"]
        return self._of_type(Outlet, by["id"]) if "id" in by else find(self._world.outlets, **by)

    def topic(self, args: Arguments) -> Topic | None:
        by = args["by"]
        return self._of_type(Topic, by["id"]) if "id" in by else find(self._world.topics, **by)

    def place(self, args: Arguments) -> Place | None:
        by = args["by"]
        return self._of_type(Place, by["id"]) if "id" in by else find(self._world.places, **by)

    def stories(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.stories(self._world.search, self._world.shown, args)

    def articles(self, args: Arguments) -> Connection | Awaitable[Connection]:
        return lists.articles(self._world.search, list(self._world.articles.values()), args)

    def outlets(self, args: Arguments) -> Connection:
        return lists.outlets(list(self._world.outlets.values()), args)

    def topics(self, args: Arguments) -> Connection:
        by_slug = sorted(self._world.topics.values(), key=lambda topic: topic.slug)
        return Connection(by_slug, args)

    def places(self, args: Arguments) -> Connection:
        by_slug = sorted(self._world.places.values(), key=lambda place: place.slug)
        return Connection(by_slug, args)

    def coverage(self, args: Arguments) -> windows.CoverageReport:
        return windows.chosen(self._world.shown, args["filter"])

    def compare_outlets(self, args: Arguments) -> list[dict[str, Any]]:
        by_domain = {outlet.domain: outlet for outlet in self._world.outlets.values()}
        return windows.overlaps(by_domain, args)

    def _by_id(self, value: str) -> Any:
        form = re.fullmatch(r"(story|article|outlet|topic|place)_([1-9][0-9]{0,18})", value, re.ASCII)
        if form is None or int(form[2]) > MOST_BIGINT:
            return None
        key = int(form[2])
        if form[1] == "story":
            return self._world.story(self._world.stories.get(key))
        tables: dict[str, Mapping[int, Any]] = {
            "article": self._world.articles,
            "outlet": self._world.outlets,
            "topic": self._world.topics,
            "place": self._world.places,
        }
        return tables[form[1]].get(key)

    def _of_type(self, kind: type[Any], value: str) -> Any:
        found = self._by_id(value)
        return found if isinstance(found, kind) else None


@dataclass
class Reference:
    """Answers operations about `world` by the rules of the contract."""

    schema: GraphQLSchema
    world: World

    async def answer(
        self, document: DocumentNode, variables: Mapping[str, Any], features: frozenset[str], name: str | None = None
    ) -> ExecutionResult:
        """The result of the operation for a caller with these features."""
        result = execute(
            self.schema,
            document,
            Query(self.world),
            features,
            dict(variables),
            name,
            field_resolver=_resolve,
            type_resolver=_type_name,
        )
        return await result if isawaitable(result) else result


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
    gate = GATES.get((info.parent_type.name, info.field_name))
    if gate is not None and gate not in info.context:
        return UpgradeRequired(gate)
    name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", info.field_name)
    if isinstance(source, dict):
        return source[name]
    value = getattr(source, name)
    return value(args) if info.parent_type.fields[info.field_name].args else value


def _type_name(value: Any, _info: Any, _abstract: Any) -> str:
    return type(value).__name__
