"""The outlets of the demo world: their names, places, owners, and how they go about their work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from service.demo.facts import ascii_words, draw_people
from service.demo.material import City, OutletName, cities, press
from service.demo.ratings import BIASES, CENTER, draw_level, draw_ratings

COUNT = 199
UNREAD = {"ja", "ar"}
"""Languages that the agencies do not read: their outlets are unrated."""

SPECTRUM = {None: 51, 0: 5, 1: 18, 2: 34, 3: 35, 4: 29, 5: 18, 6: 5}
"""How many of the others the agencies' consensus puts at each point of bias, left to right; None is unrated."""


@dataclass(frozen=True)
class Outlet:
    """An outlet, and how it goes about its work."""

    name: str
    domain: str
    medium: str
    country: str | None
    language: str
    city: City | None
    bias: str | None
    owners: list[dict[str, object]]
    ratings: list[dict[str, object]]
    staff: list[str]
    paywalled: bool | None
    pull: float
    """Its share of all articles, as a weight."""

    @property
    def side(self) -> str | None:
        """The side that its bias folds into."""
        if self.bias is None:
            return None
        point = BIASES.index(self.bias)
        return "LEFT" if point < CENTER else "RIGHT" if point > CENTER else "CENTER"


def place_slug(city: str) -> str:
    """The slug of a city."""
    return "-".join(ascii_words(city))


def make_outlets(rng: Random, now: datetime) -> list[Outlet]:
    """Every listed outlet, those with the most articles first."""
    biases = [bias for bias, count in SPECTRUM.items() for _ in range(count)]
    dealt = iter(rng.sample(biases, len(biases)))
    return [
        _outlet(rng, now, named, city, bias=None if named.language in UNREAD else next(dealt), rank=rank)
        for rank, (named, city) in enumerate(_named(rng))
    ]


def outlet_line(outlet: Outlet) -> dict[str, object]:
    """The line of the load stream that says all about an outlet."""
    return {
        "type": "outlet",
        "domain": outlet.domain,
        "name": outlet.name,
        "homepageUrl": f"https://{outlet.domain}/",
        "country": outlet.country,
        "place": place_slug(outlet.city.name) if outlet.city else None,
        "language": outlet.language,
        "medium": outlet.medium,
        "owners": outlet.owners,
        "ratings": outlet.ratings,
    }


def _named(rng: Random) -> list[tuple[OutletName, City | None]]:
    """Names in an order drawn by lot: the national outlets, and local ones, first one for each city, then a second …"""
    national: list[tuple[OutletName, City | None]] = [(named, None) for named in press().national]
    local: list[tuple[OutletName, City | None]] = []
    forms = press().local
    for turn in range(max(map(len, forms.values()))):
        for index, city in enumerate(city for city in cities() if turn < len(forms.get(city.language, []))):
            given = forms[city.language]
            form = given[(turn + index) % len(given)]
            name = form.name.format(city=city.name)
            named = OutletName(name=name, medium=form.medium, country=city.country, language=city.language)
            local.append((named, city))
    return rng.sample(named := national + local[: COUNT - len(national)], len(named))


def _outlet(rng: Random, now: datetime, named: OutletName, city: City | None, *, bias: int | None, rank: int) -> Outlet:
    language = named.language or "en"
    domain = f"{''.join(ascii_words(named.name))}.example"
    level = draw_level(rng, bias)
    staff = [] if named.medium == "NEWS_AGENCY" else draw_people(rng, language, 4)
    return Outlet(
        name=named.name,
        domain=domain,
        medium=named.medium,
        country=named.country if rng.random() < 0.97 else None,
        language=language,
        city=city,
        bias=None if bias is None else BIASES[bias],
        owners=list(_owners(rng)),
        ratings=list(draw_ratings(rng, now, domain, bias=bias, level=level)),
        staff=[" ".join(person) for person in staff],
        paywalled=rng.choice([True, False, False, None]),
        pull=1 / (rank + 6),
    )


def _owners(rng: Random) -> Iterator[dict[str, object]]:
    """None for some, one for most, two of different categories for a few."""
    for kind in rng.sample(press().owners, rng.choices([0, 1, 2], [12, 70, 18])[0]):
        yield {"name": rng.choice(kind.names), "category": kind.category}
