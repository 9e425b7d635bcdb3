"""The secret without which what is kept of keys is of no use to whoever steals it."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from service.settings import PREFIX, Settings, SettingsError

FILE = "key-pepper"
LEAST = 16
"""Bytes that a pepper has at least."""
EXAMPLE = f'{PREFIX}KEY_PEPPER="$(openssl rand -base64 32)"'


def pepper_of(settings: Settings) -> bytes:
    """The pepper that is set; beside an embedded Postgres, one that is made and kept there. Raises SettingsError."""
    if settings.key_pepper is not None:
        return settings.key_pepper.get_secret_value().encode()
    if settings.database_url is not None:
        raise SettingsError(
            f"{PREFIX}KEY_PEPPER: nothing was given, and {PREFIX}DATABASE_URL needs one: keys are kept by it. It must "
            f"stay the same, for keys made by one are not known by another. This would do: {EXAMPLE}"
        )
    path = settings.data_dir / FILE
    try:
        pepper = _kept(path)
    except OSError as error:
        raise SettingsError(f"{PREFIX}DATA_DIR: no pepper for keys can be kept there: {error.strerror}.") from None
    if len(pepper) < LEAST:
        raise SettingsError(
            f"{PREFIX}DATA_DIR: the pepper in {path} is damaged: bring it back from a backup. Without one, remove it, "
            "and make all keys anew."
        )
    return pepper


def fingerprint_of(pepper: bytes) -> bytes:
    """What tells two peppers apart; kept beside each key."""
    return hmac.digest(pepper, b"which pepper this is", "sha256")[:4]


def _kept(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
        mine.touch(mode=0o600, exist_ok=False)
        try:
            with mine.open("w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())  # a key that counts must not outlive its pepper
            os.link(mine, path)  # whoever is first; the others read that one
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_bytes().strip()
