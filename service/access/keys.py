"""What a key looks like, and what is kept of it. The key itself is kept nowhere.

A key is `plx_`, a secret in base62, and six characters that check it: a typing error never reaches the database, and
whoever looks for leaked keys knows one when they see it.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
import zlib

MARK = "plx_"
SECRET_LENGTH = 30
"""Characters: 178 bits drawn by lot."""
CHECK_LENGTH = 6
SHOWN_LENGTH = 12
"""Characters by which a key is known to those who gave it: the mark and eight of the secret."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(rf"{MARK}([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})", re.ASCII)


def new_key() -> str:
    """A key that nobody has."""
    secret = "".join(secrets.choice(_DIGITS) for _ in range(SECRET_LENGTH))
    return MARK + secret + _check(secret)


def is_well_formed(key: str) -> bool:
    """Whether a text has the form of a key, and its check is right."""
    match = _FORM.fullmatch(key)
    return match is not None and hmac.compare_digest(_check(match[1]), match[2])


def digest_of(key: str, pepper: bytes) -> bytes:
    """What is kept in place of a key: HMAC-SHA-256."""
    return hmac.digest(pepper, key.encode("utf-8", "surrogatepass"), "sha256")


def prefix_of(key: str) -> str:
    """The part of a key that may be shown."""
    return key[:SHOWN_LENGTH]


def _check(secret: str) -> str:
    """CRC-32 of the secret in base62, the most significant digit first."""
    rest, digits = zlib.crc32(secret.encode()), ""
    for _ in range(CHECK_LENGTH):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
