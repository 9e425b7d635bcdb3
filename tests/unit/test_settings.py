from pathlib import Path

import pytest

from service.db.state import place
from service.settings import Settings, SettingsError, read_settings
from service.settings_page import settings_page

ROOT = Path(__file__).parents[2]


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = read_settings()
    assert settings.database_url is None
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path(".parallax"))
    assert (settings.max_body_bytes, settings.max_tokens, settings.max_depth) == (100_000, 1_000, 12)
    assert (settings.max_introspection_depth, settings.max_introspection_fields) == (16, 2_000)
    assert (settings.max_aliases, settings.max_root_fields, settings.max_page_size) == (30, 10, 1_000)
    assert (settings.max_response_bytes, settings.operation_timeout) == (5_000_000, 5)
    assert settings.granted_features == frozenset()


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), "run `make docs`"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_features_are_separated_by_commas_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_GRANTED_FEATURES", "factuality, OWNERSHIP,")
    assert read_settings().granted_features == {"FACTUALITY", "OWNERSHIP"}


def test_origins_and_proxies_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_ALLOWED_ORIGINS", "https://A.example, http://localhost:3000")
    monkeypatch.setenv("PARALLAX_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings = read_settings()
    assert settings.allowed_origins == {"https://a.example", "http://localhost:3000"}
    assert {str(network) for network in settings.trusted_proxies} == {"10.0.0.0/8", "::1/128"}


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_DATABASE_URL", "")
    monkeypatch.setenv("PARALLAX_PORT", "")
    assert read_settings() == Settings()
    assert read_settings().database_url is None


def test_settings_cannot_change_after_they_were_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("PORT", "http", "valid integer"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("MAX_DEPTH", "0", "greater than 0"),
        ("OPERATION_TIMEOUT", "-1", "greater than 0"),
        ("OPERATION_TIMEOUT", "1e9", "less than or equal to 86400"),
        ("BODY_TIMEOUT", "inf", "finite number"),
        ("OPEN_WINDOW_DAYS", "1000000000", "less than or equal to 1000000"),
        ("CHANGES_KEPT_HOURS", "1e12", "less than or equal to 1000000"),
        ("INTROSPECTION", "perhaps", "valid boolean"),
        ("ALLOWED_ORIGINS", "https://news.example/path", 'https://news.example/path" is no origin'),
        ("ALLOWED_ORIGINS", "https://news.example:443", "no port that goes without saying"),
        ("ALLOWED_ORIGINS", "*.example", '*.example" is no origin'),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("TRUSTED_PROXIES", "*", "'*' does not appear to be an IPv4 or IPv6 network"),
        ("GRANTED_FEATURES", "TELEPATHY", "'FACTUALITY', 'OWNERSHIP'"),
    ],
)
def test_a_wrong_setting_is_told_with_its_name_what_was_given_and_what_would_do(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, told: str
) -> None:
    monkeypatch.setenv(f"PARALLAX_{name}", given)
    with pytest.raises(SettingsError) as wrong:
        read_settings()
    message = str(wrong.value)
    assert message.startswith(f'PARALLAX_{name}: "{given}" will not do')
    assert told in message
    assert f"This would do: PARALLAX_{name}=" in message


def test_every_wrong_setting_is_told_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_PORT", "x")
    monkeypatch.setenv("PARALLAX_POOL_SIZE", "y")
    with pytest.raises(SettingsError) as wrong:
        read_settings()
    assert [line.split(":")[0] for line in str(wrong.value).splitlines()] == ["PARALLAX_POOL_SIZE", "PARALLAX_PORT"]


@pytest.mark.parametrize("given", ["mysql://user:hunter2@host/db", "postgresql+asyncpg://user:hunter2@host/db"])
def test_a_wrong_secret_is_told_without_showing_it(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PARALLAX_DATABASE_URL", given)
    with pytest.raises(SettingsError) as wrong:
        read_settings()
    assert "PARALLAX_DATABASE_URL" in str(wrong.value)
    assert "postgresql://" in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_a_database_may_have_several_hosts_and_there_may_be_several_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    primary = "postgresql://user:hunter2@one:5432,two:5433/news?target_session_attrs=read-write"
    replicas = ["postgresql://user:hunter2@one,two/news", "postgres://[::1]:5433/news"]
    monkeypatch.setenv("PARALLAX_DATABASE_URL", primary)
    monkeypatch.setenv("PARALLAX_REPLICA_URLS", ", ".join(replicas) + ",")
    settings = read_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == primary
    assert [url.get_secret_value() for url in settings.replica_urls] == replicas
    assert "hunter2" not in repr(settings)
    assert place(primary) == "Postgres at one:5432 or two:5433"


@pytest.mark.parametrize(
    "given", ["mysql://user:hunter2@host/db", "postgresql://host/db,postgresql://u:hunter2/3@host"]
)
def test_a_wrong_replica_is_told_without_showing_it(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PARALLAX_REPLICA_URLS", given)
    with pytest.raises(SettingsError, match="PARALLAX_REPLICA_URLS: what was given") as wrong:
        read_settings()
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("given", ["redis://:hunter2@host/news", "redis://:hunter2@host/0/1"])
def test_a_redis_database_that_is_no_number_is_told(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PARALLAX_REDIS_URL", given)
    with pytest.raises(SettingsError, match="must be the number of a database") as wrong:
        read_settings()
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("given", ["redis://host", "redis://host/", "rediss://host:1/15", "redis+cluster://host/0"])
def test_a_redis_database_may_be_left_out(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PARALLAX_REDIS_URL", given)
    assert read_settings().redis_url


def test_what_the_error_suggests_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"PARALLAX_{name.upper()}", "?")
    try:
        read_settings()
    except SettingsError as wrong:
        for line in str(wrong).splitlines():
            name, _, value = line.split("This would do: ")[1].partition("=")
            monkeypatch.setenv(name, value)
    read_settings()


def test_a_secret_does_not_show_in_the_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLAX_DATABASE_URL", "postgresql://user:hunter2@host/db")
    assert "hunter2" not in repr(read_settings())
