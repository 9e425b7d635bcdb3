from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.access.pepper import FILE, fingerprint_of, pepper_of
from service.settings import Settings, SettingsError

DATABASE = SecretStr("postgresql://localhost/news")


def test_the_pepper_that_is_set_is_used(tmp_path: Path) -> None:
    settings = Settings(key_pepper=SecretStr("hunter2hunter2hunter2"), data_dir=tmp_path)
    assert pepper_of(settings) == b"hunter2hunter2hunter2"
    assert [*tmp_path.iterdir()] == []


def test_beside_an_embedded_postgres_one_is_made_for_good_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "deep" / "data")
    pepper = pepper_of(settings)
    assert len(pepper) >= 32
    assert pepper_of(settings) == pepper
    (kept,) = settings.data_dir.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_each_installation_makes_its_own(tmp_path: Path) -> None:
    assert pepper_of(Settings(data_dir=tmp_path / "a")) != pepper_of(Settings(data_dir=tmp_path / "b"))


def test_of_many_who_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    for attempt in range(20):
        settings = Settings(data_dir=tmp_path / str(attempt))
        with ThreadPoolExecutor(8) as many:
            assert len({*many.map(pepper_of, [settings] * 8)}) == 1
        assert [path.name for path in settings.data_dir.iterdir()] == [FILE]


def test_another_database_needs_one_that_is_set() -> None:
    with pytest.raises(
        SettingsError, match=r"^PARALLAX_KEY_PEPPER: nothing was given.*This would do: PARALLAX_KEY_PEP"
    ):
        pepper_of(Settings(database_url=DATABASE))


@pytest.mark.parametrize("damaged", ["", "short", "\n" * 40])
def test_a_pepper_that_was_damaged_is_not_used(tmp_path: Path, damaged: str) -> None:
    (tmp_path / FILE).write_text(damaged)
    with pytest.raises(SettingsError, match="is damaged") as told:
        pepper_of(Settings(data_dir=tmp_path))
    assert "short" not in str(told.value)


def test_where_none_can_be_kept_the_folder_is_named_as_what_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"^PARALLAX_DATA_DIR: no pepper"):
        pepper_of(Settings(data_dir=Path("/dev/null/data")))


def test_peppers_are_told_apart_by_a_fingerprint_that_holds_little_of_them() -> None:
    assert fingerprint_of(b"one pepper of many") == fingerprint_of(b"one pepper of many")
    assert fingerprint_of(b"one pepper of many") != fingerprint_of(b"two peppers of many")
    assert len(fingerprint_of(b"one pepper of many")) == 4
