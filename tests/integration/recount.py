"""Counts every figure anew, in plain Python from the model's tables, and tells where the database says otherwise."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import asyncpg

from tests.integration.recount_coverage import (
    coverage_days,
    coverage_hours,
    coverage_outlets,
    over_parts,
    over_stripes,
)

BIASES = ("FAR_LEFT", "LEFT", "LEAN_LEFT", "CENTER", "LEAN_RIGHT", "RIGHT", "FAR_RIGHT")
LEVELS = ("VERY_LOW", "LOW", "MIXED", "HIGH", "VERY_HIGH")
CATEGORIES = (
    "INDEPENDENT",
    "MEDIA_CONGLOMERATE",
    "CORPORATION",
    "PRIVATE_EQUITY",
    "TELECOM",
    "BILLIONAIRE",
    "GOVERNMENT",
    "OTHER",
)
TABLES = (
    *("articles", "outlets", "owners", "ratings", "stories", "story_topics", "story_places", "topics"),
    *("topic_ancestors", "places", "reports", "story_facets", "outlet_days"),
    *("coverage_days", "coverage_hours", "coverage_outlets"),
)
YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]
Rows = dict[str, list[Row]]


async def assert_figures_agree(dsn: str) -> None:
    """Fails with every figure in which the database and the recount differ."""
    differences = await recount(dsn)
    assert not differences, "\n".join(differences[:50])


async def recount(dsn: str) -> list[str]:
    """What is stored and what it should be, wherever the two differ. All is read in one snapshot."""
    conn = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            rows: Rows = {table: [dict(row) for row in await conn.fetch(f"select * from {table}")] for table in TABLES}
    finally:
        await conn.close()
    wanted: Mapping[str, Mapping[Any, Row]] = {
        "outlets": _outlets(rows),
        "reports": _reports(rows),
        "stories": _stories(rows),
        "topics": _story_counts(rows, "story_topics", "topic_id", _ancestors(rows)),
        "places": _story_counts(
            rows, "story_places", "place_id", {place["id"]: {place["id"]} for place in rows["places"]}
        ),
        "outlet_days": _outlet_days(rows),
        "coverage_days": _coverage_days(rows),
        "coverage_hours": _coverage_hours(rows),
        "coverage_outlets": coverage_outlets(rows["articles"], _reports(rows), _topics(rows)),
        "story_facets": _facets(rows),
        "topic_ancestors": {(topic, above): {} for topic, all_above in _ancestors(rows).items() for above in all_above},
    }
    keys: Mapping[str, Callable[[Row], Any]] = {
        "reports": lambda row: (row["story_id"], row["outlet_id"]),
        "outlet_days": lambda row: (row["outlet_id"], row["day"]),
        "story_facets": lambda row: (row["story_id"], row["facet"], row["value"]),
        "topic_ancestors": lambda row: (row["topic_id"], row["ancestor_id"]),
    }
    stored: dict[str, Mapping[Any, Row]] = {
        table: {keys.get(table, _id)(row): row for row in rows[table]}
        for table in wanted
        if not table.startswith("coverage_")
    }
    stored["coverage_days"] = over_stripes(rows["coverage_days"], lambda row: (row["topic_id"], row["day"]))
    stored["coverage_hours"] = over_stripes(rows["coverage_hours"], lambda row: (row["topic_id"], row["hour"]))
    stored["coverage_outlets"] = over_parts(rows["coverage_outlets"])
    return [
        difference for table, figures in wanted.items() for difference in _differences(table, figures, stored[table])
    ] + _hidden(rows)


def _id(row: Row) -> int:
    return row["id"]


def _differences(table: str, wanted: Mapping[Any, Row], stored: Mapping[Any, Row]) -> Iterable[str]:
    for key in wanted.keys() | stored.keys():
        if key not in stored:
            yield f"{table} {key}: missing, should be {wanted[key]}"
        elif key not in wanted:
            if table != "outlet_days" or stored[key]["report_count"] or stored[key]["article_count"]:
                yield f"{table} {key}: should not be there"
        else:
            for name, value in wanted[key].items():
                if not _same(value, stored[key][name]):
                    yield f"{table} {key}: {name} is {stored[key][name]}, should be {value}"


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-9)
    return a == b


def _hidden(rows: Rows) -> list[str]:
    merged = {story["id"]: story["merged_into"] for story in rows["stories"] if story["merged_into"]}
    return [
        f"stories {story['id']}: merged or removed, and has articles"
        for story in rows["stories"]
        if (story["merged_into"] or story["removed"]) and story["article_count"]
    ] + [f"stories {one}: merged into {into}, which is merged itself" for one, into in merged.items() if into in merged]


def _outlets(rows: Rows) -> dict[int, Row]:
    articles = Counter(article["outlet_id"] for article in rows["articles"])
    ratings: defaultdict[int, list[Row]] = defaultdict(list)
    for rating in rows["ratings"]:
        ratings[rating["outlet_id"]].append(rating)
    owners = {owner["outlet_id"]: owner["category"] for owner in rows["owners"] if owner["position"] == 1}
    figures: dict[int, Row] = {}
    for outlet in rows["outlets"]:
        bias = _mean(BIASES.index(r["bias"]) - 3 for r in ratings[outlet["id"]] if r["bias"])
        level = _mean(LEVELS.index(r["factuality"]) + 1 for r in ratings[outlet["id"]] if r["factuality"])
        point = None if bias is None else BIASES[3 + _toward_center(bias)]
        figures[outlet["id"]] = {
            "article_count": articles[outlet["id"]],
            "bias": point,
            "bias_score": None if bias is None else float(bias),
            "side": None if point is None else _side(point),
            "factuality": None if level is None else LEVELS[math.ceil(level - Fraction(1, 2)) - 1],
            "factuality_score": None if level is None else float(level),
            "ownership": owners.get(outlet["id"]),
        }
    return figures


def _mean(values: Iterable[int]) -> Fraction | None:
    known = list(values)
    return Fraction(sum(known), len(known)) if known else None


def _toward_center(mean: Fraction) -> int:
    return int(math.copysign(math.ceil(abs(mean) - Fraction(1, 2)), mean))


def _side(point: str) -> str:
    return "CENTER" if point == "CENTER" else "LEFT" if BIASES.index(point) < 3 else "RIGHT"


def _reports(rows: Rows) -> dict[tuple[int, int], Row]:
    groups: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    for article in rows["articles"]:
        groups[article["story_id"], article["outlet_id"]].append(article)
    return {key: {"article_count": len(group), **_times(group)} for key, group in groups.items()}


def _times(articles: list[Row]) -> Row:
    first = min(articles, key=lambda article: (article["published_at"], article["id"]))
    weights = [article["published_at"].timestamp() / 21_600 for article in articles]
    return {
        "first_article_id": first["id"],
        "first_published_at": first["published_at"],
        "last_published_at": max(article["published_at"] for article in articles),
        "trend": max(weights) + math.log2(math.fsum(2 ** max(w - max(weights), -1000) for w in weights)),
    }


def _stories(rows: Rows) -> dict[int, Row]:
    outlets = _outlets(rows)
    articles: defaultdict[int, list[Row]] = defaultdict(list)
    for article in rows["articles"]:
        articles[article["story_id"]].append(article)
    return {story["id"]: _story(articles[story["id"]], outlets) for story in rows["stories"]}


def _story(articles: list[Row], outlets: Mapping[int, Row]) -> Row:
    members = [outlets[outlet_id] for outlet_id in {article["outlet_id"] for article in articles}]
    points = Counter(outlet["bias"] for outlet in members)
    sides = Counter(outlet["side"] for outlet in members if outlet["side"])
    levels = Counter(outlet["factuality"] for outlet in members)
    categories = Counter(outlet["ownership"] for outlet in members)
    most = max(sides.values(), default=0)
    leading = [side for side, count in sides.items() if count == most]
    names = ("first_article_id", "first_published_at", "last_published_at", "trend")
    times: Row = _times(articles) if articles else dict.fromkeys(names)
    return {
        "article_count": len(articles),
        "outlet_count": len(members),
        "bias_counts": [points[bias] for bias in BIASES],
        "factuality_counts": [levels[level] for level in LEVELS],
        "ownership_counts": [categories[category] for category in CATEGORIES],
        "left_count": sides["LEFT"],
        "center_count": sides["CENTER"],
        "right_count": sides["RIGHT"],
        "rated_count": sides.total(),
        "leading_side": leading[0] if len(leading) == 1 else None,
        "blindspot": _blindspot(sides),
        "last_reported_at": _last_reported_at(articles),
        **times,
    }


def _last_reported_at(articles: list[Row]) -> datetime | None:
    firsts: dict[int, datetime] = {}
    for article in articles:
        at = article["published_at"]
        firsts[article["outlet_id"]] = min(at, firsts.get(article["outlet_id"], at))
    return max(firsts.values(), default=None)


def _blindspot(sides: Counter[str]) -> str | None:
    rated = sides.total()
    if rated < 5:
        return None
    for side, opposite in (("LEFT", "RIGHT"), ("RIGHT", "LEFT")):
        part, other = Fraction(sides[side], rated), Fraction(sides[opposite], rated)
        if part <= Fraction(1, 5) and other >= Fraction(7, 20) and other >= 2 * part:
            return side
    return None


def _ancestors(rows: Rows) -> dict[int, set[int]]:
    parents = {topic["id"]: topic["parent_id"] for topic in rows["topics"]}
    above: dict[int, set[int]] = {}
    for topic in parents:
        above[topic], at = set(), topic
        while at is not None and at not in above[topic]:
            above[topic].add(at)
            at = parents[at]
    return above


def _shown(rows: Rows) -> set[int]:
    return {article["story_id"] for article in rows["articles"]}


def _tagged(rows: Rows, table: str, column: str, above: Mapping[int, set[int]]) -> set[tuple[int, int]]:
    """Pairs of shown story and value, all that the value is under with it."""
    shown = _shown(rows)
    return {(tag["story_id"], value) for tag in rows[table] if tag["story_id"] in shown for value in above[tag[column]]}


def _story_counts(rows: Rows, table: str, column: str, above: Mapping[int, set[int]]) -> dict[int, Row]:
    counts = Counter(value for _, value in _tagged(rows, table, column, above))
    return {value: {"story_count": counts[value]} for value in above}


def _outlet_days(rows: Rows) -> dict[Any, Row]:
    reports = Counter((key[1], report["first_published_at"].date()) for key, report in _reports(rows).items())
    articles = Counter((article["outlet_id"], article["published_at"].date()) for article in rows["articles"])
    return {
        key: {"report_count": reports[key], "article_count": articles[key]} for key in reports.keys() | articles.keys()
    }


def _topics(rows: Rows) -> Mapping[int, set[int]]:
    """Those of each story, with the topics above them."""
    topics: defaultdict[int, set[int]] = defaultdict(set)
    for story, topic in _tagged(rows, "story_topics", "topic_id", _ancestors(rows)):
        topics[story].add(topic)
    return topics


def _coverage_days(rows: Rows) -> dict[Any, Row]:
    places = {"bias": BIASES, "factuality": LEVELS, "ownership": CATEGORIES}
    rated = {
        outlet: {name: None if row[name] is None else values.index(row[name]) for name, values in places.items()}
        for outlet, row in _outlets(rows).items()
    }
    return coverage_days(rows["articles"], _reports(rows), _topics(rows), rows["story_topics"], rated)


def _coverage_hours(rows: Rows) -> dict[Any, Row]:
    sides = {outlet: row["side"] for outlet, row in _outlets(rows).items()}
    return coverage_hours(rows["articles"], _reports(rows), _topics(rows), sides)


def _facets(rows: Rows) -> dict[Any, Row]:
    stories = _stories(rows)
    stored_trends = {story["id"]: story["trend"] for story in rows["stories"]}
    countries = {outlet["id"]: outlet["country"] for outlet in rows["outlets"]}
    pairs = {(article["story_id"], article["outlet_id"]) for article in rows["articles"]}
    places = {place["id"]: {place["id"]} for place in rows["places"]}
    keys = {(story, "TOPIC", value) for story, value in _tagged(rows, "story_topics", "topic_id", _ancestors(rows))}
    keys |= {(story, "PLACE", value) for story, value in _tagged(rows, "story_places", "place_id", places)}
    keys |= {(story, "OUTLET", outlet) for story, outlet in pairs}
    for story, outlet in pairs:
        if country := countries[outlet]:
            keys.add((story, "COUNTRY", ord(country[0]) * 256 + ord(country[1])))
    return {key: _steps(key[1], stories[key[0]], stored_trends[key[0]]) for key in keys}


def _steps(facet: str, story: Row, trend: float) -> Row:
    coarse = facet == "OUTLET"
    step = timedelta(hours=24 if coarse else 4)
    count = story["outlet_count"]
    return {
        "latest": story["last_published_at"] - (story["last_published_at"] - YEAR_2000) % step,
        "newest": story["first_published_at"] - (story["first_published_at"] - YEAR_2000) % step,
        "coverage": count if not coarse or count < 8 else math.floor(4 * math.log(count) / math.log(2)) - 4,
        # From the stored trend: a recount's last bit must not tip it over a step.
        "trending": math.floor(trend / (4 if coarse else 1)),
        "blindspot": story["blindspot"],
    }
