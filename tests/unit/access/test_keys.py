from __future__ import annotations

import hashlib
import hmac
import re
import string
import zlib

import pytest

from service.access.keys import digest_of, is_well_formed, new_key, prefix_of

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def test_a_key_is_a_mark_a_secret_of_at_least_160_bits_and_a_check_of_six() -> None:
    key = new_key()
    match = re.fullmatch(r"plx_([0-9A-Za-z]+)([0-9A-Za-z]{6})", key)
    assert match
    assert 62 ** len(match[1]) > 2**160
    assert sum(DIGITS.index(digit) * 62**place for place, digit in enumerate(reversed(match[2]))) == zlib.crc32(
        match[1].encode()
    )


def test_no_two_keys_are_the_same() -> None:
    assert len({new_key() for _ in range(1_000)}) == 1_000


def test_every_digit_is_drawn() -> None:
    assert {*"".join(new_key()[4:-6] for _ in range(200))} == {*DIGITS}


def test_a_new_key_is_well_formed() -> None:
    assert all(is_well_formed(new_key()) for _ in range(100))


def test_a_typing_error_anywhere_is_noticed() -> None:
    key = new_key()
    for place in range(len(key)):
        wrong = "x" if key[place] != "x" else "y"
        assert not is_well_formed(key[:place] + wrong + key[place + 1 :])


def test_two_neighbours_that_were_swapped_are_noticed() -> None:
    key = new_key()
    for place in range(4, len(key) - 1):
        swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
        assert swapped == key or not is_well_formed(swapped)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "plx_",
        "plx",
        "x" * 100_000,
        "plx_" + "٣" * 36,
        "plx_" + "é" * 36,
        "plx_" + "\ud800" * 36,
        "plx_\0" + "a" * 35,
    ],
)
def test_what_is_no_key_is_told_from_one(wrong: str) -> None:
    assert not is_well_formed(wrong)


@pytest.mark.parametrize("around", ["{}\n", "\n{}", " {}", "{} ", "{}\0", "{}a"])
def test_nothing_may_stand_around_a_key(around: str) -> None:
    assert not is_well_formed(around.format(new_key()))


def test_what_is_kept_is_an_hmac_by_the_pepper() -> None:
    key, pepper = new_key(), b"sixteen bytes or more"
    assert digest_of(key, pepper) == hmac.new(pepper, key.encode(), hashlib.sha256).digest()
    assert digest_of(key, pepper) != digest_of(key, pepper + b".")


@pytest.mark.parametrize("odd", ["", "\ud800", "é", "x" * 100_000])
def test_whatever_was_sent_has_a_digest(odd: str) -> None:
    assert len(digest_of(odd, b"sixteen bytes or more")) == 32


def test_what_is_shown_of_a_key_leaves_its_secret_beyond_guessing() -> None:
    key = new_key()
    shown = prefix_of(key)
    assert key.startswith(shown)
    assert len(shown) == 12
    assert 62 ** (len(key) - len(shown) - 6) > 2**128
