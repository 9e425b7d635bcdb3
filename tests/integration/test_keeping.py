"""Keys and tiers, as whoever runs the service changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from service.access.keeping import Keeping, Refused, TierChange
from service.access.keys import digest_of, is_well_formed, new_key, prefix_of
from service.access.pepper import fingerprint_of
from tests.access_keys import PEPPER, made_key

BY = PEPPER.encode()
DAY = timedelta(days=1)


@pytest.fixture
def keeping(empty_database: str) -> Keeping:
    return Keeping(empty_database, "parallax by a test")


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


async def listed(keeping: Keeping, key: str) -> dict[str, Any]:
    (found,) = [each for each in await keeping.keys() if each["prefix"] == prefix_of(key)]
    return found


async def test_of_a_key_only_its_digest_and_its_beginning_are_kept(empty_database: str, conn: Any) -> None:
    key = await made_key(empty_database)
    assert is_well_formed(key)
    row = await conn.fetchrow("select * from api_keys")
    assert (row["prefix"], row["digest"], row["pepper"]) == (key[:12], digest_of(key, BY), fingerprint_of(BY))
    secret = key[12:-6]
    for table in ("api_keys", "access_log", "tiers"):
        assert secret not in await conn.fetchval(f"select coalesce(string_agg(t::text, ''), '') from {table} t")


async def test_a_key_of_a_tier_that_there_is_not_is_not_made(empty_database: str, keeping: Keeping) -> None:
    with pytest.raises(Refused, match='no tier "gold": there are anonymous, free, premium, vantage'):
        await made_key(empty_database, "gold")
    assert await keeping.keys() == []


async def test_a_key_whose_beginning_is_taken_is_drawn_again(
    empty_database: str, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = await made_key(empty_database)
    drawn = [taken, new_key()]
    monkeypatch.setattr("service.access.keeping.new_key", lambda: drawn.pop(0))
    assert await made_key(empty_database) != taken
    assert len(await keeping.keys()) == 2


async def test_a_rotated_key_gives_all_that_holds_for_it_to_the_new_one(empty_database: str, keeping: Keeping) -> None:
    end = datetime.now(UTC) + 30 * DAY
    terms = {"expires_at": end, "origins": ("https://example.org",), "networks": ("192.0.2.0/24",)}
    old = await made_key(empty_database, "premium", **terms)
    rotated = await keeping.rotate(prefix_of(old), 7 * DAY, BY, None)
    before, after = await listed(keeping, old), await listed(keeping, rotated.key)
    same = ("name", "tier", "origins", "networks", "not_before")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert (after["expires_at"], after["replaces"]) == (end, prefix_of(old))
    assert before["expires_at"] == rotated.old_expires_at
    assert abs(rotated.old_expires_at - datetime.now(UTC) - 7 * DAY) < timedelta(minutes=1)


async def test_a_rotated_key_does_not_count_longer_than_it_would_have(empty_database: str, keeping: Keeping) -> None:
    end = datetime.now(UTC) + DAY
    old = await made_key(empty_database, expires_at=end)
    rotated = await keeping.rotate(old, 7 * DAY, BY, end + 365 * DAY)
    assert rotated.old_expires_at == end
    assert (await listed(keeping, rotated.key))["expires_at"] == end + 365 * DAY


async def test_of_many_who_rotate_a_key_at_once_one_does(empty_database: str, keeping: Keeping) -> None:
    old = await made_key(empty_database)
    done = await asyncio.gather(*(keeping.rotate(old, DAY, BY, None) for _ in range(8)), return_exceptions=True)
    made = [each for each in done if not isinstance(each, BaseException)]
    assert len(made) == 1
    assert all(f"{made[0].key[:12]} has taken its place" in str(each) for each in done if isinstance(each, Refused))
    assert len([each for each in done if isinstance(each, Refused)]) == 7
    assert len(await keeping.keys()) == 2


async def test_a_key_that_is_rotated_and_revoked_at_once_is_revoked(empty_database: str, keeping: Keeping) -> None:
    for _ in range(5):
        old = await made_key(empty_database)
        await asyncio.gather(keeping.rotate(old, DAY, BY, None), keeping.revoke(prefix_of(old)), return_exceptions=True)
        assert (await listed(keeping, old))["revoked_at"]


@pytest.mark.parametrize("change", ["revoked_at = now()", "expires_at = now()"])
async def test_a_key_that_does_not_count_is_not_rotated(
    empty_database: str, keeping: Keeping, conn: Any, change: str
) -> None:
    old = await made_key(empty_database)
    await conn.execute(f"update api_keys set {change}")
    with pytest.raises(Refused, match="does not count any more"):
        await keeping.rotate(old, DAY, BY, None)
    assert len(await keeping.keys()) == 1


async def test_where_a_rotation_fails_nothing_was_changed(empty_database: str, keeping: Keeping) -> None:
    old = await made_key(empty_database)
    with pytest.raises(Refused, match="between the years 1970 and 9999"):
        await keeping.rotate(old, 9_000 * 365 * DAY, BY, None)
    assert (await listed(keeping, old))["expires_at"] is None
    assert len(await keeping.keys()) == 1


async def test_a_key_is_revoked_once_and_for_good(empty_database: str, keeping: Keeping) -> None:
    key = await made_key(empty_database)
    assert await keeping.revoke(key[:8]) == (key[:12], None)
    since = (await listed(keeping, key))["revoked_at"]
    assert await keeping.revoke(key) == (key[:12], since)
    assert (await listed(keeping, key))["revoked_at"] == since


@pytest.mark.parametrize("slip", ["", "plx_", "plx_abc", "%", "plx%_____", "other_prefix"])
async def test_too_little_of_a_key_names_none(empty_database: str, keeping: Keeping, slip: str) -> None:
    await made_key(empty_database)
    with pytest.raises(Refused, match="first 12 characters"):
        await keeping.revoke(slip)


async def test_a_key_that_is_unknown_or_one_of_several_is_told(
    empty_database: str, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [f"plx_AAAA{number}" + new_key()[9:] for number in range(2)]
    monkeypatch.setattr("service.access.keeping.new_key", lambda: drawn.pop(0))
    one, two = [prefix_of(await made_key(empty_database)) for _ in range(2)]
    with pytest.raises(Refused, match=f"{one}, {two} all begin with plx_AAAA"):
        await keeping.revoke("plx_AAAA")
    with pytest.raises(Refused, match="No key begins with plx_____"):
        await keeping.revoke("plx_____")
    assert await keeping.revoke("plx_AAAA1") == (two, None)


async def test_a_tier_is_changed_only_in_what_was_told(keeping: Keeping) -> None:
    before = {tier["name"]: tier for tier in await keeping.tiers()}["premium"]
    await keeping.put_tier("premium", TierChange(max_page_size=50))
    after = {tier["name"]: tier for tier in await keeping.tiers()}["premium"]
    assert after == before | {"max_page_size": 50}


async def test_a_new_tier_has_to_be_told_whole(empty_database: str, keeping: Keeping) -> None:
    with pytest.raises(Refused, match="to make one, give --cost-per-minute, --max-cost-per-request too"):
        await keeping.put_tier("gold", TierChange(rank=40))
    tier = await keeping.put_tier("gold", TierChange(rank=40, cost_per_minute=100, max_cost_per_request=50))
    assert (tier.features, tier.max_page_size) == (frozenset(), 100)
    assert await made_key(empty_database, "gold")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("premium", TierChange(max_cost_per_request=10**9), "between 1 and that of a minute"),
        ("premium", TierChange(cost_per_minute=1), "between 1 and that of a minute"),
        ("premium", TierChange(max_page_size=1_001), "1 to 1,000 items"),
        ("premium", TierChange(rank=0), "Another tier has that rank"),
        ("Gold", TierChange(rank=40, cost_per_minute=1, max_cost_per_request=1), "begins with a letter"),
    ],
)
async def test_a_tier_that_would_make_no_sense_is_refused(
    keeping: Keeping, name: str, change: TierChange, told: str
) -> None:
    before = await keeping.tiers()
    with pytest.raises(Refused, match=told):
        await keeping.put_tier(name, change)
    assert await keeping.tiers() == before


async def test_the_log_tells_who_changed_what(empty_database: str, keeping: Keeping) -> None:
    key = await made_key(empty_database)
    await keeping.revoke(key)
    await keeping.put_tier("free", TierChange(max_page_size=99))
    latest = await keeping.log(3)
    assert [(each["application"], each["subject"], each["name"]) for each in latest] == [
        ("parallax by a test", "tier", "free"),
        ("parallax by a test", "key", key[:12]),
        ("tests", "key", key[:12]),
    ]


async def test_keys_made_with_another_pepper_are_counted(empty_database: str, keeping: Keeping) -> None:
    for _ in range(2):
        await made_key(empty_database)
    assert await keeping.peppers(BY) == (2, 0)
    assert await keeping.peppers(b"another pepper, as long") == (0, 2)
