"""What a setting can be that is more than a number or a word, read from a variable's text. What is wrong is told."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

FeatureName = Literal["FACTUALITY", "OWNERSHIP", "PERSPECTIVES", "HISTORY", "EXPORT"]

_ORIGIN = re.compile(r"(https?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PUBLIC = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_POSTGRES = ("postgresql://", "postgres://")
_REDIS = ("redis://", "rediss://", "redis+cluster://", "rediss+cluster://")
_BETWEEN_URLS = re.compile(r"[,\s]+(?=postgres(?:ql)?://)")
_REDIS_PATH = re.compile(r"/?|/[0-9]{1,9}", re.ASCII)


def origin_of(text: str) -> str:
    """An origin as browsers send it, however large its letters were written. Raises ValueError with what would do."""
    origin = text.lower()
    match = _ORIGIN.fullmatch(origin)
    if match is None or match[2] == _DEFAULT_PORTS[match[1]]:
        advice = "write it as browsers send it, https://example.org: no path, no port that goes without saying"
        raise ValueError(f'"{text}" is no origin: {advice}')
    return origin


def addresses_of(url: str) -> list[tuple[str, int | None]]:
    """The hosts that a URL names, several of Postgres' separated by commas, each with its port where it tells one.

    Raises ValueError, whose text may show a part of the password.
    """
    told = urlsplit(url)
    hosts = [urlsplit(f"//{each}") for each in told.netloc.rpartition("@")[2].split(",")]
    return [(host.hostname or "", host.port) for host in hosts]


def _features(value: object) -> object:
    return _parts(value.upper()) if isinstance(value, str) else value


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(each if each == "*" else origin_of(each) for each in _parts(value))


def _networks(value: object) -> object:
    return frozenset(map(ip_network, _parts(value))) if isinstance(value, str) else value


def _postgres_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        _check_url(value.get_secret_value(), _POSTGRES, "it must begin with postgresql://")
    return value


def _postgres_urls(value: object) -> object:
    # A URL may name several hosts, separated by commas too.
    return tuple(filter(None, _BETWEEN_URLS.split(value.strip(" ,")))) if isinstance(value, str) else value


def _each_postgres_url(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for value in values:
        _postgres_url(value)
    return values


def _redis_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        url = value.get_secret_value()
        _check_url(url, _REDIS, "it must begin with redis://, rediss://, redis+cluster:// or rediss+cluster://")
        # The client would take the database 0 instead, and share it with whoever does.
        if not _REDIS_PATH.fullmatch(urlsplit(url).path):
            raise ValueError("what follows the address must be the number of a database")
    return value


def _public_url(value: str | None) -> str | None:
    if value is None:
        return None
    url = value.rstrip("/")
    if not _PUBLIC.fullmatch(url):
        raise ValueError("it must be http:// or https:// with a host, and a path at most")
    return url


def _traces_url(value: str | None) -> str | None:
    if value is not None:
        _check_url(value, ("http://", "https://"), "it must begin with http:// or https://")
    return value


def _check_url(url: str, beginnings: tuple[str, ...], otherwise: str) -> None:
    if not url.startswith(beginnings):
        raise ValueError(otherwise)
    try:
        readable = all(port != 0 for _, port in addresses_of(url))
    except ValueError:  # its text would show a part of the password
        readable = False
    if not readable:
        raise ValueError("it cannot be read as a URL; in a password, write / ? # @ : as %2F %3F %23 %40 %3A")


def _parts(value: str) -> frozenset[str]:
    return frozenset(part.strip() for part in value.split(",") if part.strip())


# Sets are separated by commas; of pydantic's own they would be JSON.
Features = Annotated[frozenset[FeatureName], NoDecode, BeforeValidator(_features)]
Origins = Annotated[frozenset[str], NoDecode, BeforeValidator(_origins)]
Networks = Annotated[frozenset[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_networks)]

PostgresUrl = Annotated[SecretStr | None, AfterValidator(_postgres_url)]
PostgresUrls = Annotated[
    tuple[SecretStr, ...], NoDecode, BeforeValidator(_postgres_urls), AfterValidator(_each_postgres_url)
]
RedisUrl = Annotated[SecretStr | None, AfterValidator(_redis_url)]
TracesUrl = Annotated[str | None, AfterValidator(_traces_url)]
PublicUrl = Annotated[str | None, AfterValidator(_public_url)]
