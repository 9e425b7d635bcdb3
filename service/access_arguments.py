"""What the commands for keys and tiers are given, read from what was typed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import get_args

import click

from service.setting_types import FeatureName, origin_of

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d{1,6}[wdhms])+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NO_FEATURES = "none"
LATEST = datetime(9998, 12, 31, tzinfo=UTC)


class Duration(click.ParamType[timedelta]):
    """A length of time, such as 90d or 1h30m."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        read = value if isinstance(value, timedelta) else _duration(str(value))
        if read is None:
            self.fail(f'"{value}" is no length of time: write 90d, 12h or 1h30m (w, d, h, m, s).', param, ctx)
        return read


class When(click.ParamType[datetime]):
    """A point in time: a day (its beginning in UTC), a time with its zone, or a length of time from now."""

    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        text = str(value)
        duration = _duration(text)
        try:
            if duration is not None:
                read = datetime.now(UTC) + duration
            else:
                read = datetime.fromisoformat(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
        except (ValueError, OverflowError):
            self.fail(f'"{text}" is no time: write 2027-01-31, 2027-01-31T12:00:00Z, or 90d from now.', param, ctx)
        if read.tzinfo is None:
            self.fail(f'"{text}" names no time zone: end it with Z for UTC, or with an offset as +01:00.', param, ctx)
        if read > LATEST:
            self.fail(f'"{text}" lies too far ahead: leave it out where there is to be no end.', param, ctx)
        return read


class Origin(click.ParamType[str]):
    """Where pages come from, as browsers send it: https://example.org."""

    name = "origin"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return origin_of(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class Network(click.ParamType[str]):
    """A network of addresses, or one address."""

    name = "cidr"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            network = ip_network(str(value))
        except ValueError as error:
            self.fail(f"{error}: write 192.0.2.0/24, 2001:db8::/32, or one address.", param, ctx)
        return str(_as_callers_have_it(network))


class Features(click.ParamType[frozenset[str]]):
    """Features, separated by commas, or none."""

    name = "features"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        given = {name.strip().upper() for name in str(value).split(",")}
        if given == {NO_FEATURES.upper()}:
            return frozenset()
        known = get_args(FeatureName)
        if unknown := given - {*known}:
            named = ", ".join(sorted(unknown)) or "nothing"
            self.fail(f"{named}: there are {', '.join(known)}; or write {NO_FEATURES}.", param, ctx)
        return frozenset(given)


def _as_callers_have_it(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """The network of IPv4 where one of IPv6 stands for it: addresses are told by their own."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return IPv4Network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen >= 96 else network


def _duration(text: str) -> timedelta | None:
    if not _DURATION.fullmatch(text):
        return None
    parts = re.findall(r"(\d+)(\w)", text)
    try:
        return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
    except OverflowError:
        return None
