"""What the demo world is written from: the files under text/, read and checked. It draws nothing by lot."""

from __future__ import annotations

import tomllib
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict

TEXT = files("service.demo") / "text"

Word = str | int | float | dict[str, str]
"""What a slot stands for: the same in every language, or a text for each."""


class Material(BaseModel):
    """A part of the files: a key that is not known there is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class City(Material):
    """An invented city in a real country."""

    name: str
    country: str
    language: str


class People(Material):
    """Names that go together."""

    first: list[str]
    last: list[str]


class Names(Material):
    """Names for the slots of events: people by language, and lists for parties, companies and the like."""

    people: dict[str, People]
    bodies: dict[str, list[str]]


class OutletName(Material):
    """An outlet, or the form of a local one's name."""

    name: str
    medium: str
    country: str | None = None
    language: str | None = None


class OwnerNames(Material):
    """Owners of one category."""

    category: str
    names: list[str]


class Agency(Material):
    """A rating agency, and how large a share of the outlets it rates for what."""

    name: str
    share: float
    bias: bool = True
    factuality: bool = True


class Press(Material):
    """All that outlets are made from."""

    national: list[OutletName]
    local: dict[str, list[OutletName]]
    owners: list[OwnerNames]
    agencies: list[Agency]


class Telling(Material):
    """How an event is told in one language. The language with a summary is that of the story itself."""

    tag: str
    news: list[str]
    left: list[str] = []
    right: list[str] = []
    lines: list[str] = []
    summary: str | None = None
    points: list[str] = []
    left_view: str | None = None
    center_view: str | None = None
    right_view: str | None = None


class Event(Material):
    """A kind of event: slots that every story of it fills anew, and how it is told."""

    topics: list[str]
    reach: int
    numbers: dict[str, list[int | float]] = {}
    cases: list[dict[str, Word | list[str]]]
    en: Telling | None = None
    es: Telling | None = None
    fr: Telling | None = None
    de: Telling | None = None
    pt: Telling | None = None
    it: Telling | None = None

    @cached_property
    def tellings(self) -> dict[str, Telling]:
        """The languages it is told in, the story's own first."""
        told = {"en": self.en, "es": self.es, "fr": self.fr, "de": self.de, "pt": self.pt, "it": self.it}
        present = {language: telling for language, telling in told.items() if telling}
        return dict(sorted(present.items(), key=lambda item: item[1].summary is None))


class Frames(Material):
    """Headlines that fit any event, around its tag."""

    news: list[str]
    opinion: list[str]
    analysis: list[str]


class Single(Material):
    """An article that belongs to no story of its upstream."""

    language: str
    title: str
    excerpt: str | None = None


class Part(Material):
    """One article of the worked example, and what its outlet must be."""

    minutes: int
    bias: str | None = None
    language: str = "en"
    title: str
    excerpt: str | None = None
    kind: str | None = None


class WorkedExample(Material):
    """The story of the worked example, as told."""

    title: str
    summary: str
    points: list[str]
    topics: list[str]
    city: str
    perspectives: dict[str, str]
    articles: list[Part]


@cache
def cities() -> list[City]:
    """Every city."""
    return [City.model_validate(city) for city in _read("geography.toml")["cities"]]


@cache
def topics() -> list[tuple[str, str, str | None]]:
    """Every topic as slug, name, slug of its parent; parents first."""
    return list(_below(_read("topics.toml"), None))


@cache
def names() -> Names:
    """The names that slots are filled with."""
    return Names.model_validate(_read("names.toml"))


@cache
def press() -> Press:
    """What outlets are made from."""
    return Press.model_validate(_read("outlets.toml"))


@cache
def frames() -> dict[str, Frames]:
    """Headlines for any event, by language."""
    return {language: Frames.model_validate(given) for language, given in _read("frames.toml").items()}


@cache
def singles() -> list[Single]:
    """Articles without a story."""
    return [Single.model_validate(given) for given in _read("singles.toml")["singles"]]


@cache
def worked_example() -> WorkedExample:
    """The worked example."""
    return WorkedExample.model_validate(_read("worked-example.toml"))


@cache
def events() -> list[Event]:
    """Every event, in the order of the files' names."""
    found = sorted(file.name for file in (TEXT / "events").iterdir() if file.name.endswith(".toml"))
    return [Event.model_validate(event) for name in found for event in _read(f"events/{name}")["event"]]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(TEXT.joinpath(name).read_text(encoding="utf-8"))


def _below(given: dict[str, Any], parent: str | None) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    for name, children in given.items():
        slug = name.lower().replace(" ", "-")
        found += [(slug, name, parent), *_below(children, slug)]
    return found
