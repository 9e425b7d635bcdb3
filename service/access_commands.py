"""The commands `parallax keys` and `parallax tiers`. A new key is alone on standard output, for programs to take."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.access_arguments import Duration, Features, Network, Origin, When
from service.console import (
    Failure,
    migrated,
    print_json,
    print_table,
    settings_or_failure,
    tell,
    text_of,
    time_of,
    told,
)
from service.settings import SettingsError

if TYPE_CHECKING:
    from service.access.keeping import Keeping

T = TypeVar("T")


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke keys.

    What is changed holds in every process within 5 seconds. A key is known by its first 12 characters, its PREFIX.
    """


@keys.command()
@click.option("--name", required=True, help="Whose key it is, or what for.")
@click.option("--tier", required=True, help="What its holder may see and spend: `parallax tiers list` names them.")
@click.option(
    "--expires", type=When(), help="When it ceases to count: a day, a time, or 90d from now. Without it, never."
)
@click.option("--not-before", type=When(), help="When it begins to count. Without it, at once.")
@click.option("--origin", "origins", multiple=True, type=Origin(), help="Let it count for pages of that origin only.")
@click.option("--network", "networks", multiple=True, type=Network(), help="Let it count from those addresses only.")
def create(
    *,
    name: str,
    tier: str,
    expires: datetime | None,
    not_before: datetime | None,
    origins: tuple[str, ...],
    networks: tuple[str, ...],
) -> None:
    """Make a key and print it, once and for ever: it is kept nowhere.

    --origin and --network can be given several times.
    """
    from service.access.keeping import NewKey

    _lies_ahead(expires)
    if expires and not_before and expires <= not_before:
        raise Failure(f"The key would expire ({time_of(expires)}) before it begins to count ({time_of(not_before)}).")
    new = NewKey(name, tier, not_before, expires, tuple(sorted({*origins})), tuple(sorted({*networks})))
    with _keeping() as (keeping, pepper):
        _show(_done(keeping.create(new, pepper())), keeping, pepper())


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(*, as_json: bool) -> None:
    """List all keys, oldest first."""
    with _keeping() as (keeping, _):
        found = [_shown_key(key) for key in _done(keeping.keys())]
    if as_json:
        print_json(found)
    else:
        columns = ("prefix", "name", "tier", "state", "expiresAt", "lastUsedAt", "replaces", "origins", "networks")
        print_table(columns, ([key[column] for column in columns] for key in found))


@keys.command()
@click.argument("prefix")
def revoke(*, prefix: str) -> None:
    """Revoke a key for good; streams that it opened are closed."""
    with _keeping() as (keeping, _):
        whole, before = _done(keeping.revoke(prefix))
    tell(f"{whole} was revoked before, {time_of(before)}." if before else f"{whole} is revoked.")


@keys.command()
@click.argument("prefix")
@click.option("--overlap", required=True, type=Duration(), help="For how long the old key still counts, such as 7d.")
@click.option(
    "--expires", type=When(), help="When the new key ceases to count. Without it, when the old one would have."
)
def rotate(*, prefix: str, overlap: timedelta, expires: datetime | None) -> None:
    """Put a new key in a key's place and print it: the same name, tier and limits.

    The old one expires after the overlap, and never later than it would have anyway.
    """
    _lies_ahead(expires)
    with _keeping() as (keeping, pepper):
        rotated = _done(keeping.rotate(prefix, overlap, pepper(), expires))
        tell(f"{rotated.old_prefix} counts until {time_of(rotated.old_expires_at)}.")
        _show(rotated.key, keeping, pepper())


