"""Values that operations about one world can be given so that answers are seldom empty, and some that name nothing."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from tests.reference.rules import rfc3339
from tests.reference.world import World

NOT_IDS = (
    "",
    "story_",
    "story_0",
    "story_01",
    "story_-1",
    "story_99999999999999999999",
    "owner_1",
    "coverage_101",
    "STORY_101",
)
ODD_SEARCHES = (
    "",
    " ",
    "-",
    '"',
    "or",
    "OR OR",
    "%",
    "_",
    "'",
    "\\",
    "nothing-has-this",
    '"budget',
    "-budget -council",
    ":*",
    "a & b | !",
)
ODD_PREFIXES = ("", "%", "_", "100%", "a_", "\\", "'", "ä", "Ä", "zzz")


class Pools:
    """Draws of `chance` from what the world holds; `value` finds the pool by the name of an argument or input field."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._chance = chance
        self._world = world
        self._moments = [article.published for article in world.articles.values()]
        self._words = [word for story in world.shown for word in story.title.split()]
        named = [*world.stories.values(), *world.outlets.values(), *world.topics.values(), *world.places.values()]
        self._ids = [*(entity.id for entity in named), *[article.id for article in world.articles.values()][::7]]
        outlets = list(world.outlets.values())
        self._by_name: dict[str, list[Any]] = {
            "topics": [topic.slug for topic in world.topics.values()],
            "places": [place.slug for place in world.places.values()],
            "outlets": [outlet.domain for outlet in outlets],
            "domain": [outlet.domain for outlet in outlets],
            "countries": [*sorted({outlet.country for outlet in outlets if outlet.country}), "ZZ"],
            "languages": [*sorted({article.language for article in world.articles.values() if article.language}), "xx"],
            "url": [article.url for article in world.articles.values()],
            "articleUrl": [article.url for article in world.articles.values()],
            "minOutlets": [0, 1, 2, 4, 8, 16],
        }
        self._slugs = {
            "StoryBy": [story.slug for story in world.stories.values()],
            "OutletBy": [outlet.slug for outlet in outlets],
            "TopicBy": [topic.slug for topic in world.topics.values()],
            "PlaceBy": [place.slug for place in world.places.values()],
        }

    def value(self, owner: str, name: str) -> Any:
        """A value of a scalar for the argument or input field `name` of the field or input type `owner`."""
        match name:
            case "id" | "ids":
                return self._id(owner)
            case "slug":
                return self._or_nothing(self._slugs[owner])
            case "search":
                return self._search()
            case "prefix":
                return self._prefix()
            case "after" | "before":
                return self._moment()
            case _:
                return self._or_nothing(self._by_name[name])

    def domains(self) -> list[str]:
        """Outlets to compare."""
        domains: list[str] = self._by_name["domain"]
        return self._chance.sample(domains, self._chance.choice((1, 2, 2, 2, 3, 3)))

    def _or_nothing(self, values: list[Any]) -> Any:
        text = isinstance(values[0], str) and len(values[0]) > 2
        nothing = self._chance.random() < 0.05 and text and not values[0].startswith("http")
        return "nothing" if nothing else self._chance.choice(values)

    def _id(self, owner: str) -> str:
        if self._chance.random() < 0.1:
            return self._chance.choice(NOT_IDS)
        tag = owner.removesuffix("By").lower() + "_" if owner.endswith("By") and self._chance.random() < 0.9 else ""
        return self._chance.choice([value for value in self._ids if value.startswith(tag)])

    def _search(self) -> str:
        if self._chance.random() < 0.15:
            return self._chance.choice(ODD_SEARCHES)
        first, second, third = self._chance.choices(self._words, k=3)
        story = self._chance.choice(self._world.shown)
        phrase = " ".join(story.title.split()[:2])
        forms = (first, first, f"{first} {second}", f"{first} or {second}", f"{first} OR {second} OR {third}")
        return self._chance.choice(
            (*forms, f"{first} -{second}", f'"{phrase}"', f'"{phrase}" or -{first}', first.upper())
        )

    def _prefix(self) -> str:
        if self._chance.random() < 0.3:
            return self._chance.choice(ODD_PREFIXES)
        outlet = self._chance.choice(list(self._world.outlets.values()))
        text = self._chance.choice((outlet.name, outlet.domain, outlet.name.upper()))
        return text[: self._chance.randint(1, 4)]

    def _moment(self) -> str:
        moment = self._chance.choice(self._moments) + timedelta(hours=self._chance.choice((-12, 0, 0, 1)))
        text = rfc3339(moment)
        return self._chance.choice((text, text.replace("+00:00", "Z")))
