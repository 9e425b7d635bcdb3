"""Keys and tiers by the program, as whoever runs the service uses it."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.access.keys import is_well_formed, prefix_of
from tests.acceptance.program import run, serving
from tests.access_keys import PEPPER

pytestmark = pytest.mark.any_engine

VIEWER = "{ viewer { tier { name } apiKey { prefix name } } }"


@pytest.fixture
def settings(empty_database: str) -> dict[str, str]:
    return {"DATABASE_URL": empty_database, "KEY_PEPPER": PEPPER}


def parallax(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    done = run(*words, **settings)
    assert done.returncode == 0, done.stderr
    return done


def made(settings: dict[str, str], *words: str) -> str:
    return parallax(settings, "keys", "create", "--name", "A partner", "--tier", "free", *words).stdout.strip()


def listed(settings: dict[str, str]) -> list[dict[str, Any]]:
    return json.loads(parallax(settings, "keys", "list", "--json").stdout)


def viewer(url: str, key: str) -> httpx.Response:
    return httpx.post(f"{url}/graphql", json={"query": VIEWER}, headers={"authorization": f"Bearer {key}"})


@pytest.mark.parametrize(
    "command",
    [f"keys {name}" for name in ("create", "list", "revoke", "rotate", "log")] + ["tiers list", "tiers set"],
)
def test_every_command_tells_what_it_does(command: str) -> None:
    help_ = run(*command.split(), "--help")
    assert help_.returncode == 0
    assert help_.stdout.startswith(f"Usage: parallax {command}")


def test_a_new_key_stands_alone_on_standard_output(settings: dict[str, str]) -> None:
    done = parallax(settings, "keys", "create", "--name", "A partner", "--tier", "premium")
    key = done.stdout.removesuffix("\n")
    assert is_well_formed(key)
    assert key not in done.stderr
    assert "only time that it is shown" in done.stderr


def test_a_key_is_good_from_when_it_was_made_until_it_is_revoked(settings: dict[str, str]) -> None:
    with serving(**settings) as served:
        key = made(settings)
        answer = viewer(served.url, key).json()
        assert answer["data"]["viewer"] == {
            "tier": {"name": "free"},
            "apiKey": {"prefix": prefix_of(key), "name": "A partner"},
        }
        assert "is revoked" in parallax(settings, "keys", "revoke", prefix_of(key)).stderr
        revoked = time.monotonic()
        while viewer(served.url, key).status_code == 200:
            assert time.monotonic() - revoked < 5
            time.sleep(0.05)
        refused = viewer(served.url, key)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_keys_are_listed_without_their_secrets(settings: dict[str, str]) -> None:
    limits = ("--origin", "https://example.org", "--network", "192.0.2.0/24", "--network", "2001:db8::/32")
    key = made(settings, "--expires", "90d", *limits)
    later = made(settings, "--not-before", "2d")
    done = parallax(settings, "keys", "list")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["prefix", prefix_of(key), prefix_of(later)]
    first, second = listed(settings)
    assert (first["state"], second["state"]) == ("good", "not yet")
    assert (first["origins"], first["networks"]) == (["https://example.org"], ["192.0.2.0/24", "2001:db8::/32"])
    in_90_days = datetime.fromisoformat(first["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=89) < in_90_days <= timedelta(days=90)
    assert not {"digest", "pepper", "key"} & {*first}
    assert key[12:] not in done.stdout


def test_a_rotated_key_counts_beside_the_new_one_for_a_while(settings: dict[str, str]) -> None:
    old = made(settings, "--expires", "30d")
    done = parallax(settings, "keys", "rotate", prefix_of(old), "--overlap", "7d")
    new = done.stdout.removesuffix("\n")
    assert is_well_formed(new)
    before, after = listed(settings)
    assert (after["name"], after["tier"], after["replaces"]) == ("A partner", "free", prefix_of(old))
    assert datetime.fromisoformat(before["expiresAt"]) - datetime.now(UTC) <= timedelta(days=7)
    with serving(**settings) as served:
        assert [viewer(served.url, key).status_code for key in (old, new)] == [200, 200]
    again = run("keys", "rotate", prefix_of(old), "--overlap", "7d", **settings)
    assert (again.returncode, again.stdout) == (2, "")
    assert f"{prefix_of(new)} has taken its place" in again.stderr


def test_the_log_tells_who_changed_what(settings: dict[str, str]) -> None:
    key = made(settings)
    parallax(settings, "keys", "revoke", key)
    parallax(settings, "tiers", "set", "free", "--max-page-size", "99")
    told = parallax(settings, "keys", "log", "--most", "3").stdout
    _, tier, revoked, created = told.splitlines()
    assert "max_page_size: 100 → 99" in tier
    assert prefix_of(key) in revoked
    assert "revoked_at: - → " in revoked
    assert created.endswith("made")
    assert "parallax by " in created
    entries = json.loads(parallax(settings, "keys", "log", "--json", "--most", "1").stdout)
    assert (entries[0]["before"]["max_page_size"], entries[0]["after"]["max_page_size"]) == (100, 99)


def test_a_tier_is_made_listed_and_changed(settings: dict[str, str]) -> None:
    new = ("--rank", "40", "--cost-per-minute", "9000", "--max-cost-per-request", "900", "--features", "EXPORT")
    parallax(settings, "tiers", "set", "gold", *new)
    parallax(settings, "tiers", "set", "gold", "--features", "none", "--max-page-size", "10")
    tiers = json.loads(parallax(settings, "tiers", "list", "--json").stdout)
    assert tiers[-1] == {
        "name": "gold",
        "rank": 40,
        "features": [],
        "costPerMinute": 9000,
        "maxCostPerRequest": 900,
        "maxPageSize": 10,
        "keyCount": 0,
    }
    assert [line.split()[0] for line in parallax(settings, "tiers", "list").stdout.splitlines()] == [
        "name", "anonymous", "free", "premium", "vantage", "gold",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("keys create --name A --tier gold", 'no tier "gold": there are anonymous, free'),
        ("keys create --name A --tier free --expires 2020-01-01", "has passed"),
        ("keys create --name A --tier free --expires soon", "is no time"),
        ("keys create --name A --tier free --expires 1d --not-before 2d", "before it begins to count"),
        ("keys create --name A --tier free --origin example.org", "is no origin"),
        ("keys create --name A --tier free --network 192.0.2.1/24", "has host bits set"),
        ("keys create --tier free", "Missing option '--name'"),
        ("keys revoke plx_zzzzzzzz", "No key begins with plx_zzzzzzzz"),
        ("keys revoke plx_", "by its first 12 characters"),
        ("keys rotate plx_zzzzzzzz --overlap 1d", "No key begins with"),
        ("keys rotate plx_zzzzzzzz --overlap 1y", "is no length of time"),
        ("tiers set gold --rank 1", "to make one, give --cost-per-minute"),
        ("tiers set free --features TELEPATHY", "TELEPATHY: there are FACTUALITY"),
        ("tiers set free --max-cost-per-request 900000000", "between 1 and that of a minute"),
    ],
)
def test_what_cannot_be_done_is_told(settings: dict[str, str], words: str, told: str) -> None:
    done = run(*words.split(), **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", ["serve", "keys create --name A --tier free", "keys rotate plx_zzzzzzzz --overlap 1d"]
)
def test_without_a_pepper_no_key_is_made_nor_known(empty_database: str, words: str) -> None:
    done = run(*words.split(), DATABASE_URL=empty_database, KEY_PEPPER="", PORT="0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: PARALLAX_KEY_PEPPER: nothing was given")
    assert "This would do: PARALLAX_KEY_PEPPER=" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "keys list", "doctor"])
def test_a_pepper_that_is_too_short_is_told_without_showing_it(empty_database: str, command: str) -> None:
    done = run(*command.split(), DATABASE_URL=empty_database, KEY_PEPPER="hunter2", PORT="0")
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "PARALLAX_KEY_PEPPER: what was given (kept secret) will not do: " in told
    assert "hunter2" not in told


def test_a_key_can_be_revoked_by_who_has_no_pepper(settings: dict[str, str]) -> None:
    key = made(settings)
    assert "is revoked" in parallax({**settings, "KEY_PEPPER": ""}, "keys", "revoke", key).stderr


def test_doctor_finds_a_pepper_that_is_missing_or_another(settings: dict[str, str]) -> None:
    made(settings)
    good = run("doctor", **settings)
    assert good.returncode == 0
    assert "1 that count, all kept by this pepper" in good.stdout
    other = run("doctor", **{**settings, "KEY_PEPPER": "another pepper, as long"})
    assert other.returncode == 1
    assert "were made with another PARALLAX_KEY_PEPPER" in other.stdout
    missing = run("doctor", **{**settings, "KEY_PEPPER": ""})
    assert missing.returncode == 1
    assert "PARALLAX_KEY_PEPPER: nothing was given" in missing.stdout


def test_beside_the_embedded_postgres_the_pepper_is_kept_with_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    settings = {"DATA_DIR": str(tmp_path / "data")}
    keys = [made(settings) for _ in range(2)]
    assert (tmp_path / "data" / "key-pepper").stat().st_mode & 0o777 == 0o600
    with serving(**settings) as served:
        assert [viewer(served.url, key).status_code for key in keys] == [200, 200]
