from __future__ import annotations

from ipaddress import ip_network

import pytest

from service.access.addresses import account_of, is_within


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::/64"),
        ("0.0.0.0", "address:0.0.0.0"),  # noqa: S104 - nobody is served there
        ("a socket's name", "address:a socket's name"),
        ("", "address:"),
    ],
)
def test_an_address_is_counted_as_one_customer(address: str, account: str) -> None:
    assert account_of(address) == account


@pytest.mark.parametrize(
    ("address", "lies_within"),
    [
        ("198.51.100.7", True),
        ("::ffff:198.51.100.7", True),
        ("198.51.101.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("no address", False),
        ("", False),
    ],
)
def test_an_address_lies_in_one_of_the_networks_or_in_none(address: str, *, lies_within: bool) -> None:
    networks = ip_network("198.51.100.0/24"), ip_network("2001:db8::/32")
    assert is_within(address, networks) is lies_within
    assert not is_within(address, ())