@keys.command()
@click.option("--most", default=50, show_default=True, type=click.IntRange(min=1), help="How many changes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def log(*, most: int, as_json: bool) -> None:
    """Tell what was changed about keys and tiers, newest first, and by whom."""
    with _keeping() as (keeping, _):
        found = _done(keeping.log(most))
    if as_json:
        print_json([_shown_entry(entry) for entry in found])
        return
    columns = ("at", "role", "application", "subject", "name", "change")
    print_table(columns, ([*(entry[column] for column in columns[:-1]), _change(entry)] for entry in found))


@click.group()
def tiers() -> None:
    """List and change tiers: what callers may see and spend."""


@tiers.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_tiers(*, as_json: bool) -> None:
    """List all tiers by rank, with how many keys each has that count or will."""
    with _keeping() as (keeping, _):
        found = [{_camel(name): value for name, value in tier.items()} for tier in _done(keeping.tiers())]
    if as_json:
        print_json(found)
    else:
        print_table(list(found[0]), (list(tier.values()) for tier in found))


@tiers.command("set")
@click.argument("name")
@click.option(
    "--rank",
    type=click.IntRange(-(2**31), 2**31 - 1),
    help="Its place: of tiers with a feature, callers are told the least.",
)
@click.option("--features", type=Features(), help="All that it includes, separated by commas, or none.")
@click.option("--cost-per-minute", type=click.IntRange(1, 10**9), help="What a caller may spend in a minute.")
@click.option("--max-cost-per-request", type=click.IntRange(1, 10**9), help="What one operation may cost.")
@click.option("--max-page-size", type=click.IntRange(1, 1000), help="The most items in a page.")
def set_tier(*, name: str, **change: Any) -> None:
    """Change a tier, or make a new one.

    What is not given stays as it is. The tier anonymous is that of callers without a key.
    """
    from service.access.keeping import TierChange

    with _keeping() as (keeping, _):
        tier = _done(keeping.put_tier(name, TierChange(**change)))
    features = ", ".join(sorted(tier.features)) or "no features"
    tell(
        f"{tier.name}: rank {tier.rank}, {features}, {tier.cost_per_minute:,} a minute, {tier.max_cost_per_request:,} "
        f"a request, pages of {tier.max_page_size:,}."
    )


@contextmanager
def _keeping() -> Generator[tuple[Keeping, Any]]:
    """The keys and tiers of the database, and what gives the pepper to those who make keys."""
    from service.access.keeping import Keeping
    from service.access.pepper import pepper_of

    settings = settings_or_failure()

    def pepper() -> bytes:
        with told(SettingsError):
            return pepper_of(settings)

    with migrated(settings) as dsn:
        yield Keeping(dsn, _whoever_asks()), pepper


def _show(key: str, keeping: Keeping, pepper: bytes) -> None:
    """Prints a new key first of all, for nobody can have it again."""
    tell(f"{key[:12]} was made. This is the only time that it is shown:")
    click.echo(key)
    _, foreign = _done(keeping.peppers(pepper))
    if foreign:
        tell(f"{foreign:,} keys were made with another PARALLAX_KEY_PEPPER: the service knows those made with its own.")


def _done(work: Coroutine[Any, Any, T]) -> T:
    import asyncpg

    from service.access.keeping import Refused
    from service.db.state import Unreachable

    try:
        with told(Refused, Unreachable):
            return asyncio.run(work)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"The database refused: {error}. Nothing was changed.") from None


def _whoever_asks() -> str:
    """Whom the log names: the user of the operating system, at this machine. Postgres keeps 63 characters of it."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"parallax by {user}@{socket.gethostname()}"[:63]


def _lies_ahead(expires: datetime | None) -> None:
    if expires and expires <= datetime.now(UTC):
        raise Failure(f"{time_of(expires)} has passed: the key would never count.")


def _shown_key(key: dict[str, Any]) -> dict[str, Any]:
    return {_camel(name): value for name, value in key.items()} | {"state": _state(key)}


def _state(key: dict[str, Any]) -> str:
    now = datetime.now(UTC)
    if key["revoked_at"]:
        return "revoked"
    if key["expires_at"] and key["expires_at"] <= now:
        return "expired"
    return "not yet" if key["not_before"] and key["not_before"] > now else "good"


def _shown_entry(entry: dict[str, Any]) -> dict[str, Any]:
    import orjson

    return entry | {side: entry[side] and orjson.loads(entry[side]) for side in ("before", "after")}


def _change(entry: dict[str, Any]) -> str:
    shown = _shown_entry(entry)
    before, after = shown["before"], shown["after"]
    if before is None or after is None:
        return "removed" if before else "made"
    changed = (name for name in after if before.get(name) != after[name])
    return ", ".join(f"{name}: {text_of(before.get(name))} → {text_of(after[name])}" for name in changed) or "nothing"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
