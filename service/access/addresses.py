"""Addresses that callers come from: whom they are counted as, and which networks they lie in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MOST = 5_000
"""Addresses that are remembered."""

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=MOST)
def account_of(address: str) -> str:
    """What a caller is counted by of whom only the address is known; of IPv6 the /64 that one customer has."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return f"address:{ip_network((int(parsed) >> 64 << 64, 64))}"
    return f"address:{parsed or address}"


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """The address, of IPv4 also where it is written as one of IPv6; None where it is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None) or parsed
